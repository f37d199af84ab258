"""A setting with room in its middle, and the book-keeping that keeps things from standing in each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from demo.scenes.mesh import ORIGIN
from demo.scenes.scene import Light
from demo.scenes.thing import Piece, Thing


@dataclass
class Stage:
    """A setting without its target.

    Attributes:
        name: of the setting.
        pieces: the first is the sky.
        light: of the scene.
        spot: (x, y, z) where the target stands.
        wall: y of the wall behind, None out of doors.
        reach: how far things may stand from the spot to the left, right, behind and in front.
        azimuth: from where the camera may look, degrees.
        taken: rectangles on the ground that are occupied: low x, low y, high x, high y.
    """

    name: str
    pieces: list[Piece]
    light: Light
    spot: tuple[float, float, float] = ORIGIN
    wall: float | None = None
    reach: tuple[float, float, float, float] = (5.0, 5.0, 6.0, 2.0)
    azimuth: tuple[float, float] = (-28.0, 28.0)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    @property
    def indoors(self) -> bool:
        """Whether there is a wall behind."""
        return self.wall is not None

    def put(self, thing: Thing, position: ArrayLike = ORIGIN, yaw: float = 0.0) -> Thing:
        """Stand a thing somewhere, whatever is there."""
        stood = thing.placed(position, yaw)
        self.pieces.extend(stood.pieces)
        return stood

    def try_put(self, thing: Thing, position: ArrayLike, yaw: float = 0.0, gap: float = 0.05) -> Thing | None:
        """Stand a thing on free ground; None where it would touch another or the wall."""
        stood = thing.placed(position, yaw)
        low, high = stood.bounds(own=False)
        if self.wall is not None and high[1] > self.wall - 0.01:
            return None
        area = (low[0] - gap, low[1] - gap, high[0] + gap, high[1] + gap)
        if any(_overlap(area, other) for other in self.taken):
            return None
        self.taken.append(area)
        self.pieces.extend(stood.pieces)
        return stood

    def claim(self, thing: Thing) -> None:
        """Keep the ground under a thing that stands already."""
        low, high = thing.bounds(own=False)
        self.taken.append((low[0], low[1], high[0], high[1]))


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def daylight(rng: np.random.Generator, kind: str) -> Light:
    """Light out of doors, by the weather."""
    sun = {"overcast": (25000, 45000), "dusk": (55000, 90000)}.get(kind, (75000, 120000))
    ambient = {"overcast": (7500, 10000), "dusk": (4500, 6500)}.get(kind, (5000, 8500))
    colour = (
        (1.0, 0.80, 0.60)
        if kind == "dusk"
        else (1.0, float(rng.uniform(0.92, 1)), float(rng.uniform(0.84, 0.98)))
    )
    height = (14, 30) if kind == "dusk" else (25, 65)
    return Light(
        float(rng.uniform(*ambient)),
        float(rng.uniform(*sun)),
        float(rng.uniform(200, 340)),
        float(rng.uniform(*height)),
        colour,
        0.02,
        float(rng.uniform(-0.7, -0.2)),
    )


def roomlight(rng: np.random.Generator) -> Light:
    """Light in a room: it comes from the open front."""
    return Light(
        float(rng.uniform(5500, 9000)),
        float(rng.uniform(32000, 72000)),
        float(rng.uniform(215, 325)),
        float(rng.uniform(35, 65)),
        (1.0, float(rng.uniform(0.90, 0.99)), float(rng.uniform(0.76, 0.96))),
        0.06,
        float(rng.uniform(-0.75, -0.2)),
    )
