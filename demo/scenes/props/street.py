"""What stands about out of doors."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import ball, box, curve, cylinder, lathe, loft, ring, tube, turn
from demo.scenes.palette import bright, neutral, pale
from demo.scenes.thing import Thing


def building(rng: np.random.Generator, width: float, depth: float, height: float) -> Thing:
    """A house of the given size: rows of windows, a door, a flat or pitched roof."""
    thing = Thing("building")
    kind = rng.random()
    wall = (
        texture.brick(rng)
        if kind < 0.5
        else texture.plaster(rng, pale(rng) if rng.random() < 0.7 else bright(rng))
    )
    if kind > 0.85:
        wall = texture.concrete(rng, neutral(rng, (0.70, 0.66, 0.60)))
    thing.add("wall", wall, box((width, depth, height), (0, 0, height / 2), radius=0.03))
    columns, rows = max(2, int(width / rng.uniform(1.9, 2.8))), max(1, int((height - 0.6) / 2.8))
    wide = width / columns * rng.uniform(0.42, 0.6)
    frames, panes = [], []
    for row in range(rows):
        for column in range(columns):
            centre = np.array([-width / 2 + width / columns * (column + 0.5), -depth / 2, 1.9 + row * 2.8])
            if row == 0 and column == columns // 2:
                continue
            frames.append(box((wide + 0.18, 0.10, 1.68), centre, radius=0.02))
            panes += [
                box((wide * 0.47, 0.14, 0.7), centre + [s * wide * 0.25, 0, v * 0.37], radius=0.01)
                for s in (-1, 1)
                for v in (-1, 1)
            ]
    if frames:
        thing.add(
            "frame",
            texture.painted_wood(rng, (0.93, 0.92, 0.88) if rng.random() < 0.6 else bright(rng)),
            frames,
        )
        thing.add("window", texture.glass(rng), panes)
    at = np.array([-width / 2 + width / columns * (columns // 2 + 0.5), -depth / 2, 1.1])
    thing.add("door", texture.painted_wood(rng, bright(rng)), box((1.1, 0.16, 2.2), at))
    thing.add(
        "handle", texture.metal(rng, (0.8, 0.65, 0.3)), ball((0.06,) * 3, at + [0.4, -0.1, 0], rings=10)
    )
    _roof(rng, thing, width, depth, height)
    return thing


def _roof(rng: np.random.Generator, thing: Thing, width: float, depth: float, height: float) -> None:
    if rng.random() < 0.5:
        slab = texture.concrete(rng, (0.4, 0.4, 0.42)) if rng.random() < 0.5 else texture.roof_tiles(rng)
        thing.add("roof", slab, box((width + 0.4, depth + 0.4, 0.3), (0, 0, height + 0.1)))
        return
    tiles, pitch = texture.roof_tiles(rng), 32.0
    slope = (depth / 2 + 0.5) / np.cos(np.radians(pitch))
    rise = np.tan(np.radians(pitch)) * depth / 4
    sides = [
        box((width + 0.5, slope, 0.16), (0, s * depth / 4, height + rise), turn("x", -s * pitch))
        for s in (-1, 1)
    ]
    thing.add("roof", tiles, sides)
    thing.add("chimney", texture.brick(rng), box((0.6, 0.6, 1.4), (width * 0.28, 0.4, height + 2 * rise)))


def fence(rng: np.random.Generator) -> Thing:
    """20 m of fence: pickets, boards or rails."""
    thing = Thing("fence")
    kind = rng.integers(3)
    cover = (
        texture.wood(rng)
        if rng.random() < 0.5
        else texture.painted_wood(rng, (0.92, 0.90, 0.86) if rng.random() < 0.5 else bright(rng))
    )
    if kind == 0:
        thing.add(
            "",
            cover,
            [box((0.1, 0.04, 1.0), (x * 0.22, 0, 0.5)) for x in range(-45, 46)]
            + [box((20, 0.04, 0.09), (0, 0.03, z)) for z in (0.3, 0.75)],
        )
    elif kind == 1:
        thing.add(
            "",
            cover,
            [box((20, 0.03, 0.15), (0, 0, 0.1 + 0.17 * i)) for i in range(7)]
            + [box((0.1, 0.08, 1.3), (x * 2.0, 0.04, 0.65)) for x in range(-5, 6)],
        )
    else:
        metal = texture.metal(rng)
        thing.add(
            "",
            metal,
            [cylinder((x * 0.14, 0, 0), (x * 0.14, 0, 1.05), 0.011, sides=7) for x in range(-70, 71)]
            + [box((20, 0.03, 0.03), (0, 0, z)) for z in (0.15, 0.95)],
        )
    return thing


def traffic_light(rng: np.random.Generator) -> Thing:
    """A traffic light on its pole."""
    thing = Thing("traffic light")
    dark, lit = texture.enamel(rng, (0.10, 0.11, 0.11)), int(rng.integers(3))
    thing.add("pole", texture.metal(rng, (0.45, 0.46, 0.48)), cylinder((0, 0, 0), (0, 0, 2.7), 0.055))
    thing.add(
        "body",
        dark,
        [
            box((0.32, 0.22, 0.92), (0, -0.06, 2.95)),
            *[
                lathe([[0.13, 0], [0.13, 0.12]], 20, (0, -0.15, 3.24 - 0.29 * i), turn("x", 90), closed=False)
                for i in range(3)
            ],
        ],
    )
    for i, colour in enumerate(((0.85, 0.06, 0.05), (0.95, 0.70, 0.05), (0.08, 0.70, 0.25))):
        shade = colour if i == lit else tuple(0.3 * channel for channel in colour)
        thing.add(
            "light",
            texture.coloured_glass(rng, shade).glowing(0.9 if i == lit else 0.0),
            ball((0.105, 0.03, 0.105), (0, -0.18, 3.24 - 0.29 * i), rings=16),
        )
    return thing


def road_sign(rng: np.random.Generator) -> Thing:
    """A round, triangular, square or eight-sided sign."""
    thing = Thing("road sign")
    corners, start = ((8, 22.5), (3, 90), (4, 45), (32, 0))[rng.integers(4)]
    thing.add("pole", texture.metal(rng, (0.62, 0.63, 0.65)), cylinder((0, 0.03, 0), (0, 0.03, 2.4), 0.035))
    face = turn("x", 90)
    for radius, out, colour in (
        (0.42, 0.0, bright(rng)),
        (0.34, 0.012, (0.93, 0.93, 0.91)),
        (0.2, 0.022, bright(rng)),
    ):
        plate = lathe([[radius, 0], [radius, 0.02]], corners + 1).moved(
            (0, -out, 2.2), face @ turn("z", start)
        )
        thing.add("plate", texture.enamel(rng, colour), plate)
    return thing


def hydrant(rng: np.random.Generator) -> Thing:
    """A fire hydrant."""
    thing = Thing("hydrant")
    coat = texture.enamel(rng, bright(rng))
    profile = [
        [0.17, 0],
        [0.17, 0.05],
        [0.11, 0.07],
        [0.11, 0.5],
        [0.14, 0.52],
        [0.14, 0.56],
        [0.11, 0.6],
        [0.05, 0.7],
    ]
    thing.add("body", coat, [lathe(profile), cylinder((-0.18, 0, 0.4), (0.18, 0, 0.4), 0.06)])
    caps = [cylinder((s * 0.17, 0, 0.4), (s * 0.22, 0, 0.4), 0.07) for s in (-1, 1)]
    thing.add("cap", texture.metal(rng), [*caps, cylinder((0, -0.1, 0.34), (0, -0.19, 0.34), 0.08)])
    return thing


def trash_can(rng: np.random.Generator) -> Thing:
    """A litter bin, open or with a lid."""
    thing = Thing("trash can")
    coat = texture.metal(rng) if rng.random() < 0.5 else texture.plastic(rng, bright(rng))
    if rng.random() < 0.5:
        thing.add("body", coat, lathe([[0.2, 0], [0.25, 0.75]]))
        thing.add("lid", texture.metal(rng), lathe([[0.27, 0.74], [0.27, 0.8], [0.12, 0.9]]))
    else:
        thing.add("body", coat, box((0.5, 0.48, 0.85), (0, 0, 0.5), radius=0.04))
        thing.add("lid", texture.plastic(rng, bright(rng)), box((0.54, 0.52, 0.08), (0, 0, 0.96)))
        thing.add(
            "wheel",
            texture.rubber(rng),
            [cylinder((s * 0.2, 0.2, 0.09), (s * 0.26, 0.2, 0.09), 0.09) for s in (-1, 1)],
        )
    return thing


def mailbox(rng: np.random.Generator) -> Thing:
    """A letter box on a post."""
    thing = Thing("mailbox")
    coat = texture.enamel(rng, bright(rng))
    thing.add(
        "pole",
        texture.wood(rng) if rng.random() < 0.5 else texture.metal(rng),
        box((0.09, 0.09, 1.0), (0, 0, 0.5)),
    )
    arch = [ring(y, (0.14, 0.14), 1.0, 1.32, 3.2) for y in np.linspace(-0.25, 0.25, 8)]
    thing.add("body", coat, loft(np.array(arch)).moved(rotation=turn("z", 90)))
    thing.add("door", texture.enamel(rng, bright(rng)), box((0.22, 0.02, 0.22), (0, -0.25, 1.15)))
    thing.add("flag", texture.enamel(rng, bright(rng)), box((0.015, 0.04, 0.2), (0.15, 0.05, 1.3)))
    return thing


def bicycle(rng: np.random.Generator) -> Thing:
    """A bicycle, leaning a little, riding along +x."""
    thing = Thing("bicycle", yaw=40)
    paint, tyre, steel, radius = (
        texture.enamel(rng, bright(rng)),
        texture.rubber(rng),
        texture.metal(rng),
        0.33,
    )
    angle = np.linspace(0, 2 * np.pi, 36)
    for x in (-0.5, 0.5):
        rim = np.stack([x + radius * np.cos(angle), 0 * angle, radius + radius * np.sin(angle)], 1)
        thing.add("wheel", tyre, tube(rim, 0.022, 8))
        spokes = [
            cylinder((x, 0, radius), (x + radius * np.cos(a), 0, radius + radius * np.sin(a)), 0.004, sides=5)
            for a in angle[::3]
        ]
        thing.add("wheel", steel, [*spokes, cylinder((x, -0.04, radius), (x, 0.04, radius), 0.03)])
    seat, crank, head = np.array([-0.2, 0, 0.85]), np.array([-0.08, 0, 0.3]), np.array([0.36, 0, 0.82])
    rear, front = np.array([-0.5, 0, radius]), np.array([0.5, 0, radius])
    bars = [
        (seat, crank),
        (crank, head - [0, 0, 0.08]),
        (seat - [0, 0, 0.1], head),
        (rear, crank),
        (rear, seat - [0, 0, 0.1]),
        (head + [-0.02, 0, 0.1], front),
    ]
    thing.add("frame", paint, [cylinder(a, b, 0.019, sides=12) for a, b in bars])
    thing.add(
        "seat", texture.leather(rng, bright(rng)), ball((0.14, 0.07, 0.035), seat + [0, 0, 0.06], rings=12)
    )
    thing.add(
        "handlebar",
        steel,
        tube(curve((0.28, -0.28, 0.98), (0.42, -0.2, 0.98), (0.42, 0.2, 0.98), (0.28, 0.28, 0.98)), 0.014),
    )
    return thing


def parasol(rng: np.random.Generator) -> Thing:
    """A parasol for beach or garden."""
    thing = Thing("umbrella")
    cloth = texture.fabric(rng, bright(rng), int(rng.integers(2)))
    thing.add(
        "pole",
        texture.wood(rng) if rng.random() < 0.5 else texture.metal(rng),
        cylinder((0, 0, 0), (0, 0, 2.25), 0.025),
    )
    thing.add("canopy", cloth, lathe([[1.25, 1.85], [0.85, 2.08], [0.4, 2.22], [0.03, 2.28]], 9))
    return thing


def boat(rng: np.random.Generator) -> Thing:
    """A sailing or rowing boat, its bow along +x."""
    thing = Thing("boat", yaw=60)
    stations = np.linspace(-2, 2.2, 16)
    wide = 0.85 * np.clip(1 - ((stations - -0.3) / 2.6) ** 2, 0.02, 1)
    hull = [
        ring(x, (w * 0.45, w), 0.0 + 0.05 * abs(x), 0.62 + 0.05 * x * (x > 0), 3)
        for x, w in zip(stations, wide, strict=True)
    ]
    thing.add(
        "hull",
        texture.painted_wood(rng, bright(rng)) if rng.random() < 0.6 else texture.wood(rng),
        loft(np.array(hull)),
    )
    thing.add("deck", texture.planks(rng), box((3.0, 1.0, 0.06), (-0.1, 0, 0.62)))
    if rng.random() < 0.6:
        thing.add("mast", texture.wood(rng), cylinder((0.2, 0, 0.5), (0.2, 0, 4.6), 0.05, 0.03))
        cloth = texture.fabric(
            rng, (0.93, 0.92, 0.88) if rng.random() < 0.6 else bright(rng), int(rng.integers(2))
        )
        steps = np.linspace(0, 1, 10)
        sail = [
            ring(0.1 - 2.0 * (1 - t) * 0.5, (0.02 + 1.0 * (1 - t), 0.02 + 1.0 * (1 - t)), 0, 0.03, 4)
            for t in steps
        ]
        rows = np.array(
            [
                r[:, [1, 2, 0]] * [1, 1, 0]
                + [-0.85 * (1 - t), 0.02 + 0.18 * np.sin(np.pi * t), 1.0 + 3.4 * t]
                for r, t in zip(sail, steps, strict=True)
            ]
        )
        thing.add("sail", cloth, loft(rows))
    return thing


def cone(rng: np.random.Generator) -> Thing:
    """A traffic cone."""
    thing = Thing("traffic cone")
    coat = texture.plastic(rng, (0.92, 0.38, 0.06))
    thing.add("body", coat, [box((0.4, 0.4, 0.04), (0, 0, 0.02)), lathe([[0.15, 0.03], [0.03, 0.7]])])
    thing.add(
        "stripe",
        texture.plastic(rng, (0.94, 0.94, 0.92)),
        [
            lathe([[0.112 - 0.03 * i, 0.27 + 0.17 * i], [0.097 - 0.03 * i, 0.36 + 0.17 * i]], closed=False)
            for i in range(2)
        ],
    )
    return thing


def ball_toy(rng: np.random.Generator) -> Thing:
    """A ball to play with."""
    thing = Thing("ball")
    radius = rng.uniform(0.1, 0.2)
    coat = (
        texture.fabric(rng, bright(rng), int(rng.integers(1, 4)))
        if rng.random() < 0.6
        else texture.leather(rng, bright(rng))
    )
    skin = texture.Texture(
        "leather" if coat.material == "leather" else "plastic", coat.pixels, radius * 3, 0, 0.4
    )
    thing.add("", skin, ball((radius,) * 3, (0, 0, radius), rings=24))
    return thing


def bucket(rng: np.random.Generator) -> Thing:
    """A bucket."""
    thing = Thing("bucket")
    coat = texture.plastic(rng, bright(rng)) if rng.random() < 0.6 else texture.metal(rng)
    thing.add(
        "body",
        coat,
        lathe([[0.11, 0], [0.15, 0.28], [0.155, 0.28], [0.14, 0.279], [0.105, 0.03]], closed=False),
    )
    thing.add(
        "handle",
        texture.metal(rng),
        tube(curve((-0.15, 0, 0.27), (-0.13, 0.02, 0.5), (0.13, 0.02, 0.5), (0.15, 0, 0.27)), 0.007),
    )
    return thing
