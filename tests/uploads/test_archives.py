"""Archives from anybody: unpacked whole and below their folder, or refused in one line."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from interpret_core.errors import DatasetError
from interpret_core.uploads.archives import ArchiveLimits, PictureArchive

NOISE = bytes(range(256)) * 8


def wanted(name: str) -> bool:
    return name.endswith((".png", ".csv"))


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """An archive of these files, at its beginning."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def special(mode: int) -> io.BytesIO:
    """An archive with one member that is no file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = zipfile.ZipInfo("a/link.png")
        member.external_attr = (mode | 0o777) << 16
        archive.writestr(member, b"/etc/passwd")
    return file


def changed(file: io.BytesIO, change: Callable[[bytearray], None]) -> io.BytesIO:
    content = bytearray(file.getvalue())
    change(content)
    return io.BytesIO(bytes(content))


def unpack(file: io.BytesIO, into: Path, limits: ArchiveLimits | None = None) -> list[str]:
    """Names below the folder afterwards."""
    into.mkdir(exist_ok=True)
    PictureArchive(file, "birds.zip", wanted, limits).unpack(into, lambda *_: None)
    return sorted(one.relative_to(into).as_posix() for one in into.rglob("*") if one.is_file())


def test_files_are_unpacked_as_they_were_and_others_are_named(tmp_path: Path) -> None:
    members = {"birds/owl/1.png": NOISE, "birds/classes.csv": b"image,class\n", "birds/run.sh": b"#!"}
    hidden = {"__MACOSX/birds/._1.png": b"x", "birds/.DS_Store": b"x", "birds/.git/a.png": b"x"}
    archive = PictureArchive(packed(members | hidden), "birds.zip", wanted)
    told: list[tuple[str, int, int | None]] = []
    found = archive.unpack(tmp_path, lambda *one: told.append(one))
    assert (tmp_path / "birds/owl/1.png").read_bytes() == NOISE
    assert (found.files, found.left_out) == (2, ("birds/run.sh",))
    assert found.size == len(NOISE) + len(b"image,class\n")
    assert told[-1] == ("unpack", 2, 2)
    assert not list(tmp_path.rglob("*.sh"))
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("name", ["Käuzchen/ü.png", "鳥/1.png", "café/é.png"])
@pytest.mark.parametrize("flagged", [True, False])
def test_names_in_utf_8_are_read_with_and_without_the_flag(tmp_path: Path, name: str, flagged: bool) -> None:
    def unflag(content: bytearray) -> None:
        for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = content.index(mark) + place
            content[at : at + 2] = b"\0\0"

    file = packed({name: NOISE})
    assert unpack(file if flagged else changed(file, unflag), tmp_path) == [name]


def test_backslashes_of_windows_are_folders(tmp_path: Path) -> None:
    file = packed({"birds/owl/1.png": NOISE})
    swapped = io.BytesIO(file.getvalue().replace(b"birds/owl/1.png", b"birds\\owl\\1.png"))
    assert unpack(swapped, tmp_path) == ["birds/owl/1.png"]


def many(count: int) -> io.BytesIO:
    return packed({f"{number}.png": b"" for number in range(count)}, zipfile.ZIP_STORED)


def encrypted() -> io.BytesIO:
    def flag(content: bytearray) -> None:
        content[content.index(b"PK\x01\x02") + 8] |= 1

    return changed(packed({"a.png": NOISE}), flag)


def twice() -> io.BytesIO:
    return io.BytesIO(packed({"a.png": NOISE, "b.png": NOISE}).getvalue().replace(b"b.png", b"a.png"))


def damaged() -> io.BytesIO:
    def flip(content: bytearray) -> None:
        content[content.index(b"a.png") + 30] ^= 0xFF

    return changed(packed({"a.png": NOISE}, zipfile.ZIP_STORED), flip)


def method(number: int) -> io.BytesIO:
    return packed({"a.png": NOISE}, number)


def cut_off() -> io.BytesIO:
    return io.BytesIO(packed({"a.png": NOISE}).getvalue()[:-40])


def long_list() -> io.BytesIO:
    """An archive whose end says that its list takes 2 GB."""

    def lie(content: bytearray) -> None:
        struct.pack_into("<L", content, content.rindex(b"PK\x05\x06") + 12, 2 << 30)

    return changed(packed({"a.png": NOISE}), lie)


REFUSED: dict[str, tuple[Callable[[], io.BytesIO], str]] = {
    "nothing": (lambda: io.BytesIO(), "it is none"),
    "text": (lambda: io.BytesIO(b"not an archive at all"), "it is none"),
    "RAR": (lambda: io.BytesIO(b"Rar!\x1a\x07\0" + NOISE), "it is a RAR archive"),
    "gzip": (lambda: io.BytesIO(b"\x1f\x8b\x08" + NOISE), "it is compressed by gzip"),
    "cut off": (cut_off, "it is cut off"),
    "empty": (lambda: packed({}), "no picture is in it"),
    "no picture": (lambda: packed({"notes.txt": b"x", "inner.zip": b"x"}), "no picture is in it"),
    "parent": (lambda: packed({"../a.png": NOISE}), r"'../a.png' leads out"),
    "parent within": (lambda: packed({"a/../../b.png": NOISE}), "leads out"),
    "absolute": (lambda: packed({"/etc/a.png": NOISE}), "leads out"),
    "drive": (lambda: packed({"C:/a.png": NOISE}), "leads out"),
    "backslash parent": (lambda: packed({"..\\..\\a.png": NOISE}), "leads out"),
    "link": (lambda: special(stat.S_IFLNK), "is a link or device"),
    "device": (lambda: special(stat.S_IFCHR), "is a link or device"),
    "encrypted": (encrypted, "is encrypted"),
    "twice": (twice, "more than once"),
    "file and folder": (lambda: packed({"a.png": NOISE, "a.png/b.png": NOISE}), "as a file and as a folder"),
    "damaged": (damaged, "cannot be unpacked"),
    "bzip2": (lambda: method(zipfile.ZIP_BZIP2), "compressed by method 12"),
    "lzma": (lambda: method(zipfile.ZIP_LZMA), "compressed by method 14"),
    "bomb": (lambda: packed({"a.png": b"\0" * (80 << 20)}), "become 80"),
    "too large": (lambda: packed({"a.png": NOISE * 700}), "unpacked it takes"),
    "too many": (lambda: many(60), "60 files are in it"),
    "long list": (long_list, "its list of files takes"),
    "long name": (lambda: packed({f"{'x' * 250}.png": NOISE}), "is too long"),
    "deep": (lambda: packed({f"{'x/' * 30}a.png": NOISE}), "is too long"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_one_line_says_why_an_archive_is_refused(tmp_path: Path, kind: str) -> None:
    make, why = REFUSED[kind]
    limits = ArchiveLimits(files=50, size=1 << 20 if kind == "too large" else 1 << 30)
    outside = set(tmp_path.iterdir())
    with pytest.raises(DatasetError, match=re.escape(why)) as raised:
        unpack(make(), tmp_path / "into", limits)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("birds.zip is no zip archive of pictures that can be taken: ")
    assert set(tmp_path.iterdir()) - outside <= {tmp_path / "into"}  # nothing beside it
    assert all(
        one.is_relative_to((tmp_path / "into").resolve()) for one in (tmp_path / "into").resolve().rglob("*")
    )


def test_a_bomb_that_lies_about_its_size_writes_no_more_than_it_says(tmp_path: Path) -> None:
    """Sizes in the list decide; a member that holds more is cut there, and its check sum tells."""

    def lie(content: bytearray) -> None:
        struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 24, 1000)

    with pytest.raises(DatasetError, match="cannot be unpacked"):
        unpack(changed(packed({"a.png": b"\0" * (8 << 20)}), lie), tmp_path)
    assert sum(one.stat().st_size for one in tmp_path.rglob("*.png")) <= 1000
