"""Unpacking a zip archive of pictures from anybody: how many files, how large, and where they lie is bounded.

Everything is decided by the archive's own list before a byte is written; a member that then holds more than
the list says, or other bytes, ends it.
"""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from interpret_core.errors import DatasetError
from interpret_core.sizes import written

Tell = Callable[[str, int, int | None], None]  # stage, done, of how many
_OTHERS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zX": "compressed by xz",
    b"%PDF": "a PDF",
    b"\xff\xd8\xff": "a JPEG",
    b"\x89PNG": "a PNG",
}
_EOCD, _EOCD64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_TAIL = (1 << 16) + 22  # bytes at the end in which the record of the list lies, with the longest comment
_UTF8, _ENCRYPTED = 0x800, 0x1
_DEEPEST, _LONGEST = 24, 240  # folders on the way to a file; bytes of a name
_SMALL = 64 << 20  # bytes that may be packed as tightly as they like
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class ArchiveLimits:
    """What is unpacked at most.

    Attributes:
        files: of the archive, all kinds together.
        size: bytes of everything, unpacked.
        ratio: of the unpacked bytes to the archive's.
        listing: bytes of the archive's list of files, which is read into memory.
    """

    files: int = 100_000
    size: int = 8 << 30
    ratio: int = 100
    listing: int = 32 << 20


@dataclass(frozen=True)
class Unpacked:
    """What was unpacked.

    Attributes:
        files: how many.
        size: their bytes.
        left_out: names of others than are wanted, in the archive's order.
    """

    files: int
    size: int
    left_out: tuple[str, ...] = ()


class PictureArchive:
    """An opened archive, its list read and checked.

    Args:
        file: the archive, at its beginning.
        name: for messages.
        wanted: whether a file of this name is unpacked.
        limits: what may be in it.

    Raises:
        DatasetError: it is no zip archive, damaged, encrypted, beyond a limit, or a name leads elsewhere.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        wanted: Callable[[str], bool],
        limits: ArchiveLimits | None = None,
    ) -> None:
        self.name, self._limits = name, limits or ArchiveLimits()
        self._size = file.seek(0, 2)
        self._check_kind(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (*_BROKEN, OSError, UnicodeError, struct.error) as error:
            raise self._refusal(f"its list of files cannot be read ({error})", "pack it anew") from error
        self._members, self.left_out = self._sorted(wanted)
        self.size = sum(member.file_size for _, member in self._members)
        self._check_sums()

    def unpack(self, into: Path, tell: Tell) -> Unpacked:
        """Write its files below a folder, which holds nothing yet.

        Args:
            into: it is there.
            tell: progress; what it raises ends the unpacking.

        Raises:
            DatasetError: a member is damaged, or two of them exclude each other.
            OSError: it cannot be written.
        """
        for done, (name, member) in enumerate(self._members):
            tell("unpack", done, len(self._members))
            path = into / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._zip.open(member) as packed, path.open("xb") as file:
                    shutil.copyfileobj(packed, file, 1 << 20)
            except (FileExistsError, NotADirectoryError) as error:
                raise self._refusal(f"{name!r} is in it as a file and as a folder", "pack it anew") from error
            except _BROKEN as error:
                raise self._refusal(f"{name!r} cannot be unpacked ({error})", "pack it anew") from error
        tell("unpack", len(self._members), len(self._members))
        return Unpacked(len(self._members), self.size, tuple(self.left_out))

    def _check_kind(self, file: BinaryIO) -> None:
        """By its first and last bytes; the list is only read where it is no longer than a list of files is."""
        file.seek(0)
        start = file.read(8)
        other = next((what for mark, what in _OTHERS.items() if start.startswith(mark)), "")
        if other:
            raise self._refusal(f"it is {other}", "pack the pictures into a zip archive")
        begins = max(0, self._size - _TAIL)
        file.seek(begins)
        tail = file.read(_TAIL)
        place = tail.rfind(_EOCD)
        if place < 0 or len(tail) - place < 22:
            what = "it is cut off" if start.startswith(b"PK") else "it is none"
            raise self._refusal(what, "upload it again, or pack it anew")
        listing, at = struct.unpack_from("<LL", tail, place + 12)
        if listing == 0xFFFFFFFF or at == 0xFFFFFFFF or tail[place - 20 : place - 16] == _LOCATOR:
            listing = self._listing64(file, tail, place)
        file.seek(0)
        if listing > self._limits.listing:
            raise self._refusal(
                f"its list of files takes {written(listing)}, expected at most {written(self._limits.listing)}",
                "upload it in parts",
            )

    def _listing64(self, file: BinaryIO, tail: bytes, place: int) -> int:
        """Bytes of the list where it is told in the record of large archives."""
        if tail[place - 20 : place - 16] != _LOCATOR:
            raise self._refusal("its list of files cannot be found", "pack it anew")
        (at,) = struct.unpack_from("<Q", tail, place - 12)
        # What the record of the list says of itself may be a lie; the list lies between it and the files.
        file.seek(min(at, self._size))
        record = file.read(56)
        if len(record) < 56 or not record.startswith(_EOCD64):
            raise self._refusal("its list of files cannot be found", "pack it anew")
        return int(struct.unpack_from("<Q", record, 40)[0])

    def _sorted(self, wanted: Callable[[str], bool]) -> tuple[list[tuple[str, zipfile.ZipInfo]], list[str]]:
        """The members to unpack under their names, and names of those that are left out."""
        members, left_out = [], []
        listed = self._zip.infolist()
        if len(listed) > self._limits.files:
            raise self._refusal(
                f"{len(listed):,} files are in it, expected at most {self._limits.files:,}",
                "register a folder on the server instead",
            )
        for member in listed:
            if member.is_dir():
                continue
            name = self._checked_name(_name_of(member))
            hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
            if hidden:  # what systems leave behind, and nobody meant to send
                continue
            if wanted(name):
                self._check_member(name, member)
                members.append((name, member))
            else:
                left_out.append(name)
        self._check_unlike([name for name, _ in members])
        return members, left_out

    def _check_unlike(self, names: Sequence[str]) -> None:
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise self._refusal(f"{twice!r} is in it more than once", "pack it anew")
        if not names:
            raise self._refusal(
                "no picture is in it, expected .jpg, .png or the like", "put the pictures into it"
            )

    def _checked_name(self, name: str) -> str:
        parts = name.split("/")
        if name.startswith("/") or name[1:2] == ":" or {"..", ".", ""} & set(parts) or "\0" in name:
            raise self._refusal(
                f"the name {name!r} leads out of it, expected names below its folder", "pack it anew"
            )
        if len(parts) > _DEEPEST or any(len(part.encode("utf-8", "replace")) > _LONGEST for part in parts):
            raise self._refusal(
                f"the name {name[:_LONGEST]!r} is too long, expected up to {_DEEPEST} folders and {_LONGEST} "
                "bytes a name",
                "rename it",
            )
        return name

    def _check_member(self, name: str, member: zipfile.ZipInfo) -> None:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise self._refusal(f"{name!r} is a link or device, expected files", "pack the files themselves")
        if member.flag_bits & _ENCRYPTED:
            raise self._refusal(f"{name!r} is encrypted", "pack it without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._refusal(
                f"{name!r} is compressed by method {member.compress_type}, expected deflate or none",
                "pack it with another program",
            )

    def _check_sums(self) -> None:
        limits = self._limits
        if self.size > limits.size:
            raise self._refusal(
                f"unpacked it takes {written(self.size)}, expected at most {written(limits.size)}",
                "register a folder on the server instead",
            )
        if self.size > max(_SMALL, limits.ratio * self._size):
            raise self._refusal(
                f"it says that {written(self._size)} become {written(self.size)} unpacked, expected at most "
                f"{limits.ratio} times as much",
                "pack it anew",
            )

    def _refusal(self, what: str, remedy: str) -> DatasetError:
        return DatasetError(f"{self.name} is no zip archive of pictures that can be taken: {what}; {remedy}.")


def _name_of(member: zipfile.ZipInfo) -> str:
    """The name as whoever packed it meant it: UTF-8 where it can be, whatever the flag says.

    Programs of macOS and Linux write UTF-8 without saying so; those of Windows, backslashes at times.
    """
    name = member.filename
    if not member.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name.replace("\\", "/")
