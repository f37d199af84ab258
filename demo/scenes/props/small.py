"""Small things that stand on tables, floors and shelves."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import ball, box, curve, cylinder, lathe, tube, turn
from demo.scenes.palette import bright
from demo.scenes.thing import Thing


def _ware(rng: np.random.Generator) -> texture.Texture:
    kind = rng.random()
    if kind < 0.6:
        return texture.ceramic(rng, bright(rng))
    return texture.banded_ceramic(rng, bright(rng), bright(rng)) if kind < 0.8 else texture.wood(rng)


def bowl(rng: np.random.Generator) -> Thing:
    """A bowl, often with fruit."""
    thing = Thing("bowl")
    radius = rng.uniform(0.1, 0.16)
    height = radius * 0.6
    outside = [[radius * 0.45, 0], [radius * 0.85, height * 0.5], [radius, height]]
    inside = [[radius * 0.94, height], [radius * 0.78, height * 0.5], [radius * 0.3, height * 0.15]]
    thing.add("", _ware(rng), lathe(outside + inside, 36, closed=False))
    if rng.random() < 0.7:
        thing.hold(fruit(rng, radius * 0.5).placed((0, 0, height * 0.45)))
    return thing


def fruit(rng: np.random.Generator, spread: float = 0.07) -> Thing:
    """Apples, oranges, lemons or bananas."""
    thing = Thing("fruit")
    kinds = ((0.75, 0.10, 0.08), (0.93, 0.50, 0.06), (0.93, 0.80, 0.14), (0.45, 0.62, 0.14))
    for _ in range(int(rng.integers(3, 7))):
        place = (rng.normal() * spread * 0.7, rng.normal() * spread * 0.5, 0.038)
        skin = texture.fruit(rng, kinds[rng.integers(len(kinds))])
        thing.add("", skin, ball((0.038, 0.038, 0.035), place, rings=16))
    if rng.random() < 0.4:
        bent = curve((-0.09, 0, 0.05), (-0.05, 0.02, 0.11), (0.05, 0.02, 0.11), (0.09, 0, 0.06))
        thing.add(
            "", texture.fruit(rng, kinds[2]), tube(bent, np.sin(np.linspace(0.25, np.pi - 0.25, 14)) * 0.02)
        )
    return thing


def plate(rng: np.random.Generator) -> Thing:
    """A plate, some with food."""
    thing = Thing("plate")
    radius = rng.uniform(0.1, 0.14)
    thing.add(
        "",
        _ware(rng),
        lathe(
            [
                [radius * 0.6, 0],
                [radius, 0.016],
                [radius * 0.98, 0.02],
                [radius * 0.65, 0.008],
                [0.001, 0.008],
            ],
            36,
            closed=False,
        ),
    )
    if rng.random() < 0.5:
        thing.hold(fruit(rng, radius * 0.4).placed((0, 0, 0.005)))
    return thing


def cup(rng: np.random.Generator) -> Thing:
    """A cup or mug."""
    thing = Thing("cup")
    radius, height, ware = rng.uniform(0.035, 0.045), rng.uniform(0.07, 0.1), _ware(rng)
    outside = [
        [radius * 0.8, 0],
        [radius, height * 0.4],
        [radius, height],
        [radius * 0.9, height],
        [radius * 0.85, height * 0.2],
    ]
    thing.add("body", ware, lathe(outside, 30, closed=False))
    grip = curve(
        (radius * 0.95, 0, height * 0.8),
        (radius * 2.1, 0, height * 0.85),
        (radius * 2.0, 0, height * 0.2),
        (radius * 0.95, 0, height * 0.25),
    )
    thing.add("handle", ware, tube(grip, 0.007))
    return thing


def teapot(rng: np.random.Generator) -> Thing:
    """A teapot or kettle."""
    thing = Thing("teapot")
    ware = _ware(rng) if rng.random() < 0.6 else texture.metal(rng)
    thing.add("body", ware, ball((0.095, 0.095, 0.08), (0, 0, 0.08), rings=24))
    thing.add(
        "lid", ware, [lathe([[0.045, 0.145], [0.03, 0.165]], 24), ball((0.013,) * 3, (0, 0, 0.175), rings=10)]
    )
    thing.add(
        "spout",
        ware,
        tube(
            curve((0.08, 0, 0.07), (0.14, 0, 0.07), (0.13, 0, 0.14), (0.165, 0, 0.155)),
            np.linspace(0.022, 0.012, 14),
        ),
    )
    thing.add(
        "handle",
        ware,
        tube(curve((-0.08, 0, 0.13), (-0.17, 0, 0.15), (-0.17, 0, 0.03), (-0.085, 0, 0.045)), 0.009),
    )
    return thing


def carton(rng: np.random.Generator) -> Thing:
    """A cardboard box, open or shut."""
    thing = Thing("box")
    board = texture.paper(rng, (0.66, 0.50, 0.33)) if rng.random() < 0.6 else texture.paper(rng, bright(rng))
    wide, deep, tall = rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.4), rng.uniform(0.15, 0.4)
    thing.add("body", board, box((wide, deep, tall), (0, 0, tall / 2), radius=0.008))
    if rng.random() < 0.5:
        flaps = [
            box(
                (wide, deep * 0.4, 0.006),
                (0, s * (deep / 2 + deep * 0.15), tall + deep * 0.1),
                turn("x", s * 35),
            )
            for s in (-1, 1)
        ]
        thing.add("lid", board, flaps)
    else:
        thing.add(
            "tape",
            texture.plastic(rng, (0.78, 0.70, 0.52)),
            box((0.05, deep + 0.006, tall + 0.004), (0, 0, tall / 2)),
        )
    return thing


def basket(rng: np.random.Generator) -> Thing:
    """A basket with a handle."""
    thing = Thing("basket")
    weave, radius = texture.wicker(rng), rng.uniform(0.13, 0.2)
    thing.add(
        "body",
        weave,
        lathe(
            [
                [radius * 0.8, 0],
                [radius, radius],
                [radius * 0.95, radius],
                [radius * 0.75, 0.03],
                [0.001, 0.03],
            ],
            32,
            closed=False,
        ),
    )
    if rng.random() < 0.6:
        arch = curve(
            (-radius * 0.97, 0, radius),
            (-radius * 0.8, 0, radius * 2.4),
            (radius * 0.8, 0, radius * 2.4),
            (radius * 0.97, 0, radius),
        )
        thing.add("handle", weave, tube(arch, 0.013))
    if rng.random() < 0.5:
        thing.hold(fruit(rng, radius * 0.5).placed((0, 0, radius * 0.75)))
    return thing


def suitcase(rng: np.random.Generator) -> Thing:
    """A suitcase, standing."""
    thing = Thing("suitcase")
    shell = texture.leather(rng, bright(rng)) if rng.random() < 0.5 else texture.plastic(rng, bright(rng))
    wide, tall = rng.uniform(0.45, 0.65), rng.uniform(0.4, 0.65)
    thing.add("body", shell, box((wide, 0.22, tall), (0, 0, tall / 2 + 0.03), radius=0.05))
    grip = curve(
        (-0.07, 0, tall + 0.02), (-0.07, 0, tall + 0.09), (0.07, 0, tall + 0.09), (0.07, 0, tall + 0.02)
    )
    thing.add("handle", texture.plastic(rng, (0.08, 0.08, 0.09)), tube(grip, 0.011))
    straps = [
        box((0.035, 0.226, tall + 0.004), (x * wide * 0.28, 0, tall / 2 + 0.03), radius=0.05) for x in (-1, 1)
    ]
    thing.add("strap", texture.leather(rng, bright(rng)), straps)
    thing.add(
        "wheel",
        texture.rubber(rng),
        [cylinder((x * wide * 0.35, -0.05, 0.025), (x * wide * 0.35, 0.05, 0.025), 0.025) for x in (-1, 1)],
    )
    return thing


def blocks(rng: np.random.Generator) -> Thing:
    """Toy building blocks."""
    thing = Thing("toy block")
    for _ in range(int(rng.integers(4, 8))):
        coat = texture.painted_wood(rng, bright(rng))
        place = (rng.normal() * 0.13, rng.normal() * 0.1, 0.036 + 0.072 * int(rng.integers(2)) * 0)
        thing.add("", coat, box((0.07, 0.07, 0.07), place, turn("z", rng.uniform(0, 90))))
    return thing
