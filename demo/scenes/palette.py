"""Colours of painted things: drawn alike for every object, so that no colour gives a class away."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Colour = tuple[float, float, float]
BRIGHT: tuple[Colour, ...] = (
    (0.75, 0.10, 0.10),
    (0.10, 0.25, 0.65),
    (0.95, 0.75, 0.10),
    (0.10, 0.45, 0.22),
    (0.92, 0.92, 0.90),
    (0.92, 0.45, 0.08),
    (0.38, 0.14, 0.48),
    (0.12, 0.12, 0.13),
    (0.92, 0.55, 0.66),
    (0.42, 0.26, 0.14),
    (0.50, 0.50, 0.52),
)


def varied(rng: np.random.Generator, base: ArrayLike, spread: float = 0.04) -> Colour:
    """The same colour a little lighter or darker, its hue hardly moved."""
    light = rng.uniform(0.8, 1.12)
    return _colour(np.asarray(base, float) * light + rng.normal(size=3) * spread)


def bright(rng: np.random.Generator) -> Colour:
    """Any of the eleven colours with equal chance (light blue and dark blue are both blue)."""
    return varied(rng, BRIGHT[rng.integers(len(BRIGHT))])


def pale(rng: np.random.Generator) -> Colour:
    """A wall's colour: white, cream, or a light tint."""
    tints = (
        (0.90, 0.88, 0.84),
        (0.86, 0.80, 0.68),
        (0.72, 0.80, 0.84),
        (0.76, 0.82, 0.72),
        (0.86, 0.74, 0.72),
        (0.78, 0.76, 0.82),
        (0.82, 0.82, 0.80),
    )
    return varied(rng, tints[rng.integers(len(tints))], 0.015)


def neutral(rng: np.random.Generator, base: ArrayLike, spread: float = 0.15) -> Colour:
    """Lighter or darker and nothing else: pavements and stone must not turn pink."""
    return _colour(np.asarray(base, float) * rng.uniform(1 - spread, 1 + spread))


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = np.clip(values, 0.03, 0.97)
    return float(red), float(green), float(blue)
