"""Skies: a dome with a gradient and clouds, blue, hazy, overcast or at dusk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from demo.scenes.mesh import Mesh, ball
from demo.scenes.texture import SIDE, Texture
from demo.scenes.thing import Piece

RADIUS = 190.0
GLOW = 0.62
LOWEST = -0.25  # radians below the horizon at the foot of the picture


class Weather(NamedTuple):
    """Colour overhead and at the horizon; `cloud` from −1 (clear) to 1.5 (covered); chance of it."""

    overhead: tuple[float, float, float]
    horizon: tuple[float, float, float]
    cloud: tuple[float, float]
    chance: float


WEATHERS = {
    "blue": Weather((0.08, 0.27, 0.70), (0.50, 0.73, 0.96), (-1.2, 0.4), 0.55),
    "hazy": Weather((0.24, 0.48, 0.82), (0.72, 0.84, 0.95), (-0.8, 0.6), 0.2),
    "overcast": Weather((0.54, 0.59, 0.66), (0.80, 0.82, 0.85), (0.2, 1.2), 0.13),
    "dusk": Weather((0.24, 0.32, 0.62), (0.98, 0.70, 0.46), (-0.8, 0.5), 0.12),
}


def weather(rng: np.random.Generator) -> str:
    """One of `WEATHERS` by its chance."""
    names = list(WEATHERS)
    return names[rng.choice(len(names), p=[WEATHERS[name].chance for name in names])]


def sky(rng: np.random.Generator, kind: str) -> Piece:
    """The dome, seen from inside."""
    texture = _texture(rng, WEATHERS[kind])
    return Piece("sky", "", texture, _dome())


def _texture(rng: np.random.Generator, kind: Weather) -> Texture:
    elevation = np.linspace(np.pi / 2, LOWEST, SIDE)[:, None]
    around = np.linspace(0, 2 * np.pi, SIDE)[None]
    direction = np.stack(
        [
            np.cos(elevation) * np.cos(around),
            np.cos(elevation) * np.sin(around),
            np.sin(elevation) + 0 * around,
        ],
        -1,
    )
    height = np.clip(direction[..., 2], 0, 1)
    overhead = np.array(kind.overhead) * rng.uniform(0.85, 1.12)
    share = (height**0.4)[..., None]
    colour = np.array(kind.horizon) * (1 - share) + overhead * share
    # Waves in a plane above the viewer, so that clouds flatten towards the horizon.
    wave = rng.normal(size=(90, 3)) * np.exp(rng.uniform(0.4, 3.3, 90))[:, None] * [1, 1, 2.2]
    strength = 1 / np.linalg.norm(wave, axis=1) ** 0.85
    flat = direction / (height + 0.22)[..., None] * 0.9
    field = (np.cos(flat @ wave.T + rng.uniform(0, 6.3, 90)) * strength).sum(-1)
    field = (field - field.mean()) / field.std()
    cover = np.clip((field + rng.uniform(*kind.cloud)) * 0.9, 0, 1) * np.clip(height * 7, 0, 1)
    light = np.clip(field * 0.08 + 0.93, 0.7, 1)[..., None]
    colour = colour * (1 - 0.92 * cover[..., None]) + 0.92 * cover[..., None] * light * np.array([1, 1, 1.02])
    return Texture("sky", (np.clip(colour, 0, 1) * 255).astype(np.uint8), 1.0, 0, 1.0, GLOW)


def _dome() -> Mesh:
    sphere = ball(RADIUS, rings=40)
    elevation = np.arcsin(np.clip(sphere.vertices[:, 2] / RADIUS, -1, 1))
    across = np.tile(np.linspace(0, 1, 80), 40)
    down = np.clip((np.pi / 2 - elevation) / (np.pi / 2 - LOWEST), 0.002, 0.998)
    return sphere.mapped(np.stack([across, down], 1)).turned()
