"""Where the camera stands so that a thing fills the picture as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from demo.scenes.mesh import Array
from demo.scenes.scene import Camera
from demo.scenes.thing import Thing

LOWEST = 0.12  # metres above the ground


def aim(
    rng: np.random.Generator,
    things: Sequence[Thing],
    elevation: tuple[float, float],
    azimuth: tuple[float, float] = (-28.0, 28.0),
    fill: tuple[float, float] = (0.66, 0.95),
) -> Camera:
    """A camera in front of some things.

    Args:
        rng: drawn from.
        things: what must be in the picture.
        elevation: ranges of angles in degrees; azimuth 0 is straight in front.
        azimuth: ranges of angles in degrees; azimuth 0 is straight in front.
        fill: range of the share of the picture's width or height that they take.
    """
    corners = np.concatenate([_corners(thing) for thing in things])
    centre = (corners.min(0) + corners.max(0)) / 2
    view = float(rng.uniform(30, 48))
    around, above = float(rng.uniform(*azimuth)), float(rng.uniform(*elevation))
    start = Camera.looking(centre, around - 90, above, 1.0, view)
    half = np.tan(np.radians(view / 2))
    offset, share = corners - centre, float(rng.uniform(*fill))
    extent = np.maximum(np.abs(offset @ start.right), np.abs(offset @ start.up))
    distance = float((extent / (share * half) - offset @ start.forward).max())
    shift = rng.uniform(-0.12, 0.12, 2) * distance * half
    camera = Camera.looking(
        centre + start.right * shift[0] + start.up * shift[1], around - 90, above, distance, view
    )
    if camera.position[2] < LOWEST:
        raised = camera.position + np.array([0, 0, LOWEST - camera.position[2]])
        camera = Camera(raised, camera.forward, camera.up, view)
    return camera


def _corners(thing: Thing) -> Array:
    low, high = thing.bounds(own=False)
    return np.array(list(product(*zip(low, high, strict=True))))
