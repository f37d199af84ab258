"""A data set of somebody's own: photographs that say where, when and by whom they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import save_file

from tests import planted_networks
from tests.planted_classes import COLOURS, PICTURES, write_classes
from tests.planted_dataset import write_tables

NETWORK = "tests.cli.networks:named"
SIZE = 16
# What the files say beside their pixels, and whose folders they lie in; nothing of it may leave.
ARTIST, COMMENT, XMP, TEXT, PLACE = "Erika-Artist", "Comment-Leak", "Xmp-Leak", "Png-Leak", "Gps-Place"
FOLDERS = ("mueller-home", "customers-42", "weights-of-ada")
PICTURE = "wedding"  # in the name of every picture
_ARTIST, _COPYRIGHT, _GPS, _PLACE = 0x013B, 0x8298, 0x8825, 0x001B  # EXIF's numbers
_LATITUDE = ((1, 2), (4, (51.0, 28.0, 38.123457)))


@dataclass(frozen=True)
class Private:
    """Where it lies.

    Attributes:
        root: the data set's folder.
        weights: a file of weights in another private folder.
        out: where exports go.
    """

    root: Path
    weights: Path
    out: Path

    @property
    def network(self) -> str:
        """The network with weights of that file."""
        return f"{NETWORK}@{self.weights}"


def make_private(folder: Path) -> Private:
    """Photographs of one colour each with classes, two of them damaged, and a file of weights."""
    root, weights = folder / FOLDERS[0] / FOLDERS[1] / "kitchen", folder / FOLDERS[2] / "red.safetensors"
    for one in (root / "images", weights.parent, folder / "out"):
        one.mkdir(parents=True)
    rows, classes = [], []
    for index, picture in enumerate(PICTURES):
        name = f"{PICTURE}-{index}.{'png' if index == 1 else 'jpg'}"
        _write(root / "images" / name, COLOURS[picture.colour])
        sizes = dict.fromkeys(("ih", "iw", "sh", "sw"), SIZE)
        rows.append({"image": name, "split": picture.split, **sizes, "object": "1"})
        classes += [(name, picture.name)] if picture.name else []
    for index, split in ((50, "train"), (51, "val")):
        name = f"{PICTURE}-{index}.jpg"
        (root / "images" / name).write_bytes(b"no picture")
        rows.append({**rows[0], "image": name, "split": split})
        classes.append((name, "red"))
    write_tables(root, rows, [(1, "red", ("object",))])
    write_classes(root, classes)
    save_file(dict(planted_networks.red_detector().state_dict()), weights)
    return Private(root, weights, folder / "out")


def secrets() -> tuple[bytes, ...]:
    """Bytes that nothing that leaves may hold."""
    texts = (ARTIST, COMMENT, XMP, TEXT, PLACE, *FOLDERS)
    return (*(one.encode() for one in texts), b"Exif", b"8Photoshop")


def found_in(content: bytes, *more: str) -> list[str]:
    """Which of them, and of some more, are in what leaves."""
    return [one.decode() for one in (*secrets(), *(text.encode() for text in more)) if one in content]


def _write(path: Path, colour: tuple[int, int, int]) -> None:
    picture = Image.new("RGB", (SIZE, SIZE), colour)
    exif = picture.getexif()
    exif[_ARTIST], exif[_COPYRIGHT] = ARTIST, f"(c) {ARTIST}"
    position = exif.get_ifd(_GPS)
    position.update({1: "N", 2: _LATITUDE[1][1], 3: "W", 4: (0.0, 0.0, 5.25), _PLACE: PLACE.encode()})
    if path.suffix == ".png":
        told = PngInfo()
        told.add_text("Author", TEXT)
        told.add_itxt("XML:com.adobe.xmp", f"<x>{XMP}</x>")
        picture.save(path, pnginfo=told, exif=exif)
    else:
        xmp = f"<x>{XMP}</x>".encode()
        picture.save(path, quality=100, subsampling=0, exif=exif, comment=COMMENT.encode(), xmp=xmp)
