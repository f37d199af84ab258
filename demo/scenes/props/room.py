"""Furniture and fittings that are not one of the ten classes."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, ball, box, cylinder, lathe, panel, turn
from demo.scenes.palette import bright, pale
from demo.scenes.texture import Texture
from demo.scenes.thing import Thing


def _boards(rng: np.random.Generator) -> texture.Texture:
    return (
        texture.wood(rng)
        if rng.random() < 0.65
        else texture.painted_wood(rng, bright(rng) if rng.random() < 0.6 else pale(rng))
    )


def table(rng: np.random.Generator, height: float | None = None, width: float | None = None) -> Thing:
    """A table with four legs or one foot; its top is at `height`."""
    thing = Thing("table", yaw=30)
    tall = rng.uniform(0.68, 0.76) if height is None else height
    wide = rng.uniform(0.6, 1.3) if width is None else width
    boards, deep = _boards(rng), min(wide, rng.uniform(0.5, 0.75))
    if rng.random() < 0.35:
        thing.add("top", boards, lathe([[wide / 2, tall - 0.035], [wide / 2, tall]], 40))
        thing.add(
            "leg",
            boards,
            [cylinder((0, 0, 0), (0, 0, tall - 0.03), 0.04), lathe([[0.24, 0], [0.24, 0.02], [0.05, 0.06]])],
        )
        return thing
    thing.add("top", boards, box((wide, deep, 0.035), (0, 0, tall - 0.018)))
    legs = [
        cylinder(
            (x * wide * 0.45, y * deep * 0.42, 0),
            (x * wide * 0.43, y * deep * 0.38, tall - 0.03),
            0.022,
            0.03,
        )
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    thing.add("leg", boards, legs)
    return thing


def cabinet(rng: np.random.Generator, height: float | None = None, width: float | None = None) -> Thing:
    """A chest of drawers or a cupboard, flat on top."""
    thing = Thing("cabinet", yaw=25)
    tall = rng.uniform(0.5, 1.1) if height is None else height
    wide = rng.uniform(0.5, 1.1) if width is None else width
    boards, deep = _boards(rng), 0.42
    thing.add("body", boards, box((wide, deep, tall), (0, 0, tall / 2)))
    front, knobs = -deep / 2 - 0.008, []
    if rng.random() < 0.6:
        rows = max(2, int(tall / 0.24))
        drawers = [
            box((wide * 0.92, 0.03, tall / rows * 0.86), (0, front, tall * (i + 0.5) / rows))
            for i in range(rows)
        ]
        thing.add("drawer", boards, drawers)
        knobs = [(x * wide * 0.22, tall * (i + 0.5) / rows) for i in range(rows) for x in (-1, 1)]
    else:
        doors = [box((wide * 0.46, 0.03, tall * 0.9), (x * wide * 0.235, front, tall / 2)) for x in (-1, 1)]
        thing.add("door", boards, doors)
        knobs = [(x * 0.04, tall * 0.55) for x in (-1, 1)]
    thing.add(
        "handle", texture.metal(rng), [ball((0.018,) * 3, (x, front - 0.03, z), rings=10) for x, z in knobs]
    )
    return thing


def shelf(rng: np.random.Generator) -> Thing:
    """A bookcase with books and a few other things."""
    thing = Thing("shelf", yaw=20)
    wide, tall, deep, boards = rng.uniform(0.7, 1.1), rng.uniform(1.1, 1.9), 0.28, _boards(rng)
    rows = int(rng.integers(3, 6))
    sides = [box((0.03, deep, tall), (x * wide / 2, 0, tall / 2)) for x in (-1, 1)]
    flat = [box((wide, deep, 0.028), (0, 0, 0.03 + (tall - 0.05) * i / rows)) for i in range(rows + 1)]
    thing.add("", boards, [*sides, *flat, box((wide, 0.012, tall), (0, deep / 2 - 0.01, tall / 2))])
    for row in range(rows):
        if rng.random() < 0.8:
            low = 0.045 + (tall - 0.05) * row / rows
            thing.hold(books(rng, wide * rng.uniform(0.4, 0.9), tall / rows * 0.8).placed((0, -0.02, low)))
    return thing


def books(rng: np.random.Generator, width: float | None = None, height: float = 0.26) -> Thing:
    """A row of books, standing."""
    thing = Thing("book")
    long = rng.uniform(0.15, 0.4) if width is None else width
    x = -long / 2
    by_colour: list[tuple[Texture, list[Mesh]]] = [(texture.paper(rng, bright(rng)), []) for _ in range(4)]
    while x < long / 2:
        thick, tall = rng.uniform(0.02, 0.05), min(height, 0.3) * rng.uniform(0.65, 0.98)
        book = box((thick * 0.94, 0.17, tall), (x + thick / 2, 0, tall / 2), radius=0.004)
        by_colour[rng.integers(4)][1].append(book)
        x += thick
    for cover, found in by_colour:
        if found:
            thing.add("", cover, found)
    return thing


def sofa(rng: np.random.Generator) -> Thing:
    """A sofa for two or three."""
    thing = Thing("sofa", yaw=25)
    wide, cover = (
        rng.uniform(1.4, 2.1),
        texture.fabric(rng, bright(rng)) if rng.random() < 0.7 else texture.leather(rng, bright(rng)),
    )
    number = 2 if wide < 1.75 else 3
    step = (wide - 0.3) / number
    thing.add("body", cover, box((wide, 0.85, 0.26), (0, 0, 0.2), radius=0.05))
    middle = [(i - (number - 1) / 2) * step for i in range(number)]
    thing.add(
        "seat", cover, [box((step - 0.015, 0.64, 0.16), (x, -0.08, 0.39), radius=0.055) for x in middle]
    )
    thing.add(
        "backrest",
        cover,
        [box((step - 0.015, 0.2, 0.46), (x, 0.3, 0.6), turn("x", -10), 0.075) for x in middle],
    )
    thing.add(
        "armrest",
        cover,
        [box((0.17, 0.85, 0.5), (x * (wide / 2 - 0.06), 0, 0.38), radius=0.07) for x in (-1, 1)],
    )
    if rng.random() < 0.6:
        thing.add(
            "pillow",
            texture.fabric(rng, bright(rng)),
            box((0.4, 0.14, 0.4), (middle[0], 0.1, 0.62), turn("x", -22), 0.065),
        )
    return thing


def stool(rng: np.random.Generator) -> Thing:
    """A stool."""
    thing = Thing("stool")
    tall, boards = rng.uniform(0.42, 0.65), _boards(rng)
    thing.add(
        "seat",
        boards if rng.random() < 0.6 else texture.leather(rng, bright(rng)),
        lathe([[0.17, tall - 0.04], [0.17, tall]], 30),
    )
    thing.add(
        "leg",
        boards,
        [
            cylinder(
                (0.19 * np.cos(a), 0.19 * np.sin(a), 0),
                (0.1 * np.cos(a), 0.1 * np.sin(a), tall - 0.03),
                0.017,
            )
            for a in np.arange(4) * np.pi / 2 + 0.6
        ],
    )
    return thing


def television(rng: np.random.Generator) -> Thing:
    """A screen on a foot; on, showing something, or off."""
    thing = Thing("television", yaw=25)
    wide = rng.uniform(0.55, 1.0)
    tall = wide * 0.58
    dark = texture.plastic(rng, (0.06, 0.06, 0.065))
    thing.add(
        "body",
        dark,
        [
            box((wide, 0.05, tall), (0, 0, tall / 2 + 0.09)),
            box((wide * 0.4, 0.2, 0.02), (0, 0, 0.01)),
            box((0.06, 0.04, 0.12), (0, 0, 0.06)),
        ],
    )
    show = texture.picture(rng)
    screen = (
        texture.Texture("glass", show.pixels, 1.0, 0, 0.3, 0.5)
        if rng.random() < 0.5
        else texture.glass(rng, (0.03, 0.035, 0.04))
    )
    thing.add("screen", screen, panel(wide * 0.94, tall * 0.9, (0, -0.022, tall / 2 + 0.09)))
    return thing


def stove(rng: np.random.Generator) -> Thing:
    """A cooker with an oven."""
    thing = Thing("stove", yaw=25)
    coat = texture.enamel(rng, pale(rng) if rng.random() < 0.5 else bright(rng))
    thing.add("body", coat, box((0.6, 0.6, 0.86), (0, 0, 0.43)))
    thing.add(
        "burner",
        texture.metal(rng, (0.12, 0.12, 0.13)),
        [
            lathe([[0.085, 0.86], [0.085, 0.885], [0.04, 0.89]], 20, (x * 0.14, y * 0.14, 0))
            for x in (-1, 1)
            for y in (-1, 1)
        ],
    )
    thing.add("door", texture.enamel(rng, (0.10, 0.10, 0.11)), box((0.54, 0.03, 0.46), (0, -0.31, 0.38)))
    thing.add("window", texture.glass(rng, (0.05, 0.055, 0.06)), box((0.42, 0.02, 0.28), (0, -0.325, 0.37)))
    thing.add(
        "handle",
        texture.metal(rng, (0.7, 0.7, 0.72)),
        cylinder((-0.22, -0.36, 0.64), (0.22, -0.36, 0.64), 0.014),
    )
    thing.add(
        "knob",
        texture.plastic(rng, (0.08, 0.08, 0.08)),
        [cylinder((x * 0.11, -0.3, 0.76), (x * 0.11, -0.335, 0.76), 0.026) for x in (-2, -1, 0, 1, 2)],
    )
    return thing


def radiator(rng: np.random.Generator) -> Thing:
    """A radiator."""
    thing = Thing("radiator", yaw=10)
    coat = texture.enamel(rng, (0.93, 0.93, 0.91) if rng.random() < 0.7 else bright(rng))
    number = int(rng.integers(6, 13))
    ribs = [box((0.05, 0.1, 0.58), ((i - number / 2) * 0.07, 0, 0.4), radius=0.022) for i in range(number)]
    thing.add(
        "",
        coat,
        [*ribs, *[cylinder((-number * 0.036, 0, z), (number * 0.034, 0, z), 0.02) for z in (0.17, 0.63)]],
    )
    return thing


def picture(rng: np.random.Generator) -> Thing:
    """A picture to hang; its back is at y = 0, its middle at z = 0."""
    thing = Thing("picture")
    wide, tall = rng.uniform(0.35, 0.85, 2)
    thing.add("frame", _boards(rng), box((wide + 0.1, 0.04, tall + 0.1), (0, -0.02, 0)))
    thing.add("canvas", texture.picture(rng), panel(wide, tall, (0, -0.035, 0)))
    return thing


def mirror(rng: np.random.Generator) -> Thing:
    """A mirror to hang."""
    thing = Thing("mirror")
    frame = _boards(rng) if rng.random() < 0.6 else texture.metal(rng)
    if rng.random() < 0.5:
        radius, face = rng.uniform(0.22, 0.4), turn("x", 90)
        thing.add(
            "frame", frame, lathe([[radius + 0.05, 0], [radius + 0.05, 0.035]], 40).moved(rotation=face)
        )
        thing.add(
            "pane", texture.mirror(rng), lathe([[radius, 0], [radius, 0.012]], 40).moved((0, -0.032, 0), face)
        )
    else:
        wide, tall = rng.uniform(0.4, 0.6), rng.uniform(0.6, 1.0)
        thing.add("frame", frame, box((wide + 0.1, 0.04, tall + 0.1), (0, -0.02, 0)))
        thing.add("pane", texture.mirror(rng), box((wide, 0.03, tall), (0, -0.034, 0), radius=0.002))
    return thing


def clock(rng: np.random.Generator) -> Thing:
    """A wall clock."""
    thing = Thing("clock")
    radius, face = rng.uniform(0.14, 0.24), turn("x", 90)
    rim = texture.plastic(rng, bright(rng)) if rng.random() < 0.6 else texture.wood(rng)
    thing.add("frame", rim, lathe([[radius, 0], [radius, 0.04]], 40).moved(rotation=face))
    thing.add(
        "dial",
        texture.paper(rng, (0.94, 0.93, 0.89)),
        lathe([[radius * 0.88, 0], [radius * 0.88, 0.01]], 40).moved((0, -0.036, 0), face),
    )
    dark, hands = texture.metal(rng, (0.08, 0.08, 0.08)), []
    for length, angle in ((0.5, rng.uniform(0, 360)), (0.75, rng.uniform(0, 360))):
        hands.append(
            box((0.012, 0.008, radius * length)).moved(
                turn("y", angle) @ np.array([0, 0, radius * length / 2]) + [0, -0.05, 0], turn("y", angle)
            )
        )
    ticks = [
        box((0.01, 0.006, radius * 0.1)).moved(
            turn("y", a) @ np.array([0, 0, radius * 0.78]) + [0, -0.048, 0], turn("y", a)
        )
        for a in range(0, 360, 30)
    ]
    thing.add("hand", dark, [*hands, *ticks])
    return thing


def rug(rng: np.random.Generator) -> Thing:
    """A rug."""
    thing = Thing("rug")
    cloth = texture.fabric(rng, bright(rng))
    if rng.random() < 0.3:
        thing.add("", cloth, lathe([[rng.uniform(0.6, 1.0), 0.001], [0.55, 0.016]], 48))
    else:
        thing.add(
            "", cloth, box((rng.uniform(1.3, 2.4), rng.uniform(0.9, 1.7), 0.016), (0, 0, 0.009), radius=0.006)
        )
    return thing
