"""Tileable procedural textures: what a surface is made of, and what it looks like.

A `Texture` names its material, so that a picture and its annotation cannot disagree about it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator
SIDE = 256
_FREQUENCY = np.fft.fftfreq(SIDE) * SIDE
_Y, _X = np.meshgrid(np.arange(SIDE) / SIDE, np.arange(SIDE) / SIDE, indexing="ij")


@dataclass(frozen=True, eq=False)
class Texture:
    """A square of surface.

    Attributes:
        material: as annotated.
        pixels: (256, 256, 3) uint8 sRGB, tileable.
        metres: length of one side.
        metallic, roughness: 0–1, of the renderer's reflection model.
        glow: 0–1, light that the surface gives itself.
    """

    material: str
    pixels: NDArray[np.uint8]
    metres: float
    metallic: float = 0.0
    roughness: float = 0.9
    glow: float = 0.0

    def glowing(self, glow: float) -> Texture:
        """The same surface, lit from inside."""
        return replace(self, glow=glow)


def _made(
    material: str, colour: Array, metres: float, metallic: float = 0.0, roughness: float = 0.9
) -> Texture:
    pixels = (np.clip(colour, 0, 1) * 255).astype(np.uint8)
    return Texture(material, pixels, metres, metallic, roughness)


def noise(
    rng: Rng, falloff: float = 1.0, along: float = 1.0, across: float = 1.0, lowest: float = 0
) -> Array:
    """(256, 256) tileable noise of deviation 1; amplitude falls as frequency**−falloff.

    Args:
        rng: drawn from.
        falloff: 0 is white noise, 2 soft clouds.
        along: above 1 makes features shorter in that direction, below 1 longer.
        across: above 1 makes features shorter in that direction, below 1 longer.
        lowest: frequencies below it are left out.
    """
    frequency = np.hypot(_FREQUENCY[:, None] * across, _FREQUENCY[None] * along)
    spectrum = np.fft.fft2(rng.normal(size=(SIDE, SIDE))) / np.maximum(frequency, 1) ** falloff
    spectrum[frequency < lowest] = 0
    spectrum[0, 0] = 0
    field = np.fft.ifft2(spectrum).real
    return field / (field.std() + 1e-9)


def _shaded(base: ArrayLike, field: Array, strength: float = 1.0) -> Array:
    return np.asarray(base, float)[None, None] * (1 + strength * field)[..., None]


def _pick(rng: Rng, choices: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    return choices[rng.integers(len(choices))]


WOODS = [(0.62, 0.42, 0.24), (0.42, 0.25, 0.13), (0.75, 0.58, 0.38), (0.52, 0.33, 0.20), (0.33, 0.20, 0.12)]
METALS = [(0.62, 0.63, 0.65), (0.25, 0.26, 0.28), (0.72, 0.56, 0.30), (0.45, 0.46, 0.48), (0.12, 0.12, 0.13)]


def wood(rng: Rng, base: ArrayLike | None = None) -> Texture:
    """Varnished wood with its grain along the first texture coordinate."""
    base = _pick(rng, WOODS) if base is None else base
    rings = np.sin(2 * np.pi * (_Y * rng.integers(5, 9) + 0.55 * noise(rng, 1.6, 0.25, 1.0)))
    fibres = noise(rng, 0.6, 0.12, 1.5)
    return _made("wood", _shaded(base, 0.13 * rings + 0.09 * fibres), 0.9, 0, rng.uniform(0.45, 0.75))


def painted_wood(rng: Rng, base: ArrayLike) -> Texture:
    """Wood under paint: a trace of grain."""
    return _made("wood", _shaded(base, noise(rng, 0.6, 0.1, 1.5), 0.05), 0.8, 0, 0.5)


def planks(rng: Rng, base: ArrayLike | None = None) -> Texture:
    """Floor boards."""
    colour = wood(rng, base).pixels / 255.0
    rows = 8
    row = np.floor(_Y * rows).astype(int)
    colour = colour * (1 + 0.11 * rng.normal(size=rows)[row])[..., None]
    joint = np.abs((_X + rng.uniform(size=rows)[row]) % 1 - 0.5) < 0.004
    colour[((_Y * rows) % 1 < 0.05) | joint] *= 0.5
    return _made("wood", colour, 1.2, 0, 0.5)


def bark(rng: Rng) -> Texture:
    """Bark."""
    base = _pick(rng, [(0.38, 0.28, 0.20), (0.50, 0.42, 0.34), (0.30, 0.22, 0.16)])
    return _made("wood", _shaded(base, noise(rng, 0.8, 0.25, 1.0), 0.2), 0.8, 0, 1.0)


def metal(rng: Rng, base: ArrayLike | None = None) -> Texture:
    """Brushed metal."""
    base = _pick(rng, METALS) if base is None else base
    return _made(
        "metal",
        _shaded(base, noise(rng, 0.4, 0.05, 1.2), 0.05),
        0.5,
        rng.uniform(0.6, 0.95),
        rng.uniform(0.3, 0.5),
    )


def enamel(rng: Rng, base: ArrayLike) -> Texture:
    """Painted metal: coachwork, a refrigerator's door."""
    return _made("metal", _shaded(base, noise(rng, 1.5), 0.02), 1.0, 0.15, 0.28)


def glass(rng: Rng, base: ArrayLike = (0.16, 0.22, 0.28)) -> Texture:
    """A window pane, dark with slanting reflections."""
    streak = np.clip(np.sin(2 * np.pi * (_X + _Y) + noise(rng, 2.2) * 0.5), 0, 1) ** 3
    light = 0.28 * streak[..., None] * np.array([0.8, 0.95, 1.05])
    return _made("glass", np.asarray(base, float) + light, 1.7, 0.25, 0.12)


def coloured_glass(rng: Rng, base: ArrayLike) -> Texture:
    """Glass of a vase or a bottle, with highlights along it."""
    streak = np.clip(np.sin(2 * np.pi * (_X * 3 + 0.1 * noise(rng, 2))), 0, 1) ** 6
    return _made("glass", _shaded(base, noise(rng, 1.8), 0.08) + 0.25 * streak[..., None], 1.0, 0.1, 0.08)


def frosted(rng: Rng, base: ArrayLike = (0.93, 0.92, 0.85)) -> Texture:
    """White glass of a lamp."""
    return _made("glass", _shaded(base, noise(rng, 1.5), 0.02), 1.0, 0, 0.35)


def mirror(rng: Rng) -> Texture:
    """A mirror, showing something vague."""
    return _made("glass", _shaded((0.72, 0.77, 0.80), noise(rng, 2.2), 0.10), 1.5, 0.8, 0.08)


def fabric(rng: Rng, base: ArrayLike, pattern: int | None = None) -> Texture:
    """Cloth; pattern 0 plain, 1 stripes, 2 checks, 3 dots, drawn where None."""
    pattern = int(rng.integers(4)) if pattern is None else pattern
    first = np.asarray(base, float)
    second = np.clip(first * rng.uniform(0.35, 0.7) + rng.uniform(0, 0.3, 3), 0, 1)
    share = {
        0: np.zeros((SIDE, SIDE)),
        1: (np.sin(2 * np.pi * _X * 6) > 0.2) * 1.0,
        2: 0.5 * ((np.sin(2 * np.pi * _X * 4) > 0.3) * 1.0 + (np.sin(2 * np.pi * _Y * 4) > 0.3)),
        3: (np.hypot((_X * 5) % 1 - 0.5, (_Y * 5) % 1 - 0.5) < 0.27) * 1.0,
    }[pattern][..., None]
    weave = np.sin(2 * np.pi * _X * 64) * np.sin(2 * np.pi * _Y * 64)
    colour = (first * (1 - share) + second * share) * (1 + 0.10 * weave + 0.07 * noise(rng, 0.4))[..., None]
    return _made("fabric", colour, 0.45, 0, 0.95)


def leather(rng: Rng, base: ArrayLike) -> Texture:
    """Leather."""
    return _made("leather", _shaded(base, noise(rng, 0.5, lowest=6), 0.07), 0.6, 0, 0.5)


def wicker(rng: Rng, base: ArrayLike = (0.66, 0.48, 0.28)) -> Texture:
    """Woven willow."""
    weave = np.sin(2 * np.pi * _X * 16 + np.pi * (np.floor(_Y * 16) % 2)) * np.abs(np.sin(np.pi * _Y * 16))
    return _made("wicker", _shaded(base, 0.28 * weave + 0.05 * noise(rng, 0.5)), 0.4, 0, 0.9)


def plastic(rng: Rng, base: ArrayLike) -> Texture:
    """Plastic."""
    return _made("plastic", _shaded(base, noise(rng, 1.2), 0.015), 1.0, 0, 0.35)


def rubber(rng: Rng, base: ArrayLike = (0.06, 0.06, 0.065)) -> Texture:
    """Rubber of a tyre."""
    return _made("rubber", _shaded(base, noise(rng, 0.3), 0.2), 0.3, 0, 0.9)


def ceramic(rng: Rng, base: ArrayLike) -> Texture:
    """Glazed ceramic."""
    return _made("ceramic", _shaded(base, noise(rng, 1.5), 0.03), 1.0, 0, 0.15)


def banded_ceramic(rng: Rng, base: ArrayLike, second: ArrayLike) -> Texture:
    """Painted pottery: bands across the profile, with a zigzag in some."""
    bands = np.sin(
        2 * np.pi * _X * rng.integers(3, 7) + 0.8 * np.abs(((_Y * 12) % 1) - 0.5) * rng.integers(0, 4)
    )
    share = (bands > rng.uniform(0.1, 0.6))[..., None]
    colour = (
        np.where(share, np.asarray(second, float), np.asarray(base, float))
        * (1 + 0.03 * noise(rng, 1.5))[..., None]
    )
    return _made("ceramic", colour, 0.6, 0, 0.2)


def brick(rng: Rng, base: ArrayLike | None = None) -> Texture:
    """A brick wall with mortar."""
    base = (
        _pick(rng, [(0.60, 0.26, 0.19), (0.68, 0.40, 0.28), (0.50, 0.22, 0.20), (0.72, 0.62, 0.50)])
        if base is None
        else base
    )
    rows, columns = 8, 4
    row = np.floor(_Y * rows).astype(int)
    shifted = _X * columns + 0.5 * (row % 2)
    column = np.floor(shifted).astype(int) % columns
    change = rng.normal(size=(rows, columns, 3)) * 0.05 + rng.normal(size=(rows, columns, 1)) * 0.09
    colour = np.asarray(base, float) * (1 + change[row, column]) * (1 + 0.10 * noise(rng, 0.5))[..., None]
    mortar = ((_Y * rows) % 1 < 0.12) | (shifted % 1 < 0.055)
    colour[mortar] = np.array([0.72, 0.70, 0.66]) * (1 + 0.06 * noise(rng, 0.5)[mortar])[:, None]
    return _made("brick", colour, 1.0, 0, 0.9)


def plaster(rng: Rng, base: ArrayLike) -> Texture:
    """A painted wall."""
    return _made("plaster", _shaded(base, 0.5 * noise(rng, 1.2) + 0.5 * noise(rng, 0.3), 0.035), 1.5, 0, 0.95)


def wallpaper(rng: Rng, base: ArrayLike) -> Texture:
    """Striped wallpaper."""
    stripe = np.sin(2 * np.pi * _X * rng.integers(3, 7)) > rng.uniform(-0.2, 0.6)
    colour = np.where(
        stripe[..., None], np.asarray(base, float) * rng.uniform(0.8, 0.92), np.asarray(base, float)
    )
    return _made("paper", colour * (1 + 0.02 * noise(rng, 0.4))[..., None], 1.0, 0, 0.95)


def paint(rng: Rng, base: ArrayLike) -> Texture:
    """Road marking."""
    return _made("paint", _shaded(base, noise(rng, 0.4), 0.05), 1.0, 0, 0.8)


def paper(rng: Rng, base: ArrayLike) -> Texture:
    """Plain paper or card."""
    return _made("paper", _shaded(base, noise(rng, 1.0), 0.03), 1.0, 0, 0.9)


def picture(rng: Rng) -> Texture:
    """Something painted: a horizon and patches, uv from 0 to 1."""
    colour = np.ones((SIDE, SIDE, 3)) * rng.uniform(0.3, 0.9, 3)
    colour[0.35 + 0.3 * rng.random() < _Y] = rng.uniform(0.1, 0.8, 3)
    field = noise(rng, 1.9)
    for level in (0.3, 0.9, 1.5):
        colour[field > level] = rng.uniform(0.1, 0.95, 3)
    return _made("paper", colour, 1.0, 0, 0.8)


def concrete(rng: Rng, base: ArrayLike = (0.62, 0.61, 0.58)) -> Texture:
    """Concrete or plain stone."""
    return _made("stone", _shaded(base, 0.6 * noise(rng, 1.1) + 0.4 * noise(rng, 0.1), 0.10), 1.6, 0, 0.95)


def paving(rng: Rng, base: ArrayLike = (0.66, 0.63, 0.58)) -> Texture:
    """Paving stones."""
    rows = 4
    row, column = np.floor(_Y * rows).astype(int), np.floor(_X * rows).astype(int)
    change = rng.normal(size=(rows, rows)) * 0.05
    colour = _shaded(base, change[row, column] + 0.06 * noise(rng, 0.6))
    colour[((_Y * rows) % 1 < 0.05) | ((_X * rows) % 1 < 0.05)] *= 0.72
    return _made("stone", colour, 2.0, 0, 0.9)


def asphalt(rng: Rng) -> Texture:
    """A road's surface."""
    base = np.ones(3) * rng.uniform(0.25, 0.4)
    return _made("asphalt", _shaded(base, 0.5 * noise(rng, 0) + 0.5 * noise(rng, 1.3), 0.15), 2.0, 0, 0.92)


def tiles(rng: Rng, base: ArrayLike, second: ArrayLike | None = None) -> Texture:
    """Ceramic floor or wall tiles, chequered where there is a second colour."""
    rows = 4
    row, column = np.floor(_Y * rows).astype(int), np.floor(_X * rows).astype(int)
    colour = np.ones((SIDE, SIDE, 3)) * np.asarray(base, float)
    if second is not None:
        colour[(row + column) % 2 == 0] = second
    colour *= (1 + 0.03 * noise(rng, 1.5))[..., None]
    colour[((_Y * rows) % 1 < 0.04) | ((_X * rows) % 1 < 0.04)] = 0.55
    return _made("ceramic", colour, 1.6, 0, 0.25)


def roof_tiles(rng: Rng) -> Texture:
    """Clay tiles of a roof."""
    base = _pick(rng, [(0.55, 0.25, 0.17), (0.42, 0.20, 0.16), (0.38, 0.38, 0.40)])
    wave = np.abs(np.sin(np.pi * _X * 10)) * 0.25 + ((_Y * 8) % 1) * 0.2
    return _made("ceramic", _shaded(base, wave - 0.2 + 0.06 * noise(rng, 0.5)), 1.6, 0, 0.9)


def grass(rng: Rng) -> Texture:
    """A meadow, with paler and yellower patches."""
    blades, patches = noise(rng, 0.25, 1.0, 0.5), noise(rng, 1.6)
    colour = _shaded((0.24 + rng.uniform(-0.05, 0.08), 0.40, 0.12), 0.26 * blades + 0.08 * patches)
    colour[..., 0] *= 1 + 0.10 * patches
    return _made("grass", colour, 2.3, 0, 1.0)


def foliage(rng: Rng, base: ArrayLike | None = None) -> Texture:
    """Leaves: clusters of light and dark."""
    greens = [
        (0.20, 0.38, 0.12),
        (0.30, 0.44, 0.14),
        (0.14, 0.30, 0.14),
        (0.45, 0.46, 0.14),
        (0.66, 0.40, 0.13),
    ]
    base = greens[rng.choice(5, p=[0.3, 0.25, 0.25, 0.1, 0.1])] if base is None else base
    leaves, clusters = noise(rng, 0.45, lowest=9), noise(rng, 0.9, lowest=3)
    light = 0.55 * np.tanh(1.4 * leaves) + 0.25 * np.tanh(clusters)
    colour = _shaded(base, light) + 0.02 * leaves[..., None] * np.array([1, 1, 0])
    return _made("foliage", colour, 0.9, 0, 1.0)


def petals(rng: Rng, base: ArrayLike) -> Texture:
    """A flower's petals."""
    return _made("foliage", _shaded(base, noise(rng, 0.8, 0.2, 1.0), 0.12), 0.3, 0, 0.9)


def dirt(rng: Rng) -> Texture:
    """Bare earth."""
    return _made(
        "earth", _shaded((0.50, 0.39, 0.27), 0.5 * noise(rng, 1) + 0.5 * noise(rng, 0.1), 0.16), 1.5, 0, 1.0
    )


def sand(rng: Rng) -> Texture:
    """Sand."""
    return _made(
        "sand", _shaded((0.80, 0.71, 0.53), 0.4 * noise(rng, 1.2) + 0.6 * noise(rng, 0.1), 0.07), 1.5, 0, 1.0
    )


def rock(rng: Rng) -> Texture:
    """Rock."""
    base = _pick(rng, [(0.48, 0.46, 0.43), (0.58, 0.52, 0.44), (0.36, 0.37, 0.39)])
    return _made("stone", _shaded(base, noise(rng, 0.9), 0.2), 1.4, 0, 1.0)


def water(rng: Rng) -> Texture:
    """Waves with glints."""
    waves = noise(rng, 1.25, 0.35, 1.0)
    base = _pick(rng, [(0.10, 0.27, 0.38), (0.13, 0.36, 0.42), (0.16, 0.33, 0.50)])
    glint = np.clip(waves - 1.0, 0, 1)[..., None]
    return _made("water", _shaded(base, 0.16 * waves) + 0.35 * glint, 3.5, 0, 0.18)


FURS = [
    (0.80, 0.50, 0.24),
    (0.55, 0.50, 0.44),
    (0.13, 0.12, 0.12),
    (0.90, 0.88, 0.83),
    (0.45, 0.36, 0.27),
    (0.62, 0.62, 0.64),
]
_STRIPES = {0: 0.6, 1: 0.5, 4: 0.42}  # how dark a coat's stripes are


def fur(rng: Rng, coat: int | None = None) -> Texture:
    """A coat of `FURS`: ginger, tabby, black, white, brown or grey; some striped or patched."""
    coat = int(rng.integers(len(FURS))) if coat is None else coat
    colour = _shaded(FURS[coat], noise(rng, 0.55, 0.5, 0.9), 0.13)
    patches = noise(rng, 1.7)
    if coat in _STRIPES:
        stripe = np.clip(1.6 * np.sin(2 * np.pi * (_X * 7 + 0.16 * patches)) - 0.25, 0, 1)
        colour *= (1 - (1 - _STRIPES[coat]) * stripe)[..., None]
    elif coat == 5 and rng.random() < 0.5:
        colour[patches > 0.6] *= 0.45
    return _made("fur", colour, 0.62, 0, 0.95)


def skin(rng: Rng, base: ArrayLike) -> Texture:
    """Bare skin: a cat's nose and the inside of its ear."""
    return _made("skin", _shaded(base, noise(rng, 1.2), 0.02), 1.0, 0, 0.6)


def fruit(rng: Rng, base: ArrayLike) -> Texture:
    """The skin of a fruit, or bread."""
    return _made("food", _shaded(base, noise(rng, 1.4), 0.08), 0.3, 0, 0.5)
