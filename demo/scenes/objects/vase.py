"""Vases: tall, round, amphora, jug and square; empty, or with flowers or twigs."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Array, ball, box, curve, lathe, tube, turn
from demo.scenes.palette import bright
from demo.scenes.thing import Thing

SIDES = 40


def vase(rng: np.random.Generator) -> Thing:
    """A vase, 20 to 45 cm tall, flowers not counted."""
    thing = Thing("vase", yaw=180, elevation=(2, 20))
    design = ("tall", "round", "amphora", "jug", "square")[rng.integers(5)]
    height = rng.uniform(0.16, 0.26) if design == "square" else rng.uniform(0.22, 0.42)
    glaze = _glaze(rng)
    if design == "square":
        mouth = _square(thing, glaze, height, rng.uniform(0.06, 0.1))
    else:
        mouth = _turned(rng, thing, glaze, design, height)
    if design == "square" or rng.random() < 0.6:
        _flowers(rng, thing, height, mouth)
    return thing


def _glaze(rng: np.random.Generator) -> texture.Texture:
    kind = rng.random()
    if kind < 0.35:
        return texture.ceramic(rng, bright(rng))
    if kind < 0.65:
        return texture.banded_ceramic(rng, bright(rng), bright(rng))
    if kind < 0.85:
        return texture.coloured_glass(rng, bright(rng))
    return texture.metal(rng) if kind < 0.93 else texture.wood(rng)


def _profile(rng: np.random.Generator, design: str) -> tuple[Array, Array]:
    """Radius over height, both 0–1, of the foot-to-lip outline."""
    t = np.linspace(0, 1, 28)
    narrow = rng.uniform(0.25, 0.45)
    radius = {
        "tall": 0.75 + 0.25 * t**2 - 0.35 * np.sin(np.pi * t) * narrow,
        "round": narrow + (1 - narrow) * np.sin(np.pi * np.clip(t * 1.12 + 0.02, 0, 1)) ** 0.7,
        "amphora": narrow + (1 - narrow) * np.exp(-(((t - 0.58) / 0.27) ** 2)),
        "jug": narrow + 0.15 + (0.85 - narrow) * np.exp(-(((t - 0.33) / 0.25) ** 2)),
    }[design]
    lip = 0.22 * np.clip((t - 0.88) / 0.12, 0, 1) ** 2
    return radius + lip, t


def _turned(
    rng: np.random.Generator, thing: Thing, glaze: texture.Texture, design: str, height: float
) -> float:
    wide = (
        height * {"tall": 0.2, "round": 0.42, "amphora": 0.33, "jug": 0.34}[design] * rng.uniform(0.85, 1.15)
    )
    radius, t = _profile(rng, design)
    outside = np.stack([radius * wide, t * height], 1)
    neck = int(len(t) * 0.8)
    thing.add("body", glaze, lathe(outside[: neck + 1], SIDES, closed=True))
    inside = np.stack([radius[neck:][::-1] * wide * 0.86, t[neck:][::-1] * height], 1)
    thing.add("neck", glaze, lathe(np.concatenate([outside[neck:], inside]), SIDES, closed=False))
    if design in ("amphora", "jug"):
        sides = (-1, 1) if design == "amphora" else (1,)
        at_neck, at_body = radius[neck] * wide, radius[int(len(t) * 0.55)] * wide
        thing.add(
            "handle",
            glaze,
            [
                tube(
                    curve(
                        (s * at_neck, 0, height * 0.9),
                        (s * (at_neck + height * 0.22), 0, height * 0.95),
                        (s * (at_body + height * 0.16), 0, height * 0.6),
                        (s * at_body * 0.97, 0, height * 0.55),
                    ),
                    height * 0.028,
                )
                for s in sides
            ],
        )
    return float(radius[-1] * wide * 0.7)


def _square(thing: Thing, glaze: texture.Texture, height: float, half: float) -> float:
    thing.add("body", glaze, box((half * 2, half * 2, height), (0, 0, height / 2), radius=0.012))
    rim = [
        box(
            (half * 2 if along else 0.014, 0.014 if along else half * 2, 0.03),
            (x * (half - 0.007) * (not along), x * (half - 0.007) * along, height + 0.012),
            radius=0.005,
        )
        for along in (0, 1)
        for x in (-1, 1)
    ]
    thing.add("neck", glaze, rim)
    return half * 0.7


def _flowers(rng: np.random.Generator, thing: Thing, height: float, mouth: float) -> None:
    bunch = Thing("flower")
    stalks, leaves, number = [], [], int(rng.integers(3, 9))
    heads: list[Array] = []
    for _ in range(number):
        angle, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 1.0)
        out = np.array([np.cos(angle), np.sin(angle), 0.0])
        foot = out * mouth * lean * 0.8 + [0, 0, height * 0.7]
        top = out * (mouth + height * 0.45 * lean) + [0, 0, height * rng.uniform(1.3, 1.8)]
        stalks.append(
            tube(curve(foot, foot + [0, 0, height * 0.4], top - [0, 0, height * 0.2], top, 8), 0.004, 7)
        )
        leaf = ball((0.03, 0.008, 0.07), rings=10)
        leaves.append(leaf.moved(foot * 0.5 + top * 0.5, turn("z", rng.uniform(0, 360)) @ turn("x", 50)))
        heads.append(top)
    bunch.add("stem", texture.foliage(rng, (0.22, 0.40, 0.14)), stalks)
    bunch.add("leaf", texture.foliage(rng), leaves)
    colours = [texture.petals(rng, bright(rng)) for _ in range(int(rng.integers(1, 3)))]
    middle = texture.petals(rng, (0.85, 0.65, 0.12))
    size = rng.uniform(0.028, 0.05)
    for number_, head in enumerate(heads):
        petals = [
            ball((size * 0.75, size * 0.42, size * 0.2), rings=9).moved(
                head + turn("z", around) @ np.array([size * 0.75, 0, 0.004]),
                turn("z", around) @ turn("y", -18),
            )
            for around in np.linspace(0, 360, 7)[:-1]
        ]
        bunch.add("petal", colours[number_ % len(colours)], petals)
        bunch.add("petal", middle, ball((size * 0.36,) * 3, head + [0, 0, 0.008], rings=9))
    thing.hold(bunch)
