"""Wheels, shared by everything that drives."""

from __future__ import annotations

import numpy as np

from demo.scenes.mesh import cylinder
from demo.scenes.texture import Texture
from demo.scenes.thing import Thing


def add_wheel(
    thing: Thing, place: tuple[float, float, float], width: float, tyre: Texture, rim: Texture
) -> None:
    """A wheel standing on the ground.

    Args:
        thing: what it belongs to, driving along x.
        place: x, y of its outer face, and its radius.
        width: how far it reaches inwards.
        tyre: textures.
        rim: textures.
    """
    x, y, radius = place
    out = np.sign(y)
    thing.add(
        "wheel", tyre, cylinder((x, y - out * width, radius), (x, y, radius), radius, sides=32, bevel=0.15)
    )
    disc = cylinder(
        (x, y - out * 0.02, radius), (x, y + out * 0.015, radius), radius * 0.6, sides=28, bevel=0.1
    )
    hub = cylinder((x, y, radius), (x, y + out * 0.05, radius), radius * 0.2, sides=16)
    thing.add("wheel", rim, [disc, hub])
