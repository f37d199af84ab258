"""Beds: wooden, with an upholstered headboard, iron, a bunk, and a four-poster."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, ball, box, cylinder, turn
from demo.scenes.palette import bright, pale
from demo.scenes.thing import Thing

LENGTH = 2.0


def bed(rng: np.random.Generator) -> Thing:
    """A bed, its foot towards −y."""
    thing = Thing("bed", yaw=60, elevation=(14, 34))
    design = ("wood", "upholstered", "iron", "bunk", "poster")[rng.integers(5)]
    width = rng.uniform(0.9, 1.0) if design == "bunk" else rng.choice([0.95, 1.4, 1.7])
    deck = rng.uniform(0.28, 0.38)
    frame = _frame(rng, design)
    if design == "bunk":
        _bunk(rng, thing, frame, width)
        return thing
    head, foot = rng.uniform(0.55, 0.85), deck + rng.uniform(-0.02, 0.22)
    rail = [box((0.04, LENGTH, 0.16), (x * width / 2, 0, deck - 0.06)) for x in (-1, 1)]
    thing.add("frame", frame, [*rail, box((width, LENGTH, 0.03), (0, 0, deck - 0.1))])
    _ends(thing, design, frame, width, (deck + head, foot))
    _bedding(rng, thing, width, deck)
    if design == "poster":
        _canopy(rng, thing, frame, width)
    return thing


def _frame(rng: np.random.Generator, design: str) -> texture.Texture:
    if design == "iron":
        return texture.metal(rng) if rng.random() < 0.6 else texture.enamel(rng, bright(rng))
    if design == "upholstered":
        return (
            texture.fabric(rng, bright(rng), 0) if rng.random() < 0.7 else texture.leather(rng, bright(rng))
        )
    return texture.wood(rng) if rng.random() < 0.6 else texture.painted_wood(rng, bright(rng))


def _ends(
    thing: Thing, design: str, frame: texture.Texture, width: float, heights: tuple[float, float]
) -> None:
    """Headboard, footboard and legs."""
    for y, height, part in ((1, heights[0], "headboard"), (-1, heights[1], "footboard")):
        at = y * (LENGTH / 2 + 0.03)
        if design == "iron":
            thing.add(part, frame, _bars(width, height, at))
        elif design == "upholstered":
            if part == "headboard":
                thing.add(
                    part,
                    frame,
                    box((width + 0.1, 0.12, height - 0.1), (0, at + 0.03, height / 2 + 0.05), radius=0.05),
                )
        else:
            thing.add(
                part, frame, [box((width + 0.06, 0.05, height - 0.14), (0, at, 0.14 + (height - 0.14) / 2))]
            )
            if height > 0.6:
                thing.add(part, frame, box((width + 0.14, 0.08, 0.06), (0, at, height)))
    thing.add(
        "leg",
        frame if design != "upholstered" else texture.wood(np.random.default_rng(1)),
        [
            box((0.07, 0.07, 0.3), (x * (width / 2 - 0.01), y * (LENGTH / 2), 0.15))
            for x in (-1, 1)
            for y in (-1, 1)
        ],
    )


def _bars(width: float, height: float, y: float) -> list[Mesh]:
    posts = [cylinder((x * width / 2, y, 0), (x * width / 2, y, height), 0.022) for x in (-1, 1)]
    knobs = [ball((0.035,) * 3, (x * width / 2, y, height + 0.02), rings=12) for x in (-1, 1)]
    rails = [cylinder((-width / 2, y, z), (width / 2, y, z), 0.016) for z in (height * 0.55, height * 0.93)]
    thin = [
        cylinder((x, y, height * 0.55), (x, y, height * 0.93), 0.009)
        for x in np.linspace(-width / 2, width / 2, 8)[1:-1]
    ]
    return [*posts, *knobs, *rails, *thin]


def _bedding(rng: np.random.Generator, thing: Thing, width: float, deck: float) -> None:
    white = texture.fabric(rng, pale(rng), 0)
    thing.add("mattress", white, box((width - 0.04, LENGTH - 0.04, 0.2), (0, 0, deck + 0.02), radius=0.06))
    top, reach = deck + 0.12, rng.uniform(0.55, 0.8)
    cover = texture.fabric(rng, bright(rng))
    size = (width + 0.04, LENGTH * reach, 0.09)
    middle = -LENGTH / 2 + LENGTH * reach / 2 - 0.01
    sides = [
        box((0.03, LENGTH * reach, 0.26), (x * (width / 2 + 0.02), middle, top - 0.1), radius=0.014)
        for x in (-1, 1)
    ]
    thing.add("blanket", cover, [box(size, (0, middle, top), radius=0.04), *sides])
    fold = texture.fabric(rng, pale(rng), 0)
    thing.add(
        "blanket",
        fold,
        box((width + 0.05, 0.26, 0.05), (0, middle + LENGTH * reach / 2 - 0.06, top + 0.04), radius=0.024),
    )
    number = 1 if width < 1.2 else 2
    slip = white if rng.random() < 0.5 else texture.fabric(rng, bright(rng))
    pillows = [
        box(
            (min(0.68, width / number - 0.08), 0.42, 0.16),
            (x, LENGTH / 2 - 0.3, top + 0.09),
            turn("x", 14),
            0.075,
        )
        for x in (np.arange(number) - (number - 1) / 2) * width / 2
    ]
    thing.add("pillow", slip, pillows)
    if rng.random() < 0.5:
        cushion = box(
            (0.4, 0.14, 0.38),
            (rng.uniform(-0.2, 0.2) * width, LENGTH / 2 - 0.55, top + 0.22),
            turn("x", -30),
            0.065,
        )
        thing.add("pillow", texture.fabric(rng, bright(rng)), cushion)


def _canopy(rng: np.random.Generator, thing: Thing, frame: texture.Texture, width: float) -> None:
    corners = [(x * width / 2, y * (LENGTH / 2 + 0.02)) for x in (-1, 1) for y in (-1, 1)]
    thing.add("pole", frame, [cylinder((x, y, 0), (x, y, 1.9), 0.032, 0.026) for x, y in corners])
    beams = [
        cylinder((x * width / 2, -LENGTH / 2, 1.88), (x * width / 2, LENGTH / 2, 1.88), 0.024)
        for x in (-1, 1)
    ]
    beams += [
        cylinder((-width / 2, y * LENGTH / 2, 1.88), (width / 2, y * LENGTH / 2, 1.88), 0.024)
        for y in (-1, 1)
    ]
    thing.add("pole", frame, beams)
    if rng.random() < 0.6:
        cloth = texture.fabric(rng, pale(rng) if rng.random() < 0.5 else bright(rng), 0)
        thing.add("canopy", cloth, box((width + 0.1, LENGTH + 0.1, 0.03), (0, 0, 1.93), radius=0.012))


def _bunk(rng: np.random.Generator, thing: Thing, frame: texture.Texture, width: float) -> None:
    """Two beds above each other, and a ladder."""
    decks = (0.35, 1.25)
    thing.add(
        "pole",
        frame,
        [box((0.07, 0.07, 1.75), (x * width / 2, y * LENGTH / 2, 0.875)) for x in (-1, 1) for y in (-1, 1)],
    )
    for deck in decks:
        rails = [box((0.035, LENGTH, 0.14), (x * width / 2, 0, deck - 0.05)) for x in (-1, 1)]
        ends = [box((width, 0.035, 0.32), (0, y * LENGTH / 2, deck + 0.12)) for y in (-1, 1)]
        thing.add("frame", frame, [*rails, *ends, box((width, LENGTH, 0.03), (0, 0, deck - 0.08))])
        _bedding(rng, thing, width - 0.08, deck)
    side = int(rng.choice([-1, 1])) * (width / 2 + 0.05)
    stiles = [cylinder((side, y, 0), (side, y, 1.6), 0.018) for y in (-0.75, -0.4)]
    rungs = [cylinder((side, -0.75, z), (side, -0.4, z), 0.014) for z in np.linspace(0.25, 1.4, 5)]
    thing.add("ladder", frame, [*stiles, *rungs])
