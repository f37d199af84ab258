"""Street, park, lake, beach and yard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import box, lathe, plane
from demo.scenes.palette import neutral
from demo.scenes.props import nature
from demo.scenes.props import street as street_props
from demo.scenes.sky import sky, weather
from demo.scenes.stage import Stage, daylight
from demo.scenes.texture import Texture
from demo.scenes.thing import Thing

Rng = np.random.Generator
FAR = 160.0


def _open(rng: Rng, name: str) -> Stage:
    kind = weather(rng)
    return Stage(name, [sky(rng, kind)], daylight(rng, kind))


def _ground(stage: Stage, name: str, surface: texture.Texture, meshes: object) -> None:
    thing = Thing(name)
    thing.add("", surface, meshes)  # type: ignore[arg-type]
    stage.put(thing)


def street(rng: Rng) -> Stage:
    """A road with pavements on both sides and houses behind; the spot is the pavement."""
    stage = _open(rng, "street")
    _ground(stage, "road", texture.asphalt(rng), plane(FAR, 9))
    line = (0.92, 0.92, 0.90) if rng.random() < 0.7 else (0.90, 0.75, 0.20)
    marking = Thing("road")
    marking.add(
        "marking", texture.paint(rng, line), [plane(2.2, 0.14, (x, -1.6, 0.006)) for x in range(-60, 61, 5)]
    )
    stage.put(marking)
    curb = Thing("sidewalk")
    curb.add(
        "curb",
        texture.concrete(rng, neutral(rng, (0.70, 0.69, 0.67))),
        [box((FAR, 0.25, 0.16), (0, s * 4.5, 0.06)) for s in (1, -1)],
    )
    stage.put(curb)
    paved = (
        texture.paving(rng, neutral(rng, (0.55, 0.53, 0.50)))
        if rng.random() < 0.6
        else texture.concrete(rng, neutral(rng, (0.52, 0.51, 0.49)))
    )
    _ground(stage, "sidewalk", paved, [plane(FAR, 3.2, (0, 6.2, 0.13)), plane(FAR, 40, (0, -24.5, 0.13))])
    if rng.random() < 0.7:
        _ground(stage, "grass", texture.grass(rng), plane(FAR, 60, (0, 37.5, 0.12)))
    else:
        _ground(stage, "sidewalk", paved, plane(FAR, 60, (0, 37.5, 0.13)))
    _houses(rng, stage)
    for _ in range(int(rng.integers(0, 4))):
        stage.put(nature.tree(rng), (rng.uniform(-22, 22), rng.uniform(8.0, 9.5), 0.12))
    stage.spot = (0.0, float(rng.uniform(5.4, 6.2)), 0.13)
    stage.reach = (5, 5, 1.4, 1.2)
    return stage


def _houses(rng: Rng, stage: Stage) -> None:
    x = -42.0
    while x < 42:
        width = float(rng.uniform(6, 13))
        if rng.random() < 0.8:
            height = float(rng.choice([4.0, 6.8, 9.6, 12.4], p=[0.25, 0.4, 0.25, 0.1]))
            house = street_props.building(rng, width, 10, height)
            stage.put(house, (x + width / 2, 13.6 + 1.4 + rng.uniform(0, 2.5), 0.12))
        else:
            stage.put(nature.tree(rng), (x + width / 2, 12, 0.1))
        x += width + float(rng.choice([0.2, 0.4, 2.5]))


def _horizon(rng: Rng, stage: Stage) -> None:
    """Hills or mountains far away."""
    for _ in range(int(rng.integers(1, 5))):
        stage.put(nature.hill(rng), (rng.uniform(-70, 70), rng.uniform(66, 80), 0))
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 3))):
            stage.put(nature.mountain(rng), (rng.uniform(-60, 60), rng.uniform(95, 120), 0))


def _path(rng: Rng, stage: Stage, y: float) -> None:
    if rng.random() < 0.65:
        surface = (texture.dirt, texture.sand, texture.paving)[rng.integers(3)](rng)
        _ground(
            stage, "path", surface, plane(200, rng.uniform(1.8, 3.2), (0, y + rng.uniform(-0.6, 0.8), 0.012))
        )


def park(rng: Rng) -> Stage:
    """A meadow with trees, bushes, a path, sometimes a fence or a house."""
    stage = _open(rng, "park")
    _ground(stage, "grass", texture.grass(rng), plane(260, 260))
    _path(rng, stage, 0.0)
    _horizon(rng, stage)
    for _ in range(int(rng.integers(4, 11))):
        y = rng.uniform(6, 34)
        stage.put(nature.tree(rng), (rng.uniform(-1, 1) * (5 + y * 0.8), y, 0))
    for _ in range(int(rng.integers(1, 5))):
        stage.put(nature.bush(rng), (rng.uniform(-8, 8), rng.uniform(3.5, 9), 0), rng.uniform(0, 360))
    for _ in range(int(rng.integers(0, 3))):
        stage.put(nature.flowers(rng), (rng.uniform(-4, 4), rng.uniform(2.2, 4), 0), rng.uniform(0, 360))
    if rng.random() < 0.4:
        stage.put(street_props.fence(rng), (0, rng.uniform(3.2, 5), 0))
    if rng.random() < 0.35:
        house = street_props.building(rng, rng.uniform(7, 12), 8, float(rng.choice([4.0, 6.8])))
        stage.put(house, (rng.uniform(-14, 14), rng.uniform(22, 32), 0))
    stage.spot = (0.0, float(rng.uniform(-0.6, 0.8)), 0.012)
    stage.reach = (4, 4, 2.4, 1.3)
    return stage


def lake(rng: Rng) -> Stage:
    """A meadow by a lake, boats on it."""
    stage = _open(rng, "lake")
    _ground(stage, "grass", texture.grass(rng), plane(260, 260))
    _path(rng, stage, 0.0)
    shore = rng.uniform(3.5, 7)
    surface = lathe([[rng.uniform(17, 26), 0], [0.1, 0.001]], 48, closed=False)
    _ground(
        stage,
        "water",
        texture.water(rng),
        surface.moved((rng.uniform(-8, 8), shore + 17, 0.03), None, (1.9, 0.85, 1)),
    )
    _horizon(rng, stage)
    for _ in range(int(rng.integers(0, 3))):
        stage.put(
            street_props.boat(rng), (rng.uniform(-9, 9), shore + rng.uniform(4, 14), 0.0), rng.uniform(0, 360)
        )
    for _ in range(int(rng.integers(2, 7))):
        stage.put(nature.tree(rng), (rng.uniform(-30, 30), rng.uniform(42, 54), 0))
    for _ in range(int(rng.integers(0, 3))):
        stage.put(nature.rocks(rng), (rng.uniform(-6, 6), rng.uniform(2.2, 3.2), 0), rng.uniform(0, 360))
    for _ in range(int(rng.integers(0, 3))):
        stage.put(nature.bush(rng), (rng.uniform(-7, 7), rng.uniform(2.2, 3.2), 0), rng.uniform(0, 360))
    stage.spot = (0.0, float(rng.uniform(-0.6, 0.4)), 0.012)
    stage.reach = (4, 4, 2.0, 1.3)
    return stage


def beach(rng: Rng) -> Stage:
    """Sand, the sea behind it."""
    stage = _open(rng, "beach")
    _ground(stage, "sand", texture.sand(rng), plane(260, 120, (0, -50, 0)))
    shore = rng.uniform(4, 9)
    _ground(stage, "water", texture.water(rng), plane(400, 260, (0, shore + 130, 0.012)))
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            stage.put(nature.mountain(rng), (rng.uniform(-80, 80), rng.uniform(105, 130), 0))
    for _ in range(int(rng.integers(0, 4))):
        stage.put(
            street_props.boat(rng),
            (rng.uniform(-16, 16), shore + rng.uniform(3, 26), 0.0),
            rng.uniform(0, 360),
        )
    for _ in range(int(rng.integers(0, 3))):
        stage.put(nature.rocks(rng), (rng.uniform(-6, 6), rng.uniform(2, 3.8), 0), rng.uniform(0, 360))
    for _ in range(int(rng.integers(0, 3))):
        stage.put(
            street_props.parasol(rng), (rng.choice([-1, 1]) * rng.uniform(2.2, 5.5), rng.uniform(1.5, 3.5), 0)
        )
    stage.spot = (0.0, float(rng.uniform(-0.6, 0.4)), 0.0)
    stage.reach = (4, 4, 2.4, 1.3)
    return stage


def yard(rng: Rng) -> Stage:
    """A paved yard before a house or a fence."""
    stage = _open(rng, "yard")
    _ground(stage, "grass", texture.grass(rng), plane(260, 200, (0, 40, -0.012)))
    floor: Callable[..., Texture] = (
        *(texture.paving, texture.concrete),
        *(texture.planks, texture.dirt),
    )[rng.integers(4)]
    surface = (
        floor(rng)
        if floor in (texture.planks, texture.dirt)
        else floor(rng, neutral(rng, (0.58, 0.56, 0.52)))
    )
    _ground(stage, "patio", surface, plane(26, 16, (0, -5.5, 0.0)))
    if rng.random() < 0.65:
        house = street_props.building(rng, rng.uniform(9, 14), 8, float(rng.choice([4.0, 6.8])))
        stage.put(house, (rng.uniform(-3, 3), 4 + rng.uniform(2.2, 3.4), 0))
    else:
        stage.put(street_props.fence(rng), (0, rng.uniform(2.6, 3.4), 0))
        for _ in range(int(rng.integers(2, 5))):
            stage.put(nature.tree(rng), (rng.uniform(-12, 12), rng.uniform(6, 14), 0))
        _horizon(rng, stage)
    for _ in range(int(rng.integers(1, 4))):
        maker = (nature.bush, nature.flowers, nature.potted_plant)[rng.integers(3)]
        stage.put(
            maker(rng),
            (rng.choice([-1, 1]) * rng.uniform(1.2, 4), rng.uniform(1.7, 2.1), 0),
            rng.uniform(0, 360),
        )
    stage.spot = (0.0, float(rng.uniform(-0.8, 0.0)), 0.0)
    stage.reach = (3.5, 3.5, 1.6, 1.3)
    return stage
