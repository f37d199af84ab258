"""Trees, bushes, flowers, rocks and hills."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import ball, cylinder, lathe, turn
from demo.scenes.palette import bright, varied
from demo.scenes.thing import Thing


def tree(rng: np.random.Generator) -> Thing:
    """A broad-leaved tree, a fir or a poplar, 4 to 7.5 m."""
    thing = Thing("tree")
    height = rng.uniform(4, 7.5)
    trunk, girth = height * rng.uniform(0.28, 0.42), height * 0.026
    kind = rng.random()
    thing.add(
        "trunk", texture.bark(rng), lathe([[girth * 1.5, 0], [girth, 0.3], [girth * 0.7, trunk * 1.5]], 14)
    )
    leaves = texture.foliage(rng)
    if kind < 0.25:
        tiers = [
            lathe(
                [[height * 0.2 * (1 - 0.2 * i), 0], [0.05, height * 0.3]],
                22,
                (0, 0, trunk * 0.5 + i * height * 0.15),
            )
            for i in range(5)
        ]
        thing.add("crown", leaves, tiers)
    elif kind < 0.4:
        thing.add(
            "crown",
            leaves,
            ball(
                (height * 0.11, height * 0.11, height * 0.38),
                (0, 0, height * 0.6),
                rings=34,
                bump=(0.16, rng),
            ),
        )
    else:
        _branches(rng, thing, height, (trunk, girth), leaves)
    return thing


def _branches(
    rng: np.random.Generator, thing: Thing, height: float, stem: tuple[float, float], leaves: texture.Texture
) -> None:
    """Clumps of leaves around the top of the stem (its length and girth), each on a branch."""
    trunk, girth = stem
    branches, clumps = [], []
    for _ in range(int(rng.integers(7, 12))):
        out = rng.normal(size=3) * [1, 1, 0.7]
        away = out / np.linalg.norm(out) * height * rng.uniform(0.06, 0.2)
        centre = np.array([0, 0, trunk + height * 0.27]) + away
        clumps.append(ball(height * rng.uniform(0.09, 0.16, 3), centre, rings=26, bump=(0.34, rng)))
        branches.append(cylinder((0, 0, trunk * 0.9), centre, girth * 0.5, girth * 0.15, sides=8))
    thing.add("crown", leaves, clumps)
    thing.add("branch", texture.bark(rng), branches)


def bush(rng: np.random.Generator) -> Thing:
    """A bush, about a metre wide, some in flower."""
    thing = Thing("bush")
    clumps = [
        ball(
            rng.uniform(0.24, 0.42, 3),
            (rng.normal() * 0.3, rng.normal() * 0.2, 0.28),
            rings=26,
            bump=(0.32, rng),
        )
        for _ in range(5)
    ]
    thing.add("leaf", texture.foliage(rng), clumps)
    if rng.random() < 0.35:
        blossoms = [
            ball((0.035,) * 3, clump.vertices[rng.integers(len(clump.vertices))], rings=7)
            for clump in clumps
            for _ in range(9)
        ]
        thing.add("petal", texture.petals(rng, bright(rng)), blossoms)
    return thing


def flowers(rng: np.random.Generator) -> Thing:
    """A small bed of flowers."""
    thing = Thing("flower")
    stems, heads, centres = [], [], []
    for _ in range(int(rng.integers(14, 26))):
        foot = np.array([rng.normal() * 0.3, rng.normal() * 0.16, 0])
        top = foot + [rng.normal() * 0.02, rng.normal() * 0.02, rng.uniform(0.16, 0.32)]
        stems.append(cylinder(foot, top, 0.005, sides=6))
        heads.append(ball((0.045, 0.045, 0.018), top, turn("x", rng.uniform(-40, 10)), rings=9))
        centres.append(ball((0.014,) * 3, top + [0, -0.008, 0.014], rings=7))
    thing.add("stem", texture.foliage(rng, (0.22, 0.40, 0.14)), stems)
    thing.add("petal", texture.petals(rng, bright(rng)), heads)
    thing.add("petal", texture.petals(rng, (0.85, 0.65, 0.12)), centres)
    return thing


def rocks(rng: np.random.Generator) -> Thing:
    """A boulder or three."""
    thing = Thing("rock")
    stones = [
        ball(
            rng.uniform(0.15, 0.4, 3),
            (rng.normal() * 0.4, rng.normal() * 0.2, 0.1),
            rings=24,
            bump=(0.28, rng),
        )
        for _ in range(int(rng.integers(1, 4)))
    ]
    thing.add("", texture.rock(rng), stones)
    return thing


def hill(rng: np.random.Generator) -> Thing:
    """A wooded or bare hill far away."""
    thing = Thing("hill")
    tint = ((0.24, 0.40, 0.16), (0.34, 0.44, 0.20), (0.30, 0.38, 0.28), (0.52, 0.46, 0.25))[rng.integers(4)]
    cover = texture.foliage(rng, varied(rng, tint, 0.015))
    far = texture.Texture(cover.material, cover.pixels, 14.0, 0, 1.0)
    thing.add(
        "", far, ball((rng.uniform(22, 45), 14, rng.uniform(5, 12)), (0, 0, -1), rings=26, bump=(0.05, rng))
    )
    return thing


def mountain(rng: np.random.Generator) -> Thing:
    """A rocky mountain, with or without snow."""
    thing = Thing("mountain")
    stone = texture.rock(rng)
    far = texture.Texture(stone.material, stone.pixels, 22.0, 0, 1.0)
    height, wide = rng.uniform(18, 30), rng.uniform(26, 40)
    thing.add("", far, ball((wide, 16, height), (0, 0, -2), rings=40, bump=(0.3, rng)))
    return thing


def potted_plant(rng: np.random.Generator) -> Thing:
    """A plant in a pot, 60 cm to 1.2 m."""
    thing = Thing("plant")
    size = rng.uniform(0.7, 1.3)
    pot = texture.ceramic(rng, bright(rng)) if rng.random() < 0.6 else texture.wicker(rng)
    thing.add("pot", pot, lathe([[0.13 * size, 0], [0.18 * size, 0.3 * size]]))
    leaves = []
    for around in rng.uniform(0, 360, 16):
        leaf = ball((0.055 * size, 0.012, 0.3 * size), (0, 0, 0.26 * size), rings=10)
        leaves.append(leaf.moved((0, 0, 0.28 * size), turn("z", around) @ turn("x", rng.uniform(8, 55))))
    thing.add("leaf", texture.foliage(rng), leaves)
    return thing
