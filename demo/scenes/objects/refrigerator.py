"""Refrigerators: one door, freezer above or below, side by side, and rounded ones of the fifties."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, box, cylinder
from demo.scenes.palette import bright, varied
from demo.scenes.thing import Thing

PLAIN = ((0.92, 0.92, 0.91), (0.66, 0.67, 0.69), (0.14, 0.14, 0.15))
GAP = 0.012


def refrigerator(rng: np.random.Generator) -> Thing:
    """A refrigerator, 0.9 to 1.9 m tall, its doors towards −y."""
    thing = Thing("refrigerator", yaw=50, elevation=(3, 16))
    design = ("single", "above", "below", "pair", "retro")[rng.integers(5)]
    width = rng.uniform(0.85, 0.95) if design == "pair" else rng.uniform(0.56, 0.72)
    height = rng.uniform(0.9, 1.4) if design == "single" else rng.uniform(1.55, 1.9)
    depth, foot = rng.uniform(0.58, 0.68), 0.06
    plain = varied(rng, PLAIN[rng.integers(len(PLAIN))], 0.01)
    coat = texture.enamel(rng, plain if rng.random() < 0.45 and design != "retro" else bright(rng))
    radius = 0.07 if design == "retro" else 0.018
    tall = height - foot
    thing.add("body", coat, box((width, depth, tall), (0, 0, foot + tall / 2), radius=radius))
    thing.add(
        "base",
        texture.plastic(rng, (0.07, 0.07, 0.08)),
        box((width * 0.94, depth * 0.9, foot + 0.02), (0, 0, foot / 2)),
    )
    front = -depth / 2 - 0.025
    steel = texture.metal(rng, (0.62, 0.63, 0.65)) if rng.random() < 0.7 else texture.metal(rng)
    doors, handles = [], []
    for left, right, low, high, hinge in _doors(rng, design):
        size = ((right - left) * width - GAP, 0.055, (high - low) * tall - GAP)
        centre = np.array([((left + right) / 2 - 0.5) * width, front, foot + (low + high) / 2 * tall])
        doors.append(box(size, centre, radius=min(radius, 0.026)))
        handles += _handle(design, size, centre, hinge)
    thing.add("door", coat, doors)
    thing.add("handle", steel, handles)
    _extras(rng, thing, design, (width, tall, foot, front))
    return thing


def _doors(rng: np.random.Generator, design: str) -> list[tuple[float, float, float, float, int]]:
    """left, right, low, high as shares of the front, and the side of the hinge."""
    hinge = int(rng.choice([-1, 1]))
    split = {"above": rng.uniform(0.66, 0.74), "retro": rng.uniform(0.68, 0.76)}.get(
        design, rng.uniform(0.3, 0.4)
    )
    if design == "pair":
        middle = rng.choice([0.42, 0.5])
        if rng.random() < 0.5:
            return [(0, middle, 0, 1, -1), (middle, 1, 0, 1, 1)]
        return [(0, 0.5, split, 1, -1), (0.5, 1, split, 1, 1), (0, 1, 0, split, 0)]
    if design == "single":
        return [(0, 1, 0, 1, hinge)]
    return [(0, 1, 0, split, hinge), (0, 1, split, 1, hinge)]


def _handle(design: str, size: tuple[float, ...], centre: np.ndarray, hinge: int) -> list[Mesh]:
    width, _, height = size
    out = centre[1] - 0.07
    if hinge == 0:  # a drawer's bar
        z = centre[2] + height * 0.38
        ends = [(centre[0] - width * 0.35, out, z), (centre[0] + width * 0.35, out, z)]
    else:
        x = centre[0] - hinge * (width / 2 - 0.05)
        half = min(0.22, height * 0.33)
        middle = centre[2] + (-1 if centre[2] > 1.1 else 0.3) * (height / 2 - half - 0.06)
        ends = [(x, out, middle - half), (x, out, middle + half)]
    bar = cylinder(ends[0], ends[1], 0.02 if design == "retro" else 0.013)
    posts = [cylinder((end[0], centre[1], end[2]), end, 0.01) for end in ends]
    return [bar, *posts]


def _extras(
    rng: np.random.Generator, thing: Thing, design: str, size: tuple[float, float, float, float]
) -> None:
    """A dispenser, a badge, notes held by magnets."""
    width, tall, foot, front = size
    if design == "pair" and rng.random() < 0.5:
        place = (-width * 0.26, front - 0.03, foot + tall * 0.62)
        thing.add("display", texture.glass(rng, (0.04, 0.05, 0.06)), box((0.2, 0.02, 0.3), place))
    if design == "retro":
        thing.add(
            "badge",
            texture.metal(rng),
            box((0.16, 0.012, 0.035), (width * 0.12, front - 0.034, foot + tall * 0.84)),
        )
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.5 else 0):
        x, z = rng.uniform(-0.3, 0.3) * width, foot + tall * rng.uniform(0.5, 0.9)
        note = Thing("note")
        note.add(
            "",
            texture.paper(rng, bright(rng)),
            box(
                (rng.uniform(0.07, 0.15), 0.004, rng.uniform(0.07, 0.16)), (x, front - 0.032, z), radius=0.001
            ),
        )
        thing.hold(note)
