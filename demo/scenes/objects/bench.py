"""Benches: slats on metal, stone or wood, with or without back and armrests."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, box, turn
from demo.scenes.palette import bright
from demo.scenes.thing import Thing


def bench(rng: np.random.Generator) -> Thing:
    """A bench, 1.3 to 2 m wide."""
    thing = Thing("bench", yaw=55, elevation=(6, 22))
    width, depth, height = rng.uniform(1.3, 2.0), rng.uniform(0.42, 0.55), rng.uniform(0.42, 0.48)
    slats = texture.wood(rng) if rng.random() < 0.6 else texture.painted_wood(rng, bright(rng))
    design = ("iron", "stone", "wood")[rng.integers(3)]
    frame = {"iron": texture.metal, "stone": texture.concrete}.get(design, lambda _rng: slats)(rng)
    number = int(rng.integers(3, 6))
    step = depth / number
    thing.add(
        "seat",
        slats,
        [box((width, step * 0.82, 0.04), (0, -depth / 2 + step * (i + 0.5), height)) for i in range(number)],
    )
    backed = rng.random() < 0.82
    rise = rng.uniform(0.38, 0.5)
    lean = turn("x", -rng.uniform(8, 18))
    if backed:
        boards = int(rng.integers(2, 5))
        start = np.array([0, depth / 2 + 0.02, height + 0.07])
        size = (width, 0.03, rise / boards * 0.8)
        up = [start + lean @ [0, 0, rise * (i + 0.5) / boards] for i in range(boards)]
        thing.add("backrest", slats, [box(size, place, lean) for place in up])
    legs: list[Mesh] = []
    for side in (-1, 1):
        x = side * (width / 2 - 0.16)
        legs += _legs(design, x, depth, height)
        if backed:
            foot = np.array([x, depth / 2 + 0.045, height - 0.02])
            legs.append(box((0.04, 0.03, rise + 0.12), foot + lean @ [0, 0, (rise + 0.1) / 2], lean))
    thing.add("leg", frame, legs)
    if rng.random() < 0.6:
        thing.add("armrest", slats if design == "stone" else frame, _armrests(width, depth, height))
    return thing


def _legs(design: str, x: float, depth: float, height: float) -> list[Mesh]:
    if design == "stone":
        return [box((0.16, depth * 0.9, height - 0.02), (x, 0, (height - 0.02) / 2))]
    thick = 0.035 if design == "iron" else 0.07
    legs = [
        box((thick, thick, height), (x, -depth / 2 + 0.06, height / 2)),
        box((thick, thick, height), (x, depth / 2 - 0.06, height / 2)),
        box((thick, depth - 0.05, thick), (x, 0, height - 0.04)),
    ]
    if design == "iron":
        legs.append(box((thick, depth + 0.08, thick), (x, 0, 0.02)))
    return legs


def _armrests(width: float, depth: float, height: float) -> list[Mesh]:
    rests = []
    for side in (-1, 1):
        x = side * (width / 2 - 0.05)
        rests += [
            box((0.06, depth + 0.02, 0.035), (x, 0, height + 0.24)),
            box((0.035, 0.035, 0.24), (x, -depth / 2 + 0.05, height + 0.12)),
            box((0.035, 0.035, 0.24), (x, depth / 2 - 0.02, height + 0.12)),
        ]
    return rests
