"""From a class and a seed to a scene: setting, target, neighbours, something in front, camera."""

from __future__ import annotations

import numpy as np

from demo.scenes.camera import aim
from demo.scenes.casting import CLASSES, GROUND_IN, GROUND_OUT, ON_TABLE, Maker, Role
from demo.scenes.props import room, small, street
from demo.scenes.scene import Scene
from demo.scenes.settings import SETTINGS
from demo.scenes.stage import Stage
from demo.scenes.thing import Thing

Rng = np.random.Generator
SMALL_LAMPS = 0.7  # metres; lower lamps stand on something
TOY = (0.035, 0.06)
RUG = 0.018  # metres, its thickness


def compose(name: str, seed: int) -> Scene:
    """The scene of a class and a seed; the same arguments give the same scene.

    Args:
        name: one of `CLASSES`.
        seed: at least 0.
    """
    rng = np.random.default_rng([seed, sorted(CLASSES).index(name)])
    role = CLASSES[name]
    places = list(role.settings)
    weights = np.array([role.settings[place] for place in places], float)
    stage = SETTINGS[places[rng.choice(len(places), p=weights / weights.sum())]](rng)
    stood = _target(rng, stage, name, role)
    low, high = stood.bounds(own=False)
    span = float(max(high[0] - low[0], high[1] - low[1], 0.5 * (high[2] - low[2])))
    small_thing = span < 0.7
    if not small_thing:
        _around(rng, stage, GROUND_IN if stage.indoors else GROUND_OUT, stood, name)
    elif low[2] < stage.spot[2] + 0.05:  # on the ground: what lies about there is small too
        _around(rng, stage, (*ON_TABLE, small.carton, street.bucket), stood, name, scale=span)
    azimuth = (-58.0, 58.0) if name == "bus" and not stage.indoors else stage.azimuth
    camera = aim(rng, [stood], stood.elevation, azimuth)
    return Scene(stage.name, name, tuple(stage.pieces), stage.light, camera)


def _target(rng: Rng, stage: Stage, name: str, role: Role) -> Thing:
    """Make the target and stand it on the spot."""
    thing = role.maker(rng, stage.indoors)
    yaw = float(rng.uniform(-1, 1)) * thing.yaw
    toy = name in ("bus", "car") and stage.indoors and stage.name != "depot"
    if toy:
        thing = thing.placed(scale=float(rng.uniform(*TOY)))
        yaw = float(rng.uniform(-50, 50))
    if name == "bus" and not toy:
        yaw = float(rng.choice([0, 180]) if rng.random() < 0.3 else 0) + float(rng.uniform(-8, 8))
    if name == "lamp":
        raised = thing.bounds()[1][2] < SMALL_LAMPS
    else:
        raised = rng.random() < (0.6 if toy else role.raised)
    x, y, z = stage.spot
    if name in ("bus", "car") and stage.name == "street":
        y, z = -1.6 if name == "bus" else float(rng.choice([-2.4, 2.6])), 0.0
    if raised:
        z = _support(rng, stage, (x, y, z), thing)
    elif any(piece.object == "rug" for piece in stage.pieces):
        z += RUG
    turned = thing.placed(yaw=yaw)
    if stage.wall is not None:  # stay clear of the wall
        y = min(y, stage.wall - turned.bounds(own=False)[1][1] - float(rng.uniform(0.1, 0.4)))
    stood = stage.put(turned, (x, y, z))
    stage.claim(stood)
    if raised:
        _table_top(rng, stage, stood, z)
    return stood


def _support(rng: Rng, stage: Stage, place: tuple[float, float, float], thing: Thing) -> float:
    """Something to stand on; returns the height of its top."""
    x, y, z = place
    tall = float(rng.uniform(0.45, 0.8))
    kind = rng.random()
    if kind < 0.55:
        support = room.table(rng, tall, float(rng.uniform(0.8, 1.4)))
    elif kind < 0.85:
        support = room.cabinet(rng, tall, float(rng.uniform(0.7, 1.2)))
    else:
        low, high = thing.bounds(own=False)
        narrow = high[0] - low[0] < 0.3
        support = room.stool(rng) if narrow else room.table(rng, tall, 1.0)
    stood = stage.put(support, (x, y, z), float(rng.uniform(-12, 12)))
    stage.claim(stood)
    return float(stood.bounds()[1][2]) + 0.001


def _table_top(rng: Rng, stage: Stage, target: Thing, height: float) -> None:
    """Small things beside the target, some of them partly in front of it."""
    low, high = target.bounds(own=False)
    wide = max(float(high[0] - low[0]), 0.1)
    for _ in range(int(rng.integers(1, 4))):
        maker = ON_TABLE[rng.integers(len(ON_TABLE))]
        thing = maker(rng).placed(yaw=float(rng.uniform(-60, 60)))
        if thing.name == target.name:
            continue
        a, b = thing.bounds(own=False)
        if b[2] > 1.6 * max(float(high[2] - low[2]), 0.15):
            continue
        side = float(rng.choice([-1, 1]))
        shift = side * (wide / 2 + (b[0] - a[0]) / 2 + float(rng.uniform(-0.02, 0.12)))
        x, y = (low[0] + high[0]) / 2 + shift, (low[1] + high[1]) / 2 + float(rng.uniform(-0.14, 0.12))
        area = (x + a[0], y + a[1], x + b[0], y + b[1])
        own = (low[0], low[1], high[0], high[1])
        if area[0] < own[2] and own[0] < area[2] and area[1] < own[3] and own[1] < area[3]:
            continue
        stage.put(thing, (x, y, height))


def _around(
    rng: Rng, stage: Stage, makers: tuple[Maker, ...], target: Thing, name: str, scale: float | None = None
) -> None:
    """Other things on free ground: most beside and behind, one in three scenes with one partly in front."""
    low, high = target.bounds(own=False)
    middle, half = (low + high) / 2, (high - low) / 2
    left, right, behind, before = stage.reach if scale is None else (scale * 1.6,) * 4
    wanted = int(rng.integers(1, 5))
    front = 1 if rng.random() < 0.34 else 0
    for _ in range(wanted * 4):
        if wanted <= 0:
            return
        thing = makers[rng.integers(len(makers))](rng)
        if thing.name == name and rng.random() < 0.8:
            continue
        if front:
            x = middle[0] + rng.choice([-1, 1]) * half[0] * rng.uniform(0.5, 1.0)
            a, b = thing.bounds(own=False)
            if b[2] - a[2] > 0.7 * (high[2] - low[2]):
                continue
            y = low[1] - rng.uniform(0.15, 0.5) * before - b[1]
        else:
            x = middle[0] + rng.choice([-1, 1]) * (half[0] + rng.uniform(0.1, 0.6) * (left + right) / 2)
            y = middle[1] + rng.uniform(-0.3 * before, behind)
        yaw = float(rng.uniform(-1, 1)) * min(thing.yaw, 60.0)
        if stage.try_put(thing, (x, y, stage.spot[2]), yaw) is not None:
            wanted, front = wanted - 1, 0
