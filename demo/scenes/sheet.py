"""A contact sheet: `python -m demo.scenes.sheet OUT.png [--seeds 6] [--first 0] [--classes cat,bus]`."""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image

from demo.scenes.casting import CLASSES
from demo.scenes.compose import compose
from demo.scenes.render import Renderer


def main() -> None:
    """Render a row of scenes for every class."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--classes", default=",".join(CLASSES))
    options = parser.parse_args()
    renderer, rows = Renderer(), []
    for name in options.classes.split(","):
        seeds = range(options.first, options.first + options.seeds)
        rows.append(np.concatenate([renderer.render(compose(name, seed))[0] for seed in seeds], 1))
    Image.fromarray(np.concatenate(rows)).save(options.out)


if __name__ == "__main__":
    main()
