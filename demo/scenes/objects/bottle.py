"""Bottles: wine, water, milk, spray and sauce, of glass or plastic, full or empty."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, box, cylinder, lathe
from demo.scenes.palette import bright, varied
from demo.scenes.thing import Thing

SIDES = 36
GLASS = ((0.10, 0.28, 0.13), (0.35, 0.18, 0.06), (0.62, 0.74, 0.72), (0.12, 0.22, 0.42), (0.06, 0.07, 0.07))


def bottle(rng: np.random.Generator) -> Thing:
    """A bottle, 18 to 34 cm tall."""
    design = (_wine, _water, _milk, _spray, _sauce)[rng.integers(5)]
    thing = Thing("bottle", yaw=180, elevation=(2, 18))
    design(rng, thing)
    return thing


def _body(rng: np.random.Generator, glass: float = 0.6) -> texture.Texture:
    """Glass in a bottle's colours or any bright one, else plastic."""
    if rng.random() >= glass:
        return texture.plastic(rng, bright(rng))
    base = varied(rng, GLASS[rng.integers(len(GLASS))]) if rng.random() < 0.6 else bright(rng)
    return texture.coloured_glass(rng, base)


def _band(radius: float, low: float, high: float) -> Mesh:
    """A label around the body: a hair wider than it."""
    return lathe([[radius, low], [radius, high]], SIDES, closed=False)


def _label(rng: np.random.Generator, thing: Thing, radius: float, low: float, high: float) -> None:
    thing.add("label", texture.paper(rng, bright(rng)), _band(radius * 1.02 + 0.0005, low, high))
    if rng.random() < 0.6:
        middle, half = (low + high) / 2, (high - low) * rng.uniform(0.1, 0.2)
        stripe = _band(radius * 1.02 + 0.0012, middle - half, middle + half)
        thing.add("label", texture.paper(rng, bright(rng)), stripe)


def _wine(rng: np.random.Generator, thing: Thing) -> None:
    radius, shoulder, top = rng.uniform(0.034, 0.042), rng.uniform(0.17, 0.21), rng.uniform(0.29, 0.33)
    glass = _body(rng, 0.95)
    steep = rng.uniform(0.02, 0.07)
    body = [[radius * 0.94, 0], [radius, 0.008], [radius, shoulder], [radius * 0.62, shoulder + steep * 0.6]]
    thing.add("body", glass, lathe([*body, [0.0145, shoulder + steep]], SIDES))
    thing.add("neck", glass, lathe([[0.0145, shoulder + steep - 0.001], [0.0135, top]], SIDES))
    cap = texture.wood(rng) if rng.random() < 0.4 else texture.enamel(rng, bright(rng))
    thing.add("cap", cap, lathe([[0.0165, top - 0.035], [0.0165, top + 0.006]], SIDES))
    if rng.random() < 0.85:
        _label(rng, thing, radius, 0.05, shoulder - 0.03)


def _water(rng: np.random.Generator, thing: Thing) -> None:
    radius, height = rng.uniform(0.03, 0.04), rng.uniform(0.20, 0.27)
    rings = np.linspace(0.01, height * 0.72, 18)
    profile = [[radius * (1 - 0.05 * (i % 3 == 1)), z] for i, z in enumerate(rings)]
    body = _body(rng, 0.35)
    thing.add("body", body, lathe([[radius * 0.9, 0], *profile, [radius * 0.75, height * 0.82]], SIDES))
    thing.add(
        "neck", body, lathe([[radius * 0.75, height * 0.819], [0.014, height * 0.9], [0.013, height]], SIDES)
    )
    lid = [[0.0165, height - 0.004], [0.0165, height + 0.014]]
    thing.add("cap", texture.plastic(rng, bright(rng)), lathe(lid, SIDES))
    _label(rng, thing, radius, height * 0.3, height * 0.52)


def _milk(rng: np.random.Generator, thing: Thing) -> None:
    radius, height = rng.uniform(0.04, 0.05), rng.uniform(0.19, 0.24)
    glass = texture.ceramic(rng, bright(rng)) if rng.random() < 0.3 else _body(rng, 0.7)
    thing.add(
        "body",
        glass,
        lathe(
            [[radius * 0.9, 0], [radius, 0.01], [radius, height * 0.58], [radius * 0.55, height * 0.8]], SIDES
        ),
    )
    thing.add(
        "neck",
        glass,
        lathe(
            [
                [radius * 0.55, height * 0.799],
                [radius * 0.5, height * 0.93],
                [radius * 0.6, height * 0.96],
                [radius * 0.6, height],
            ],
            SIDES,
        ),
    )
    if rng.random() < 0.6:
        lid = [[radius * 0.63, height - 0.012], [radius * 0.63, height + 0.006]]
        thing.add("cap", texture.enamel(rng, bright(rng)), lathe(lid, SIDES))
    if rng.random() < 0.5:
        _label(rng, thing, radius, height * 0.15, height * 0.5)


def _spray(rng: np.random.Generator, thing: Thing) -> None:
    radius, height = rng.uniform(0.034, 0.044), rng.uniform(0.16, 0.21)
    thing.add(
        "body",
        _body(rng, 0.1),
        lathe(
            [[radius * 0.95, 0], [radius, 0.01], [radius * 0.92, height * 0.7], [radius * 0.45, height]],
            SIDES,
        ),
    )
    head = texture.plastic(rng, bright(rng))
    thing.add(
        "cap",
        head,
        [
            cylinder((0, 0, height), (0, 0, height + 0.03), 0.016),
            box((0.075, 0.026, 0.024), (-0.016, 0, height + 0.045)),
            cylinder((-0.05, 0, height + 0.045), (-0.068, 0, height + 0.045), 0.008),
        ],
    )
    thing.add("handle", head, box((0.008, 0.014, 0.045), (-0.03, 0, height + 0.018)))
    _label(rng, thing, radius * 0.97, height * 0.15, height * 0.6)


def _sauce(rng: np.random.Generator, thing: Thing) -> None:
    half, height = rng.uniform(0.026, 0.034), rng.uniform(0.15, 0.20)
    body = _body(rng, 0.5)
    thing.add(
        "body", body, box((half * 2, half * 1.5, height * 0.72), (0, 0, height * 0.36), radius=half * 0.4)
    )
    thing.add(
        "neck", body, lathe([[half * 0.7, height * 0.70], [0.011, height * 0.84], [0.011, height]], SIDES)
    )
    lid = [[0.015, height - 0.01], [0.013, height + 0.02]]
    thing.add("cap", texture.plastic(rng, bright(rng)), lathe(lid, SIDES))
    label = box(
        (half * 2 + 0.003, half * 1.5 + 0.003, height * 0.4), (0, 0, height * 0.34), radius=half * 0.4
    )
    thing.add("label", texture.paper(rng, bright(rng)), label)
