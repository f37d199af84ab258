"""Cars: saloon, hatchback, estate, pick-up and a rounded little one; also used small, as toys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, ball, box, cylinder, loft, ring, tube
from demo.scenes.objects.wheels import add_wheel
from demo.scenes.palette import bright
from demo.scenes.thing import Thing


class Shape(NamedTuple):
    """Stations along x as shares of the length, front at +1.

    Attributes:
        hull: station, height of the bonnet line, width.
        cabin: station, height of the roof line (0 at the belt, 1 at the roof).
        doors: of each side. squareness: of the cross-sections.
    """

    hull: tuple[tuple[float, float, float], ...]
    cabin: tuple[tuple[float, float], ...]
    doors: int
    squareness: float


SHAPES = {
    "saloon": Shape(
        (
            (-1, 0.72, 0.86),
            (-0.96, 0.92, 0.95),
            (-0.6, 1.0, 1),
            (0.35, 1.0, 1),
            (0.8, 0.86, 0.98),
            (0.97, 0.72, 0.9),
            (1, 0.55, 0.84),
        ),
        ((-0.72, 0.02), (-0.5, 0.8), (-0.35, 0.98), (0.05, 1.0), (0.2, 0.85), (0.46, 0.02)),
        2,
        4.5,
    ),
    "hatchback": Shape(
        (
            (-1, 0.75, 0.88),
            (-0.96, 0.96, 0.96),
            (-0.6, 1.0, 1),
            (0.4, 1.0, 1),
            (0.82, 0.86, 0.97),
            (0.98, 0.7, 0.88),
            (1, 0.5, 0.82),
        ),
        ((-0.97, 0.02), (-0.84, 0.75), (-0.7, 0.98), (0.1, 1.0), (0.3, 0.8), (0.56, 0.02)),
        1,
        4.0,
    ),
    "estate": Shape(
        (
            (-1, 0.8, 0.9),
            (-0.97, 0.98, 0.97),
            (-0.6, 1.0, 1),
            (0.35, 1.0, 1),
            (0.85, 0.94, 0.98),
            (0.98, 0.8, 0.92),
            (1, 0.55, 0.86),
        ),
        ((-0.98, 0.02), (-0.94, 0.8), (-0.86, 0.98), (0.1, 1.0), (0.24, 0.86), (0.46, 0.02)),
        2,
        5.5,
    ),
    "pickup": Shape(
        (
            (-1, 0.85, 0.95),
            (-0.98, 0.98, 0.98),
            (-0.6, 1.0, 1),
            (0.35, 1.0, 1),
            (0.86, 0.98, 0.98),
            (0.98, 0.85, 0.94),
            (1, 0.5, 0.9),
        ),
        ((-0.22, 0.02), (-0.2, 0.8), (-0.14, 0.98), (0.15, 1.0), (0.26, 0.86), (0.44, 0.02)),
        1,
        6.0,
    ),
    "round": Shape(
        (
            (-1, 0.4, 0.72),
            (-0.92, 0.75, 0.9),
            (-0.6, 1.0, 0.99),
            (0.2, 1.0, 1),
            (0.7, 0.9, 0.98),
            (0.93, 0.65, 0.86),
            (1, 0.4, 0.72),
        ),
        ((-0.86, 0.02), (-0.6, 0.7), (-0.3, 0.97), (0.05, 1.0), (0.25, 0.8), (0.44, 0.02)),
        1,
        2.8,
    ),
}


class Size(NamedTuple):
    """Half the length and half the width, heights of sill, belt and roof, radius of a wheel; metres."""

    length: float
    width: float
    sill: float
    belt: float
    roof: float
    wheel: float


def car(rng: np.random.Generator) -> Thing:
    """A car, 3.4 to 4.8 m long, driving along +x."""
    name = tuple(SHAPES)[rng.integers(len(SHAPES))]
    shape = SHAPES[name]
    thing = Thing("car", yaw=60, elevation=(4, 18))
    length = {"saloon": 4.5, "hatchback": 3.8, "estate": 4.6, "pickup": 4.9, "round": 3.5}[
        name
    ] * rng.uniform(0.95, 1.05)
    belt = {"pickup": 1.0, "estate": 0.95}.get(name, 0.86) * rng.uniform(0.97, 1.05)
    roof = belt + {"pickup": 0.66, "estate": 0.66, "round": 0.6}.get(name, 0.52) * rng.uniform(0.95, 1.08)
    size = Size(length / 2, rng.uniform(0.82, 0.9), 0.24, belt, roof, rng.uniform(0.3, 0.35))
    paint = texture.enamel(rng, bright(rng))
    _hull(thing, shape, size, paint)
    _cabin(rng, thing, shape, size, paint)
    _sides(rng, thing, shape, size, paint)
    _ends(rng, thing, size)
    tyre, rim, dark = (
        texture.rubber(rng),
        texture.metal(rng, (0.62, 0.62, 0.64)),
        texture.plastic(rng, (0.06, 0.06, 0.065)),
    )
    for x in (-0.62 * size.length, 0.63 * size.length):
        for side in (-1, 1):
            arch = cylinder(
                (x, side * size.width * 0.6, size.wheel + 0.02),
                (x, side * (size.width + 0.004), size.wheel + 0.02),
                size.wheel * 1.18,
                sides=32,
                bevel=0.02,
            )
            thing.add("body", dark, arch)
            add_wheel(thing, (x, side * (size.width + 0.015), size.wheel), 0.2, tyre, rim)
    if name == "pickup":
        bed = box(
            (size.length * 0.72, size.width * 1.7, 0.06),
            (-size.length * 0.6, 0, size.belt - 0.005),
            radius=0.01,
        )
        thing.add("body", dark, bed)
    return thing


def _hull(thing: Thing, shape: Shape, size: Size, paint: texture.Texture) -> None:
    rings = []
    for station, height, width in shape.hull:
        half = size.width * width
        top = size.sill + (size.belt - size.sill) * height
        rings.append(ring(station * size.length, (half, half * 0.95), size.sill, top, shape.squareness))
    thing.add("body", paint, loft(_resampled(rings, 24)))


def _cabin(rng: np.random.Generator, thing: Thing, shape: Shape, size: Size, paint: texture.Texture) -> None:
    """Glass all round, a roof and pillars over it."""
    tall, half = size.roof - size.belt, size.width * 0.9
    station = np.array([s for s, _ in shape.cabin]) * size.length
    height = np.array([h for _, h in shape.cabin])
    along = np.linspace(station[0], station[-1], 30)
    top = np.interp(along, station, height)
    glass = [
        ring(x, (half, half * (1 - 0.22 * h)), size.belt - 0.06, size.belt + max(h, 0.02) * tall, 5)
        for x, h in zip(along, top, strict=True)
    ]
    thing.add("window", texture.glass(rng, (0.07, 0.10, 0.13)), loft(np.array(glass)))
    flat = along[top > 0.86]
    roof = [ring(x, (half * 0.82, half * 0.76), size.roof - 0.075, size.roof + 0.012, 4) for x in flat]
    thing.add("roof", paint, loft(np.array(roof)))
    ends = ((station[0], flat[0]), (station[-1], flat[-1]))
    middle: Iterable[float] = np.linspace(flat[0], flat[-1], shape.doors + 2)[1:-1] if shape.doors > 1 else []
    posts = []
    for side in (-1, 1):
        posts += [_pillar(size, side, (x, x), (1.01, 0.92, 0.03, 0.05, 0.035)) for x in middle]
        posts += [_pillar(size, side, pair, (0.97, 0.9, 0.035, 0.03, 0.036)) for pair in ends]
    thing.add("body", paint, posts)


def _pillar(size: Size, side: int, along: tuple[float, float], shape: tuple[float, ...]) -> Mesh:
    """A roof pillar from the belt (x = along[0]) to the roof (x = along[1]).

    Args:
        size: of the car.
        side: −1 or 1.
        along: x of foot and head.
        shape: half width at the foot and at the middle (1 is the cabin's), how far below the roof and the
            belt it ends, radius.
    """
    low, middle, under, below, radius = shape
    half, tall = size.width * 0.9, size.roof - size.belt
    foot = (along[0], side * half * low, size.belt - below)
    centre = ((along[0] + along[1]) / 2, side * half * middle, size.belt + tall * 0.5)
    head = (along[1], side * half * 0.79, size.roof - under)
    return tube([foot, centre, head], radius, 8)


def _sides(rng: np.random.Generator, thing: Thing, shape: Shape, size: Size, paint: texture.Texture) -> None:
    """Doors, handles and mirrors."""
    chrome, front = texture.metal(rng, (0.75, 0.75, 0.77)), 0.36 * size.length
    long = 0.52 * size.length if shape.doors == 1 else 0.43 * size.length
    tall = size.belt - size.sill - 0.16
    for side in (-1, 1):
        doors, handles = [], []
        for number in range(shape.doors):
            x = front - long * (number + 0.5)
            doors.append(
                box(
                    (long - 0.018, 0.03, tall),
                    (x, side * (size.width * 0.985), size.sill + 0.1 + tall / 2),
                    radius=0.012,
                )
            )
            handles.append(
                box((0.16, 0.03, 0.03), (x - long * 0.3, side * (size.width + 0.012), size.belt - 0.16))
            )
        thing.add("door", paint, doors)
        thing.add("handle", chrome, handles)
    mirrors = [
        ball((0.07, 0.09, 0.065), (front + 0.04, side * (size.width + 0.1), size.belt + 0.05), rings=14)
        for side in (-1, 1)
    ]
    thing.add("mirror", paint, mirrors)


def _ends(rng: np.random.Generator, thing: Thing, size: Size) -> None:
    """Bumpers, lights, grille and number plates."""
    trim = (
        texture.plastic(rng, (0.09, 0.09, 0.10))
        if rng.random() < 0.6
        else texture.metal(rng, (0.7, 0.7, 0.72))
    )
    nose, wide = size.length, size.width
    thing.add(
        "bumper",
        trim,
        [
            box((0.14, wide * 1.75, 0.15), (s * (nose - 0.02), 0, size.sill + 0.12), radius=0.05)
            for s in (-1, 1)
        ],
    )
    low = size.sill + (size.belt - size.sill) * 0.56
    lamp = texture.frosted(rng, (0.98, 0.96, 0.85)).glowing(0.4)
    if rng.random() < 0.5:
        lights = [ball((0.07, 0.1, 0.1), (nose - 0.05, s * wide * 0.62, low), rings=16) for s in (-1, 1)]
    else:
        lights = [box((0.14, 0.34, 0.13), (nose - 0.06, s * wide * 0.6, low), radius=0.04) for s in (-1, 1)]
    thing.add("headlight", lamp, lights)
    red = texture.plastic(rng, (0.75, 0.05, 0.05)).glowing(0.2)
    thing.add(
        "taillight",
        red,
        [box((0.1, 0.24, 0.15), (-nose + 0.05, s * wide * 0.66, low + 0.06), radius=0.03) for s in (-1, 1)],
    )
    thing.add(
        "grille",
        texture.metal(rng, (0.14, 0.14, 0.15)),
        box((0.08, wide * 0.7, 0.15), (nose - 0.05, 0, low - 0.02)),
    )
    plate = texture.paint(rng, (0.93, 0.92, 0.86))
    thing.add(
        "plate",
        plate,
        [box((0.03, 0.5, 0.11), (s * (nose + 0.055), 0, size.sill + 0.13), radius=0.004) for s in (-1, 1)],
    )


def _resampled(rings: list[np.ndarray], number: int) -> np.ndarray:
    """More rings between the given ones, on smooth lines."""
    place = np.array([r[0, 0] for r in rings])
    wanted = np.unique(np.concatenate([np.linspace(place[0], place[-1], number), place]))
    stacked = np.stack(rings).reshape(len(rings), -1)
    return np.stack([np.interp(wanted, place, column) for column in stacked.T], 1).reshape(len(wanted), -1, 3)
