"""Surfaces: their form, whether they tile, what they are made of; and the colours of painted things."""

from __future__ import annotations

import numpy as np
import pytest

from demo.scenes import palette, texture
from interpret_core.datasets.colours import COLOUR_NAMES, name_indices

PLAIN = (0.6, 0.4, 0.2)
MADE = {
    "asphalt": (texture.asphalt, "asphalt"),
    "banded_ceramic": (lambda rng: texture.banded_ceramic(rng, PLAIN, (0.1, 0.2, 0.6)), "ceramic"),
    "bark": (texture.bark, "wood"),
    "brick": (texture.brick, "brick"),
    "ceramic": (lambda rng: texture.ceramic(rng, PLAIN), "ceramic"),
    "coloured_glass": (lambda rng: texture.coloured_glass(rng, PLAIN), "glass"),
    "concrete": (texture.concrete, "stone"),
    "dirt": (texture.dirt, "earth"),
    "enamel": (lambda rng: texture.enamel(rng, PLAIN), "metal"),
    **{
        f"fabric {pattern}": (lambda rng, pattern=pattern: texture.fabric(rng, PLAIN, pattern), "fabric")
        for pattern in range(4)
    },
    "foliage": (texture.foliage, "foliage"),
    "frosted": (texture.frosted, "glass"),
    "fruit": (lambda rng: texture.fruit(rng, PLAIN), "food"),
    **{f"fur {coat}": (lambda rng, coat=coat: texture.fur(rng, coat), "fur") for coat in range(6)},
    "glass": (texture.glass, "glass"),
    "grass": (texture.grass, "grass"),
    "leather": (lambda rng: texture.leather(rng, PLAIN), "leather"),
    "metal": (texture.metal, "metal"),
    "mirror": (texture.mirror, "glass"),
    "paint": (lambda rng: texture.paint(rng, PLAIN), "paint"),
    "painted_wood": (lambda rng: texture.painted_wood(rng, PLAIN), "wood"),
    "paper": (lambda rng: texture.paper(rng, PLAIN), "paper"),
    "paving": (texture.paving, "stone"),
    "petals": (lambda rng: texture.petals(rng, PLAIN), "foliage"),
    "planks": (texture.planks, "wood"),
    "plaster": (lambda rng: texture.plaster(rng, PLAIN), "plaster"),
    "plastic": (lambda rng: texture.plastic(rng, PLAIN), "plastic"),
    "rock": (texture.rock, "stone"),
    "roof_tiles": (texture.roof_tiles, "ceramic"),
    "rubber": (texture.rubber, "rubber"),
    "sand": (texture.sand, "sand"),
    "skin": (lambda rng: texture.skin(rng, PLAIN), "skin"),
    "tiles": (lambda rng: texture.tiles(rng, PLAIN, (0.9, 0.9, 0.9)), "ceramic"),
    "wallpaper": (lambda rng: texture.wallpaper(rng, PLAIN), "paper"),
    "water": (texture.water, "water"),
    "wicker": (texture.wicker, "wicker"),
    "wood": (texture.wood, "wood"),
}
STRETCHED = {"picture"}  # laid over a board once, never repeated


def test_every_maker_is_here():
    makers = {
        name
        for name, made in vars(texture).items()
        if not name.startswith("_")
        and callable(made)
        and getattr(made, "__annotations__", {}).get("return") == "Texture"
    }
    assert makers - {name.split()[0] for name in MADE} == STRETCHED


@pytest.mark.parametrize("name", MADE)
def test_a_texture_has_its_form_and_material(name):
    maker, material = MADE[name]
    made = maker(np.random.default_rng(1))
    assert made.pixels.shape == (texture.SIDE, texture.SIDE, 3)
    assert made.pixels.dtype == np.uint8
    assert made.material == material
    assert made.metres > 0
    assert 0 <= made.metallic <= 1
    assert 0 <= made.roughness <= 1
    assert made.glow == 0
    assert made.glowing(0.5).glow == 0.5
    assert made.pixels.std() > 0.3, "a surface without structure"


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", MADE)
def test_a_texture_tiles(name, axis):
    """From the last line to the first is no larger a step than between lines somewhere inside."""
    pixels = np.moveaxis(MADE[name][0](np.random.default_rng(2)).pixels.astype(float), axis, 0)
    step = np.abs(np.roll(pixels, -1, 0) - pixels).mean((1, 2))
    assert step[-1] <= 1.1 * step[:-1].max() + 0.3


def test_the_check_of_tiling_sees_a_seam():
    pixels = texture.picture(np.random.default_rng(2)).pixels.astype(float)
    step = np.abs(np.roll(pixels, -1, 0) - pixels).mean((1, 2))
    assert step[-1] > 1.1 * step[:-1].max() + 0.3


def test_noise_has_its_deviation_and_falls_off():
    rng = np.random.default_rng(0)
    white, soft = texture.noise(rng, 0), texture.noise(rng, 2)
    assert white.std() == pytest.approx(1)
    assert soft.std() == pytest.approx(1)
    assert np.abs(np.diff(soft)).mean() < 0.2 * np.abs(np.diff(white)).mean()
    assert abs(texture.noise(rng, 1, lowest=9).mean()) < 1e-9


@pytest.mark.parametrize("draw", [palette.bright, palette.pale])
def test_colours_are_in_range(draw):
    rng = np.random.default_rng(3)
    colours = np.array([draw(rng) for _ in range(500)])
    assert colours.min() >= 0.03
    assert colours.max() <= 0.97


def test_bright_colours_are_the_eleven_names():
    names = [
        COLOUR_NAMES[name_indices(np.rint(np.array(base) * 255).astype(np.uint8))] for base in palette.BRIGHT
    ]
    assert sorted(names) == sorted(COLOUR_NAMES)
    rng = np.random.default_rng(4)
    drawn = np.array([palette.bright(rng) for _ in range(1100)])
    of = np.array([np.abs(np.array(palette.BRIGHT) - colour).sum(1).argmin() for colour in drawn])
    assert (np.bincount(of, minlength=11) > 40).all()


def test_neutral_changes_the_lightness_alone():
    rng = np.random.default_rng(5)
    for _ in range(50):
        made = np.array(palette.neutral(rng, (0.6, 0.5, 0.4)))
        np.testing.assert_allclose(made / made[0], np.array([0.6, 0.5, 0.4]) / 0.6)
