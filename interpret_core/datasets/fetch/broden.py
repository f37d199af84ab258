"""Getting Broden, the data set of Network Dissection: download, verify, unpack safely.

The authors publish no checksum. What is verified instead: the length that the server announces, the CRC of
every file in the archive while unpacking, and the layout afterwards (its tables must read without
complaint). The archive is unpacked beside its final place and renamed at the end, so a half data set never
looks like a whole.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from interpret_core import files
from interpret_core.datasets.layouts.broden import read_tables
from interpret_core.errors import Cancelled, DatasetError, DownloadError, ParameterError

BASE_URL = "http://netdissect.csail.mit.edu/data"
RESOLUTIONS = (224, 227, 384)
_COPY = 1 << 20
_RESERVE = 64 << 20  # free space to leave on the disk


@dataclass(frozen=True)
class Step:
    """Progress of one phase: "download" in bytes (`total` None where unknown), "unpack" in bytes unpacked."""

    phase: str
    done: int
    total: int | None


def fetch_broden(
    destination: Path,
    resolution: int = 224,
    *,
    base_url: str = BASE_URL,
    sha256: str | None = None,
    progress: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Make `destination/broden1_<resolution>`; does nothing where it already is.

    An interrupted call resumes its download. The archive is deleted once it is unpacked.

    Args:
        destination: folder that holds data sets; created if missing.
        resolution: 224, 227 or 384 pixels; annotations have half as many (112, 113, 192).
        base_url: folder of broden1_<resolution>.zip on a server.
        sha256: of the archive, if the caller knows one.
        progress: called with a Step.
        cancelled: asked regularly; a true answer raises Cancelled, and the next call resumes.

    Returns:
        The folder, ready for `open_dataset`.

    Raises:
        ParameterError: another resolution.
        DownloadError: the download failed, the archive is damaged, unsafe or of another layout, or the disk
            is too small.
        DatasetError: the folder exists, but not in Broden's layout.
        Cancelled: as asked.
    """
    if resolution not in RESOLUTIONS:
        choices = ", ".join(map(str, RESOLUTIONS))
        raise ParameterError(f"Resolution {resolution}, expected one of {choices}: choose one of them.")
    folder = destination / f"broden1_{resolution}"
    if folder.exists():
        read_tables(folder)
        return folder
    report = progress or (lambda step: None)
    archive = files.download(
        f"{base_url.rstrip('/')}/{folder.name}.zip",
        destination / f"{folder.name}.zip",
        sha256=sha256,
        progress=lambda done, total: report(Step("download", done, total)),
        cancelled=cancelled,
    )
    _unpack_once(archive, folder, report, cancelled or (lambda: False))
    return folder


def _unpack_once(
    archive: Path, folder: Path, report: Callable[[Step], None], cancelled: Callable[[], bool]
) -> None:
    """Unpack and delete the archive, which stays only where unpacking it again could succeed."""
    try:
        _unpack(archive, folder, report, cancelled)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        DatasetError,
    ) as error:
        # It must not stay: the next call would find the download complete and fail again.
        archive.unlink()
        raise DownloadError(
            f"{archive} cannot be used ({error}), expected Broden's zip archive: it was removed; "
            "run the command again, or check the address."
        ) from error
    except OSError as error:
        raise DownloadError(
            f"{folder} cannot be written ({error.strerror or error}): "
            "free space there, or choose another folder."
        ) from error
    archive.unlink()


def _unpack(
    archive: Path, folder: Path, report: Callable[[Step], None], cancelled: Callable[[], bool]
) -> None:
    """Unpack to a folder beside `folder`, check the layout, rename."""
    partial = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            total = sum(member.file_size for member in members)
            _check_space(folder.parent, total)
            done = 0
            for member in members:
                if cancelled():
                    raise Cancelled(f"Stopped unpacking {archive}; the same command goes on.")
                done += _unpack_member(content, member, partial)
                report(Step("unpack", done, total))
        _find_root(partial, archive).rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _RESERVE:
        raise DownloadError(
            f"Unpacking needs {(needed + _RESERVE) / 1e9:.1f} GB in {folder}, which has {free / 1e9:.1f} GB "
            "free: make room, or choose another folder; the archive is kept."
        )


def _unpack_member(content: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> int:
    """Write one file below `folder`; its size. Reading to the end checks the CRC."""
    name = PurePosixPath(member.filename)
    link = stat.S_ISLNK(member.external_attr >> 16)
    if link or name.is_absolute() or ".." in name.parts or "\\" in member.filename or ":" in member.filename:
        raise zipfile.BadZipFile(f"it holds {member.filename!r}, which is no plain file below its own folder")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with content.open(member) as source, target.open("wb") as out:
        while block := source.read(_COPY):
            # The space check trusted the sizes that the archive states.
            written += len(block)
            if written > member.file_size:
                raise zipfile.BadZipFile(f"{member.filename} is larger than stated")
            out.write(block)
    return written


def _find_root(partial: Path, archive: Path) -> Path:
    """The folder with index.csv: the archive's own top, or its single subfolder."""
    for candidate in [partial, *sorted(path for path in partial.glob("*") if path.is_dir())]:
        if (candidate / "index.csv").is_file():
            first = read_tables(candidate).records[0].image
            if not (candidate / "images" / first).is_file():
                raise DatasetError(f"images/{first} is missing")
            return candidate
    raise DatasetError(f"{archive.name} holds no index.csv")
