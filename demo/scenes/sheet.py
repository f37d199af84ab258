"""A contact sheet: a row of pictures for each class.

    python -m demo.scenes.sheet docs/demo_scenes.jpg --dataset demo/dataset --side 112
    python -m demo.scenes.sheet OUT.png --first 0 --classes cat,bus

The first takes shipped pictures and needs no renderer; the second renders scenes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from demo.scenes.casting import CLASSES

MARGIN = 96  # pixels at the left, for the names
QUALITY = 85


def rendered(name: str, number: int, first: int) -> list[Image.Image]:
    """The scenes of consecutive seeds."""
    from demo.scenes.compose import compose
    from demo.scenes.render import Renderer

    renderer = Renderer()
    seeds = range(first, first + number)
    return [Image.fromarray(renderer.render(compose(name, seed))[0]) for seed in seeds]


def shipped(name: str, number: int, root: Path) -> list[Image.Image]:
    """Pictures of a class in a data set, spread evenly over all it has."""
    files = sorted((root / "images" / name).glob("*.jpg"))
    places = np.arange(min(number, len(files))) * len(files) // min(number, len(files))
    return [Image.open(files[place]).convert("RGB") for place in places]


def sheet(rows: dict[str, list[Image.Image]], side: int) -> NDArray[np.uint8]:
    """(rows·side, margin + columns·side, 3) uint8: the name of each row, then its pictures."""
    columns = max(len(pictures) for pictures in rows.values())
    whole = Image.new("RGB", (MARGIN + columns * side, len(rows) * side), "white")
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    for row, (name, pictures) in enumerate(rows.items()):
        pen.text((MARGIN - 8, (row + 0.5) * side), name, "black", font, anchor="rm")
        for column, picture in enumerate(pictures):
            small = picture.resize((side, side), Image.Resampling.BOX)
            whole.paste(small, (MARGIN + column * side, row * side))
    return np.asarray(whole)


def main() -> None:
    """Make the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--dataset", type=Path, help="take its pictures, render nothing")
    parser.add_argument("--number", type=int, default=8, help="pictures of each class")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one rendered")
    parser.add_argument("--side", type=int, default=224, help="of a picture on the sheet, in pixels")
    parser.add_argument("--classes", default=",".join(sorted(CLASSES)))
    options = parser.parse_args()
    rows = {
        name: shipped(name, options.number, options.dataset)
        if options.dataset
        else rendered(name, options.number, options.first)
        for name in options.classes.split(",")
    }
    whole = Image.fromarray(sheet(rows, options.side))
    if options.out.suffix == ".jpg":
        whole.save(options.out, quality=QUALITY, optimize=True)
    else:
        whole.save(options.out)


if __name__ == "__main__":
    main()
