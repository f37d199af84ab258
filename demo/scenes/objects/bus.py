"""Buses: single and double deckers, coaches and minibuses; also used small, as toys."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, box, curve, cylinder, tube
from demo.scenes.objects.wheels import add_wheel
from demo.scenes.palette import bright
from demo.scenes.thing import Thing

SILL = 0.35
DOOR = 1.05


class Size(NamedTuple):
    """Length, width, height, radius of a wheel; metres."""

    length: float
    width: float
    height: float
    wheel: float


def bus(rng: np.random.Generator) -> Thing:
    """A bus, 5.5 to 11.5 m long, driving along +x, its doors on the −y side."""
    thing = Thing("bus", yaw=58, elevation=(4, 16))
    design = ("city", "city", "double", "coach", "mini")[rng.integers(5)]
    size = {
        "city": Size(rng.uniform(8.5, 11.5), 2.5, rng.uniform(2.9, 3.2), 0.5),
        "double": Size(rng.uniform(8.5, 10.5), 2.5, rng.uniform(4.1, 4.4), 0.5),
        "coach": Size(rng.uniform(9.5, 11.5), 2.5, rng.uniform(3.4, 3.7), 0.52),
        "mini": Size(rng.uniform(5.4, 6.6), 2.1, rng.uniform(2.5, 2.8), 0.4),
    }[design]
    low = texture.enamel(rng, bright(rng))
    high = texture.enamel(rng, bright(rng)) if rng.random() < 0.6 else texture.enamel(rng, (0.93, 0.93, 0.91))
    _body(rng, thing, size, low, high)
    doors = [size.length / 2 - 1.0]
    if design == "city" or rng.random() < 0.4:
        doors.append(float(rng.uniform(-0.6, 0.6)))
    _windows(rng, thing, design, size, doors)
    _doors(rng, thing, size, doors)
    _wheels(rng, thing, size)
    _ends(rng, thing, size)
    if rng.random() < 0.5:
        hatch = box(
            (size.length * 0.3, size.width * 0.6, 0.25),
            (-size.length * 0.15, 0, size.height + 0.1),
            radius=0.08,
        )
        thing.add("roof", high, hatch)
    return thing


def _body(
    rng: np.random.Generator, thing: Thing, size: Size, low: texture.Texture, high: texture.Texture
) -> None:
    tall = size.height - SILL
    hull = box((size.length, size.width, tall), (0, 0, SILL + tall / 2), radius=0.22)
    if rng.random() < 0.25:
        thing.add("body", low, hull)
    else:
        thing.add("body", high, hull)
        split = tall * rng.uniform(0.3, 0.42)
        skirt = (size.length + 0.02, size.width + 0.02, split)
        thing.add("body", low, box(skirt, (0, 0, SILL + split / 2), radius=0.2))
    if rng.random() < 0.5:
        stripe = (size.length - 0.3, size.width + 0.03, rng.uniform(0.08, 0.3))
        thing.add("body", texture.enamel(rng, bright(rng)), box(stripe, (0, 0, rng.uniform(0.85, 1.05))))


def _windows(rng: np.random.Generator, thing: Thing, design: str, size: Size, doors: list[float]) -> None:
    levels = {
        "city": [(1.25, 2.25)], "double": [(1.25, 2.1), (2.75, 3.75)],
        "coach": [(1.75, 2.95)], "mini": [(1.2, 1.95)],
    }[design]  # fmt: skip
    number = int(rng.integers(3, 5) if design == "mini" else rng.integers(5, 8))
    start, step = -size.length / 2 + 0.35, (size.length - 0.7) / number
    panes: list[Mesh] = []
    for level, (low, high) in enumerate(levels):
        high = min(high, size.height - 0.3)
        middle, tall = (low + high) / 2, high - low
        for side in (-1, 1):
            for i in range(number):
                x = start + step * (i + 0.5)
                blocked = any(abs(x - door) < (step + DOOR) / 2 * 0.97 for door in doors)
                if level == 0 and side < 0 and blocked:
                    continue
                panes.append(
                    box((step * 0.9, 0.03, tall), (x, side * (size.width / 2 + 0.01), middle), radius=0.014)
                )
        panes.append(box((0.03, size.width * 0.8, tall), (-size.length / 2 - 0.01, 0, middle), radius=0.014))
        deep = tall * (1.22 if level == 0 else 1.0)
        shield = (size.length / 2 + 0.01, 0, middle - (0.05 if level == 0 else 0))
        panes.append(box((0.03, size.width * 0.88, deep), shield, radius=0.014))
    thing.add("window", texture.glass(rng, (0.07, 0.10, 0.13)), panes)


def _doors(rng: np.random.Generator, thing: Thing, size: Size, doors: list[float]) -> None:
    tall = min(2.05, size.height - SILL - 0.35)
    out = -size.width / 2
    frames, panes, bars = [], [], []
    for x in doors:
        frames.append(box((DOOR, 0.035, tall), (x, out - 0.012, SILL + tall / 2 + 0.05), radius=0.014))
        for side in (-1, 1):
            pane = (x + side * DOOR * 0.24, out - 0.032, SILL + tall * 0.55)
            panes.append(box((DOOR * 0.38, 0.02, tall * 0.82), pane, radius=0.008))
            bar = x + side * 0.045
            bars.append(cylinder((bar, out - 0.07, SILL + 0.7), (bar, out - 0.07, SILL + 1.2), 0.022))
    thing.add("door", texture.enamel(rng, (0.22, 0.22, 0.24)), frames)
    thing.add("door", texture.glass(rng, (0.07, 0.10, 0.13)), panes)
    thing.add("handle", texture.metal(rng, (0.85, 0.80, 0.30)), bars)


def _wheels(rng: np.random.Generator, thing: Thing, size: Size) -> None:
    dark, tyre, rim = (
        texture.plastic(rng, (0.07, 0.07, 0.075)),
        texture.rubber(rng),
        texture.metal(rng, (0.6, 0.6, 0.62)),
    )
    for x in (-size.length * 0.27, size.length * 0.26):
        for side in (-1, 1):
            inner, outer = side * (size.width / 2 - 0.3), side * (size.width / 2 + 0.016)
            arch = cylinder(
                (x, inner, size.wheel + 0.02),
                (x, outer, size.wheel + 0.02),
                size.wheel * 1.2,
                sides=32,
                bevel=0.01,
            )
            thing.add("body", dark, arch)
            add_wheel(thing, (x, side * (size.width / 2 + 0.03), size.wheel), 0.3, tyre, rim)


def _ends(rng: np.random.Generator, thing: Thing, size: Size) -> None:
    """Bumpers, lights, destination sign, mirrors."""
    dark, nose, half = texture.plastic(rng, (0.07, 0.07, 0.075)), size.length / 2, size.width / 2
    thing.add(
        "bumper",
        dark,
        [box((0.14, size.width * 0.97, 0.3), (s * (nose + 0.02), 0, SILL + 0.1)) for s in (-1, 1)],
    )
    white = texture.frosted(rng, (0.98, 0.96, 0.85)).glowing(0.5)
    thing.add(
        "headlight",
        white,
        [box((0.05, 0.34, 0.2), (nose + 0.02, s * size.width * 0.36, SILL + 0.5)) for s in (-1, 1)],
    )
    red = texture.plastic(rng, (0.75, 0.05, 0.05)).glowing(0.2)
    thing.add(
        "taillight",
        red,
        [box((0.05, 0.16, 0.36), (-nose - 0.02, s * size.width * 0.42, SILL + 0.7)) for s in (-1, 1)],
    )
    sign = texture.plastic(rng, (0.95, 0.60, 0.10)).glowing(0.45)
    thing.add("sign", sign, box((0.05, size.width * 0.6, 0.24), (nose + 0.03, 0, size.height - 0.2)))
    mirrors = []
    for side in (-1, 1):
        out, high = side * (half + 0.2), min(2.0, size.height - 0.6)
        mirrors.append(box((0.1, 0.2, 0.42), (nose + 0.22, out, high)))
        arm = curve(
            (nose - 0.05, side * half * 0.95, high + 0.5),
            (nose + 0.2, side * half, high + 0.6),
            (nose + 0.25, out, high + 0.5),
            (nose + 0.22, out, high + 0.2),
        )
        mirrors.append(tube(arm, 0.025))
    thing.add("mirror", dark, mirrors)
