"""Hostile and broken inputs, one per kind: one clear line, nothing run, nothing written but the cache."""

from __future__ import annotations

import csv
import io
import os
import re
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.datasets import open_dataset, read_classes, survey
from interpret_core.datasets.contents import LARGEST
from interpret_core.datasets.fetch.broden import fetch_broden
from interpret_core.errors import ChangedFileError, DatasetError, DownloadError, UserError
from interpret_core.tables import csv_text
from tests.datasets.files import png
from tests.datasets.http_server import Site, serving
from tests.planted_classes import write_classes, write_photos
from tests.planted_dataset import make_planted

PICTURE = "images/planted/00001.png"
MASK = "images/planted/00001_object_0.png"


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file and link below a folder."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or (path.is_file() and path.stat().st_size <= LARGEST)
    }


@contextmanager
def only_the_cache_changes(root: Path) -> Iterator[None]:
    """Within the block, no file beside a data set or in it is made, changed or deleted."""

    def others() -> dict[str, bytes | str]:
        return {name: one for name, one in contents(root.parent).items() if not name.startswith("cache/")}

    before = others()
    yield
    assert others() == before


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started to make sense of a file."""
    monkeypatch.setattr(subprocess, "Popen", _no_process)


def _no_process(*arguments: object, **_named: object) -> None:
    raise AssertionError(f"a process was started: {arguments}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four planted pictures with masks."""
    return make_planted(tmp_path / "set", images=4, size=32, annotation=16).root


def problem(root: Path) -> str:
    """Why the second picture of a data set is left out, the others being sound."""
    with only_the_cache_changes(root):
        dataset = open_dataset(root)
        _ = dataset.digest
        found = survey(dataset, dataset.concepts())
    assert found.valid.tolist() == [True, False, True, True]
    (one,) = found.problems
    assert one.image == "planted/00001.png"
    assert "\n" not in one.reason
    assert str(root) not in one.reason
    return one.reason


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(width: int, height: int, size: int = 1_000_000) -> bytes:
    """A PNG whose header promises a large picture; `size` bytes of pixels compress to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(size), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small picture with a compressed text of 100 MB."""
    text = b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)
    return png(np.zeros((32, 32, 3), np.uint8), 8, before=[(b"zTXt", text)])


def gif_bomb() -> bytes:
    """A GIF whose screen is 65,535 pixels wide and high."""
    file = io.BytesIO()
    Image.new("P", (32, 32)).save(file, "GIF")
    content = bytearray(file.getvalue())
    content[6:10] = b"\xff\xff\xff\xff"
    return bytes(content)


def tiff_bomb() -> bytes:
    """A TIFF that says it is 60,000 pixels wide and high."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32)).save(file, "TIFF")
    content = file.getvalue()
    for tag in (256, 257):
        at = content.index(struct.pack("<HH", tag, 4))
        content = content[: at + 8] + struct.pack("<I", 60000) + content[at + 12 :]
    return content


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n(written) print\n%%EOF\n"
FORMATS: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "empty": (b"", r"it is empty"),
    "text": (b"not a picture at all", r"it is no picture of a format that is read"),
    "html": (b"<!DOCTYPE html><html>404</html>", r"it is no picture of a format that is read"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', r"it is no picture of a format that is read"),
    "pdf": (b"%PDF-1.7\n", r"it is no picture of a format that is read"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"git lfs pull"),
    "zip": (b"PK\x03\x04" + bytes(100), r"it is no picture of a format that is read"),
    "postscript": (POSTSCRIPT, r"is PostScript, a program that is not run"),
    "postscript in DOS": (b"\xc5\xd0\xd3\xc6" + bytes(60), r"is PostScript, a program that is not run"),
    "cut off": (lambda: png(np.zeros((32, 32, 3), np.uint8), 8)[:60], r"cannot be decoded"),
    "bomb": (lambda: bomb(60000, 60000), r"60000×60000 pixels, expected at most 64,000,000 in all"),
    "bomb of text": (text_bomb, r"cannot be decoded \(.*too large"),
    "bomb in GIF": (gif_bomb, r"65535×65535 pixels, expected at most 64,000,000 in all"),
    "bomb in TIFF": (tiff_bomb, r"60000×60000 pixels, expected at most 64,000,000 in all"),
    "too few pixels": (lambda: bomb(32, 32, 500), r"cannot be decoded"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("place", [PICTURE, MASK])
def test_content_that_is_no_picture(folder: Path, name: str, place: str) -> None:
    given, words = FORMATS[name]
    (folder / place).write_bytes(given if isinstance(given, bytes) else given())
    found = problem(folder)
    assert place in found
    assert re.search(words, found), found


@pytest.mark.thorough
def test_a_file_of_terabytes(folder: Path) -> None:
    """Sparse: it takes no room on the disk; it is neither decoded nor read into memory as a whole."""
    with (folder / PICTURE).open("wb") as file:
        file.truncate(LARGEST + 1)
    assert "has 1,073,741,825 bytes, expected at most 1,073,741,824" in problem(folder)


@pytest.mark.thorough
def test_a_file_that_grows_is_another_file(folder: Path) -> None:
    dataset = open_dataset(folder)
    _ = dataset.digest
    content = (folder / PICTURE).read_bytes()
    with (folder / PICTURE).open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ChangedFileError, match=r"is not the file that it was"):
        dataset.read_image(1)
    (folder / PICTURE).write_bytes(content)


@pytest.mark.parametrize("place", [PICTURE, MASK])
@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere", "itself", "device", "long"])
def test_what_is_no_file(folder: Path, place: str, kind: str) -> None:
    path = folder / place
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "long":
        name = "x" * 300 + ".png"
        text = (folder / "index.csv").read_text().replace(place.removeprefix("images/"), name)
        (folder / "index.csv").write_text(text)
        dataset = open_dataset(folder)
        found = survey(dataset, dataset.concepts())
        assert [
            one.reason.endswith("is missing: restore it, or remove it from the table.")
            for one in found.problems
        ]
        assert found.valid.sum() == 3
        return
    else:
        path.symlink_to({"nowhere": "gone.png", "itself": path.name, "device": "/dev/zero"}[kind])
    assert f"{place} is missing" in problem(folder)


TRAVERSAL = (
    *("../../secret.png", "/etc/hostname", "a/../../../secret.png", "planted/../../../x.png"),
    *("C:\\x.png", "..\\secret.png", "\\\\server\\x.png", "\0.png"),
)


@pytest.mark.parametrize("name", TRAVERSAL)
@pytest.mark.parametrize("column", ["image", "object"])
def test_names_that_lead_out(folder: Path, name: str, column: str) -> None:
    (folder.parent / "secret.png").write_bytes(b"secret")
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    rows[2][rows[0].index(column)] = name
    with (folder / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    match = r"index\.csv line 3: file .* expected a path below images/"
    with only_the_cache_changes(folder), pytest.raises(DatasetError, match=match) as told:
        open_dataset(folder)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize("name", TRAVERSAL)
def test_classes_of_what_lies_elsewhere(tmp_path: Path, name: str) -> None:
    root = write_photos(tmp_path / "p", {"red/1.png": "red"})
    write_classes(root, [(name, "red")])
    with pytest.raises(DatasetError, match=r"classes\.csv line 2: image .* is not in"):
        read_classes(open_dataset(root))


TABLES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "has the columns none"),
    "UTF-16": ("image,ih".encode("utf-16"), "expected UTF-8: save the table as UTF-8"),
    "Latin-1": (b"image,ih,iw,sh,sw,object\nM\xfcller.png,8,8,4,4,\n", "expected UTF-8"),
    "a spreadsheet": (b"PK\x03\x04\x14\x00" + bytes(range(128, 200)), "expected UTF-8"),
    "zeros": (bytes(500), "expected also image"),
    "an endless cell": (b"image,ih,iw,sh,sw,object\n" + b"a" * 200_000 + b",8,8,4,4,\n", "field larger than"),
    "an open quote": (b'image,ih,iw,sh,sw,object\n"a.png,8,8,4,4,\n', "not a comma-separated table"),
    "a large number": (b"image,ih,iw,sh,sw,object\na.png," + b"9" * 5000 + b",8,4,4,\n", "a whole number"),
    "a formula": (b"image,ih,iw,sh,sw,object\na.png,=1+1,8,4,4,\n", "ih is '=1+1', expected a whole number"),
    "UTF-16 without a mark": ("image,ih,iw\n".encode("utf-16-le"), "save it as UTF-8"),
    "for a spreadsheet": (b"sep=,\nimage,ih,iw,sh,sw,object\n", "so remove it"),
    "capitals": (b"Image,IH,iw,sh,sw,object\n", "it has 'Image', 'IH', so write them as here"),
    "an invisible letter": ("ima\u200bge,ih,iw,sh,sw,object\n".encode(), "it has 'ima\\u200bge'"),
    "spaces": (b"image ih iw sh sw object\n", "spaces stand between its cells"),
    "no header": (b"a.png,8,8,4,4,m.png\n", "they belong into its first line, before all rows: image,ih"),
    "ends of several kinds": (b"image,ih,iw,sh,sw,object\ra.png,8,8,4,4,\n", "lines end in several ways"),
    "a late quotation mark": (b'image,ih,iw,sh,sw,object\n "a.png",8,8,4,4,\n', "remove the space"),
    "a name cut in two": (b'image,ih,iw,sh,sw,object\na.png, "8,8",4,4,1,\n', "remove the space"),
    "a large grid": (b"image,ih,iw,sh,sw,object\na.png,8,8,60000,60000,\n", "60000×60000 pixels, expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables(folder: Path, name: str) -> None:
    content, words = TABLES[name]
    (folder / "index.csv").write_bytes(content)
    with only_the_cache_changes(folder), pytest.raises(DatasetError) as told:
        open_dataset(folder)
    assert words in str(told.value)
    assert len(str(told.value).splitlines()) == 1
    assert len(str(told.value)) < 8000


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf" * 2, b"\n\r\n", b",,\n"], ids=["two marks", "lines", "cells"]
)
def test_what_stands_before_a_table_and_is_nothing(folder: Path, before: bytes) -> None:
    table = (folder / "index.csv").read_bytes()
    (folder / "index.csv").write_bytes(before + table)
    assert len(open_dataset(folder)) == 4


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0" * 12 + "1", ""),
        ("65537", "65537"),
        ("4294967297", "4294967297"),
        ("1" + "0" * 300, "1" + "0" * 17),
        ("0" * 9 + "99", "99"),
    ],
    ids=["zeros in front", "beyond", "32 bits", "endless", "not listed"],
)
def test_a_number_for_the_whole_image_is_read_as_it_stands(folder: Path, number: str, words: str) -> None:
    """A prefix of nine digits was read: 000000000012 counted as 1."""
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    before = open_dataset(folder).digest
    rows[2][rows[0].index("object")] = number
    with (folder / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    if words:
        assert f"has label number {words}, expected one of label.csv" in problem(folder)
        return
    dataset = open_dataset(folder)
    table = dataset.concepts(("object",))
    (at,) = [at for at, one in enumerate(table.concepts) if one.number == 1]
    assert (dataset.read_annotation(1, table) == at + 1).all()
    assert dataset.digest != before


def archive(name: str, link: bool = False, size: int | None = None) -> bytes:
    """A zip with one odd member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        member = zipfile.ZipInfo(name)
        member.external_attr = (0o120777 if link else 0o100644) << 16
        packed.writestr(member, b"/etc/passwd" if link else bytes(2_000_000), zipfile.ZIP_DEFLATED)
    content = file.getvalue()
    if size is not None:  # what the directory says of the member's size
        at = content.rindex(b"PK\x01\x02")
        content = content[: at + 24] + struct.pack("<I", size) + content[at + 28 :]
    return content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive("../outside.png"), "which is no plain file below its own folder"),
        (archive("/tmp/outside.png"), "which is no plain file below its own folder"),
        (archive("images/x.png", link=True), "which is no plain file below its own folder"),
        (archive("images/bomb.png", size=10), "cannot be used"),
        (archive("x")[:100], "cannot be used"),
    ],
    ids=["above", "absolute", "link", "bomb", "cut off"],
)
def test_archives(tmp_path: Path, content: bytes, words: str) -> None:
    destination = tmp_path / "sets" / "here"
    served = serving(Site({"/broden1_224.zip": content}))
    with served as site, pytest.raises(DownloadError, match=words) as told:
        fetch_broden(destination, base_url=site.url)
    assert len(str(told.value).splitlines()) == 1
    assert not list(destination.rglob("*"))
    assert not (tmp_path / "outside.png").exists()


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_formulas_do_not_leave(start: str) -> None:
    name = f'{start}HYPERLINK("http://x";"y")'
    ((_, cell, number),) = list(
        csv.reader(io.StringIO(csv_text([{"a": 1, "b": name, "c": -0.5}]), newline=""))
    )[1:]
    assert cell == f"'{name}"
    assert number == "-0.5", "a negative number is no text"


ODD = [
    "a\u202egnp.png",
    "a\u200bb.png",
    "a\nb.png",
    "a\x1b[31mb.png",
    "%s%n.png",
    "$(touch x).png",
    "-rf.png",
    "a;b.png",
]


def test_names_that_play_tricks(tmp_path: Path) -> None:
    """They are names like any others; a message shows them as one line."""
    root = write_photos(tmp_path / "p", dict.fromkeys(ODD, "red"))
    dataset = open_dataset(root)
    assert sorted(record.image for record in dataset.records) == sorted(ODD)
    assert (read_classes(dataset).of_image == 0).all()
    for name in ODD:
        write_classes(root, [(f"no {name}", "red")])
        with pytest.raises(UserError) as told:
            read_classes(open_dataset(root))
        assert len(str(told.value).splitlines()) == 1
