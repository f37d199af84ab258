"""Scenes composed once for all tests: every class in every setting that can hold it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from demo.scenes import compose as composing
from demo.scenes import sky, texture
from demo.scenes.casting import CLASSES
from demo.scenes.scene import Scene
from demo.scenes.stage import Stage
from demo.scenes.thing import Thing

SEED = 3
SMALL = 16
PAIRS = [(name, place) for name in sorted(CLASSES) for place in CLASSES[name].settings]
FEW = PAIRS[::4]  # every class is among them


class Composed(NamedTuple):
    """A scene and how it came about.

    Attributes:
        target: where it stands.
        tried: what `Stage.try_put` found room for, in order; `before` of them stood before the target did.
    """

    name: str
    place: str
    scene: Scene
    stage: Stage
    target: Thing
    tried: list[Thing]
    before: int


@pytest.fixture(scope="module")
def small_textures() -> Iterator[None]:
    """Surfaces of 16 pixels: other scenes than the shipped ones, drawn by the same rules in less time."""
    steps = np.arange(SMALL) / SMALL
    y, x = np.meshgrid(steps, steps, indexing="ij")
    blank = texture.Texture("sky", np.zeros((texture.SIDE, SMALL, 3), np.uint8), 1.0)  # windows cut it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sky, "_texture", lambda *_: blank)
        for name, value in {
            "SIDE": SMALL, "_X": x, "_Y": y, "_FREQUENCY": np.fft.fftfreq(SMALL) * SMALL,
        }.items():  # fmt: skip
            patch.setattr(texture, name, value)
        yield


def compose_in(name: str, place: str, seed: int = SEED) -> Composed:
    """The scene of a class and a seed, in a setting of our choice."""
    stood: list[tuple[Stage, Thing, int]] = []
    tried: list[Thing] = []
    make_target, try_put = composing._target, Stage.try_put

    def noted_target(rng, stage, *rest):
        stood.append((stage, make_target(rng, stage, *rest), len(tried)))
        return stood[-1][1]

    def noted_put(self, *args, **options):
        thing = try_put(self, *args, **options)
        tried.extend([thing] if thing is not None else [])
        return thing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composing, "_target", noted_target)
        patch.setattr(Stage, "try_put", noted_put)
        patch.setitem(composing.CLASSES, name, CLASSES[name]._replace(settings={place: 1.0}))
        scene = composing.compose(name, seed)
    stage, target, before = stood[0]
    return Composed(name, place, scene, stage, target, tried, before)


@pytest.fixture(scope="module")
def composed(small_textures: None, request: pytest.FixtureRequest) -> list[Composed]:
    """All pairs of a class and a setting with --slow, else a quarter of them."""
    return [compose_in(name, place) for name, place in (PAIRS if request.config.getoption("--slow") else FEW)]
