"""A look at single things, a row each: `python -m demo.scenes.studio OUT.png module:function …`."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from demo.scenes.camera import aim
from demo.scenes.mesh import plane
from demo.scenes.render import Renderer
from demo.scenes.scene import Light, Scene
from demo.scenes.sky import sky
from demo.scenes.texture import concrete
from demo.scenes.thing import Piece, Thing


def shot(make: Callable[[np.random.Generator], Thing], seed: int) -> Scene:
    """One thing on bare ground."""
    rng = np.random.default_rng(seed)
    thing = make(rng)
    stood = thing.placed(yaw=float(rng.uniform(-1, 1)) * thing.yaw)
    floor = Piece("floor", "", concrete(rng), plane(160, 160))
    light = Light(7000, 80000, 235, 50, (1.0, 0.95, 0.88), 0.03, -0.4)
    pieces = (sky(rng, "hazy"), floor, *stood.pieces)
    return Scene("studio", thing.name, pieces, light, aim(rng, [stood], thing.elevation))


def main() -> None:
    """Render the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("makers", nargs="+", help="module:function, modules below demo.scenes")
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    renderer, rows = Renderer(), []
    for name in options.makers:
        module, _, function = name.partition(":")
        make = getattr(importlib.import_module(f"demo.scenes.{module}"), function)
        pictures = [renderer.render(shot(make, seed))[0] for seed in range(options.seeds)]
        rows.append(np.concatenate(pictures, 1))
    Image.fromarray(np.concatenate(rows)).save(options.out)


if __name__ == "__main__":
    main()
