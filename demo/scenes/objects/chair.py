"""Chairs: dining, upholstered, office, stool with a back, folding garden, rattan."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, box, curve, cylinder, lathe, tube, turn
from demo.scenes.palette import bright
from demo.scenes.thing import Thing


def chair(rng: np.random.Generator) -> Thing:
    """A chair, about 45 cm to the seat."""
    thing = Thing("chair", yaw=70, elevation=(6, 26))
    (_dining, _dining, _armchair, _office, _folding, _shell)[rng.integers(6)](rng, thing)
    return thing


def _hard(rng: np.random.Generator) -> texture.Texture:
    kind = rng.random()
    if kind < 0.5:
        return texture.wood(rng)
    return texture.painted_wood(rng, bright(rng)) if kind < 0.8 else texture.enamel(rng, bright(rng))


def _soft(rng: np.random.Generator) -> texture.Texture:
    return texture.fabric(rng, bright(rng)) if rng.random() < 0.7 else texture.leather(rng, bright(rng))


def _four_legs(width: float, depth: float, height: float, thick: float, splay: float = 0.0) -> list[Mesh]:
    return [
        cylinder(
            (x * (width / 2 - thick + splay), y * (depth / 2 - thick + splay), 0),
            (x * (width / 2 - thick), y * (depth / 2 - thick), height),
            thick * 0.75,
            thick,
        )
        for x in (-1, 1)
        for y in (-1, 1)
    ]


def _dining(rng: np.random.Generator, thing: Thing) -> None:
    width, depth, seat, back = (
        rng.uniform(0.4, 0.48),
        rng.uniform(0.4, 0.46),
        rng.uniform(0.43, 0.48),
        rng.uniform(0.4, 0.58),
    )
    frame = _hard(rng)
    thing.add("leg", frame, _four_legs(width, depth, seat, 0.022, rng.uniform(0, 0.05)))
    padded = rng.random() < 0.4
    thing.add(
        "seat",
        _soft(rng) if padded else frame,
        box((width, depth, 0.06 if padded else 0.032), (0, 0, seat), radius=0.02 if padded else 0.01),
    )
    lean = turn("x", -rng.uniform(4, 12))
    foot = np.array([0, depth / 2 - 0.02, seat])
    posts = [
        box((0.034, 0.03, back), foot + [x * (width / 2 - 0.02), 0, 0] + lean @ [0, 0, back / 2], lean)
        for x in (-1, 1)
    ]
    style = rng.integers(3)
    if style == 0:
        rails = [
            box((width - 0.03, 0.02, 0.06), foot + lean @ [0, 0, back * z], lean)
            for z in np.linspace(0.35, 0.94, int(rng.integers(2, 5)))
        ]
    elif style == 1:
        rails = [
            box((0.018, 0.018, back * 0.8), foot + [x, 0, 0] + lean @ [0, 0, back * 0.5], lean)
            for x in np.linspace(-width / 2 + 0.06, width / 2 - 0.06, 5)
        ]
        rails.append(box((width, 0.03, 0.06), foot + lean @ [0, 0, back * 0.95], lean))
    else:
        rails = [box((width - 0.02, 0.024, back * 0.62), foot + lean @ [0, 0, back * 0.66], lean, 0.011)]
    thing.add("backrest", frame, posts + rails)


def _armchair(rng: np.random.Generator, thing: Thing) -> None:
    width, depth, seat = rng.uniform(0.72, 0.9), rng.uniform(0.7, 0.82), rng.uniform(0.38, 0.44)
    cover = _soft(rng)
    thing.add(
        "seat",
        cover,
        [
            box((width - 0.22, depth - 0.12, 0.16), (0, -0.05, seat - 0.06), radius=0.05),
            box((width, depth, 0.2), (0, 0, seat - 0.2), radius=0.03),
        ],
    )
    lean = turn("x", -10)
    back = rng.uniform(0.45, 0.65)
    thing.add(
        "backrest",
        cover,
        box((width, 0.18, back), np.array([0, depth / 2 - 0.1, seat]) + lean @ [0, 0, back / 2], lean, 0.07),
    )
    thing.add(
        "armrest",
        cover,
        [
            box((0.13, depth, 0.26), (x * (width / 2 - 0.05), -0.01, seat + 0.02), radius=0.05)
            for x in (-1, 1)
        ],
    )
    thing.add("leg", texture.wood(rng), _four_legs(width * 0.9, depth * 0.9, seat - 0.28, 0.028))


def _office(rng: np.random.Generator, thing: Thing) -> None:
    seat, cover = rng.uniform(0.46, 0.54), _soft(rng)
    dark = texture.plastic(rng, (0.08, 0.08, 0.09)) if rng.random() < 0.6 else texture.metal(rng)
    thing.add("seat", cover, box((0.5, 0.48, 0.09), (0, 0, seat), radius=0.035))
    lean = turn("x", -rng.uniform(6, 14))
    thing.add(
        "backrest",
        cover,
        box((0.46, 0.08, 0.5), np.array([0, 0.24, seat + 0.12]) + lean @ [0, 0, 0.28], lean, 0.035),
    )
    spokes = [
        cylinder((0, 0, 0.09), (0.31 * np.cos(a), 0.31 * np.sin(a), 0.07), 0.024, 0.016)
        for a in np.arange(5) * 2 * np.pi / 5 + 0.3
    ]
    thing.add("leg", dark, [cylinder((0, 0, 0.08), (0, 0, seat - 0.04), 0.028), *spokes])
    casters = [
        cylinder(
            (0.31 * np.cos(a) - 0.012, 0.31 * np.sin(a), 0.03),
            (0.31 * np.cos(a) + 0.012, 0.31 * np.sin(a), 0.03),
            0.03,
        )
        for a in np.arange(5) * 2 * np.pi / 5 + 0.3
    ]
    thing.add("wheel", texture.rubber(rng), casters)
    thing.add("backrest", dark, box((0.06, 0.03, 0.3), (0, 0.27, seat + 0.05)))
    if rng.random() < 0.7:
        thing.add(
            "armrest",
            dark,
            [
                part
                for x in (-1, 1)
                for part in (
                    box((0.06, 0.26, 0.03), (x * 0.28, 0.0, seat + 0.2)),
                    box((0.03, 0.05, 0.2), (x * 0.28, 0.03, seat + 0.1)),
                )
            ],
        )


def _folding(rng: np.random.Generator, thing: Thing) -> None:
    width, seat = rng.uniform(0.4, 0.46), 0.44
    slats, frame = _hard(rng), texture.metal(rng) if rng.random() < 0.5 else _hard(rng)
    thing.add("seat", slats, [box((width, 0.05, 0.018), (0, y, seat)) for y in np.linspace(-0.19, 0.19, 6)])
    legs = []
    for x in (-1, 1):
        legs.append(cylinder((x * width / 2, -0.24, 0), (x * width / 2, 0.25, 0.86), 0.014))
        legs.append(cylinder((x * (width / 2 - 0.03), 0.26, 0), (x * (width / 2 - 0.03), -0.2, seat), 0.014))
    thing.add("leg", frame, legs)
    thing.add(
        "backrest",
        slats,
        [box((width, 0.018, 0.06), (0, 0.21 + 0.03 * i, 0.68 + 0.085 * i), turn("x", -18)) for i in range(3)],
    )


def _shell(rng: np.random.Generator, thing: Thing) -> None:
    seat = 0.44
    shell = texture.wicker(rng) if rng.random() < 0.4 else texture.plastic(rng, bright(rng))
    thing.add("seat", shell, box((0.48, 0.46, 0.04), (0, -0.01, seat), radius=0.018))
    bend = np.linspace(-1, 1, 9)
    thing.add(
        "backrest",
        shell,
        [
            box(
                (0.07, 0.022, 0.42),
                (0.235 * np.sin(b * 1.2), 0.23 - 0.13 * (1 - np.cos(b * 1.2)), seat + 0.22),
                turn("z", -b * 60) @ turn("x", -8),
                0.01,
            )
            for b in bend
        ],
    )
    if rng.random() < 0.5:
        thing.add("leg", texture.wood(rng), _four_legs(0.44, 0.42, seat - 0.01, 0.02, 0.06))
    else:
        thing.add("leg", texture.metal(rng), [_bent_leg(side, seat - 0.02) for side in (-1, 1)])
    if rng.random() < 0.3:
        thing.add(
            "seat",
            texture.fabric(rng, bright(rng)),
            lathe([[0.2, seat + 0.02], [0.21, seat + 0.04], [0.19, seat + 0.055]], 24),
        )


def _bent_leg(side: int, top: float) -> Mesh:
    """Front and back leg of one side, bent from one tube."""
    front, back = (side * 0.2, -0.2, top), (side * 0.2, 0.2, top)
    return tube(curve(front, (side * 0.24, -0.3, 0.0), (side * 0.24, 0.3, 0.0), back, 18), 0.011)
