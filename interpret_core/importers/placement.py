"""The pictures of a new data set: links to where they are, copies, or smaller versions.

A picture's place below images/ is a symbolic link to the file. The reader opens pictures by their names,
follows links like every program, and compares the bytes that it reads with the digest; a link and a copy are
the same data set with the same digest. A hard link would outlive its source, but cannot be made across file
systems nor to files of other owners (`protected_hardlinks`), and making one changes the time of change that
the source's own memo of digests goes by.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from interpret_core.datasets.contents import read_content
from interpret_core.datasets.decoder import decode
from interpret_core.datasets.pictures import orientation_of, read_rgb
from interpret_core.errors import DatasetError

_JPEG = (".jpg", ".jpeg")
_QUALITY = 95  # with colours at full resolution


@dataclass(frozen=True)
class PictureFacts:
    """What a picture's file says.

    Attributes:
        size: (height, width) upright, as it is read.
        stored: (height, width) as stored.
        orientation: as EXIF numbers it; 1 is upright.
    """

    size: tuple[int, int]
    stored: tuple[int, int]
    orientation: int

    @property
    def unconfirmed(self) -> bool:
        """Whether it states an orientation that its sides do not show."""
        return self.orientation != 1 and self.size == self.stored


def facts_of(path: Path) -> PictureFacts:
    """Sizes and orientation; the picture is decoded (a JPEG at an eighth), so that damage shows now.

    Raises:
        DamagedFileError: missing, damaged, or larger than is read.
        DatasetError: the operating system does not hand it out.
    """
    content = read_content("image", path)

    def look(image: Image.Image) -> PictureFacts:
        stored = (image.height, image.width)
        early = orientation_of(image)  # Pillow turns a TIFF while it loads it, and forgets what it stated
        if image.format == "JPEG":
            image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
        image.load()
        orientation = early if image.format == "TIFF" else orientation_of(image)
        size = stored[::-1] if orientation in (5, 6, 7, 8) else stored
        return PictureFacts(size, stored, orientation)

    return decode("image", path, content, look)


@dataclass(frozen=True)
class Placed:
    """A picture below the new folder: the ending of its name, and its size (height, width)."""

    ending: str
    size: tuple[int, int]


def ending_for(path: Path, facts: PictureFacts, resize: int | None) -> str:
    """What is added to a picture's name: nothing, or what a smaller version in another format needs."""
    if not _shrinks(facts, resize) or path.suffix.lower() in (*_JPEG, ".png"):
        return ""
    return "%.png"  # no name of the source holds a bare percent sign any more, see `names`


def _shrinks(facts: PictureFacts, resize: int | None) -> bool:
    return resize is not None and min(facts.size) > resize


def put_picture(
    path: Path, facts: PictureFacts, part: Path, *, copy: bool, resize: int | None
) -> tuple[int, int]:
    """Make a picture's file under a name of its own, to be renamed.

    Args:
        path: the source's.
        facts: of it.
        part: file to make.
        copy: whether it becomes a copy, in place of a link.
        resize: pixels of the shorter side beyond which it is scaled down.

    Returns:
        (height, width) as the reader will see it.

    Raises:
        DamagedFileError: it cannot be decoded.
        DatasetError: it cannot be made.
    """
    try:
        if resize is not None and _shrinks(facts, resize):
            return _scaled(path, part, resize)
        if copy:
            shutil.copyfile(path, part)
        else:
            os.symlink(path.resolve(), part)  # noqa: PTH211 - as `shutil`'s, source first
    except OSError as error:
        raise DatasetError(
            f"{part.parent} cannot be written ({error.strerror or error}): free space there, choose another "
            "folder, or use --copy where links are not possible."
        ) from error
    return facts.size


def _scaled(path: Path, part: Path, resize: int) -> tuple[int, int]:
    image = Image.fromarray(read_rgb(path, None))
    factor = resize / min(image.size)
    width, height = (max(1, round(extent * factor)) for extent in image.size)
    smaller = image.resize((width, height), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    if path.suffix.lower() in _JPEG:
        smaller.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        smaller.save(buffer, "PNG")
    part.write_bytes(buffer.getvalue())
    return (height, width)
