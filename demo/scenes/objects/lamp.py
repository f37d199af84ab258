"""Lamps: floor, table and desk lamps, street lamps with lantern, globes or a bent arm; lit or not."""

from __future__ import annotations

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import ball, curve, cylinder, lathe, tube, turn
from demo.scenes.palette import bright, varied
from demo.scenes.thing import Thing

CREAM = (0.92, 0.86, 0.72)
WARM = (1.0, 0.90, 0.66)
STREET = ((0.12, 0.13, 0.13), (0.12, 0.20, 0.16), (0.35, 0.36, 0.38))


def lamp(rng: np.random.Generator) -> Thing:
    """A lamp for a room."""
    return (floor_lamp, table_lamp, desk_lamp)[rng.integers(3)](rng)


def _glow(rng: np.random.Generator) -> float:
    """Light from inside; two lamps in three are on."""
    return float(rng.uniform(0.75, 1.0)) if rng.random() < 0.67 else 0.0


def _lamp(yaw: float = 180.0) -> Thing:
    return Thing("lamp", yaw=yaw, elevation=(2, 16))


def _cloth_shade(
    rng: np.random.Generator, thing: Thing, size: tuple[float, float, float], foot: float
) -> None:
    """A shade of lower radius, upper radius and height, standing at `foot`."""
    low, high, height = size
    cloth = texture.fabric(rng, bright(rng) if rng.random() < 0.5 else varied(rng, CREAM, 0.02))
    lit = _glow(rng)
    profile = [[low, foot], [(low + high) / 2, foot + height / 2], [high, foot + height]]
    thing.add("shade", cloth.glowing(lit * 0.75), lathe(profile, 36))
    thing.add("bulb", texture.frosted(rng, WARM).glowing(lit), ball((0.05,) * 3, (0, 0, foot - 0.01)))


def floor_lamp(rng: np.random.Generator) -> Thing:
    """A standing lamp, 1.4 to 1.7 m: a pole on a foot, or three legs."""
    thing = _lamp()
    height, low, shade = rng.uniform(1.35, 1.7), rng.uniform(0.2, 0.3), rng.uniform(0.26, 0.42)
    metal = texture.metal(rng)
    if rng.random() < 0.6:
        thing.add("base", metal, lathe([[0.17, 0], [0.17, 0.02], [0.05, 0.05], [0.02, 0.08]]))
        thing.add("pole", metal, cylinder((0, 0, 0.04), (0, 0, height), 0.018))
    else:
        legs = [
            cylinder(
                (0.28 * np.cos(a), 0.28 * np.sin(a), 0),
                (0.03 * np.cos(a), 0.03 * np.sin(a), height * 0.93),
                0.022,
            )
            for a in (0.3, 2.4, 4.5)
        ]
        thing.add("leg", texture.wood(rng), legs)
    _cloth_shade(rng, thing, (low, low * rng.uniform(0.5, 1.0), shade), height - shade * 0.6)
    return thing


def table_lamp(rng: np.random.Generator) -> Thing:
    """A lamp with a turned base, 40 to 60 cm."""
    thing = _lamp()
    height, low, shade = rng.uniform(0.36, 0.5), rng.uniform(0.16, 0.22), rng.uniform(0.2, 0.28)
    foot, wide = height * 0.75, rng.uniform(0.08, 0.13)
    base = (
        lambda: texture.ceramic(rng, bright(rng)),
        lambda: texture.wood(rng),
        lambda: texture.metal(rng),
        lambda: texture.coloured_glass(rng, bright(rng)),
    )[rng.integers(4)]()
    t = np.linspace(0, 1, 16)
    belly = wide * (0.35 + 0.65 * np.abs(np.sin(np.pi * (t * rng.choice([1, 1, 2]) * 0.93 + 0.07))))
    thing.add(
        "base", base, [lathe(np.stack([belly, t * foot], 1)), lathe([[wide * 0.9, 0], [wide * 0.8, 0.025]])]
    )
    thing.add("pole", texture.metal(rng), cylinder((0, 0, foot - 0.02), (0, 0, height + 0.06), 0.014))
    _cloth_shade(rng, thing, (low, low * rng.uniform(0.5, 0.95), shade), height - 0.04)
    return thing


def desk_lamp(rng: np.random.Generator) -> Thing:
    """A jointed lamp for a desk."""
    thing = _lamp()
    paint = bright(rng)
    foot, elbow, head = np.array([-0.02, 0, 0.03]), np.array([-0.16, 0, 0.3]), np.array([0.12, 0, 0.5])
    thing.add("base", texture.plastic(rng, paint), lathe([[0.11, 0], [0.11, 0.02], [0.03, 0.045]]))
    arms = [cylinder(foot, elbow, 0.012), cylinder(elbow, head, 0.012), ball((0.022,) * 3, elbow)]
    thing.add("arm", texture.metal(rng), arms)
    tilt = turn("y", rng.uniform(20, 50))
    cone = lathe([[0.12, -0.1], [0.118, -0.09], [0.05, 0.04], [0.03, 0.1]], position=head, rotation=tilt)
    thing.add("shade", texture.enamel(rng, paint), cone)
    bulb = ball((0.055,) * 3, head + tilt @ np.array([0, 0, -0.1]))
    thing.add("bulb", texture.frosted(rng, WARM).glowing(_glow(rng)), bulb)
    return thing


def street_lamp(rng: np.random.Generator) -> Thing:
    """A lamp post, 3.5 to 5.5 m."""
    thing = _lamp()
    thing.elevation = (2, 10)
    height, glow = rng.uniform(3.2, 4.6), _glow(rng)
    dark = texture.metal(
        rng, varied(rng, STREET[rng.integers(len(STREET))], 0.02) if rng.random() < 0.7 else bright(rng)
    )
    white = texture.frosted(rng).glowing(glow)
    thing.add("base", dark, lathe([[0.24, 0], [0.24, 0.12], [0.17, 0.2], [0.14, 0.5], [0.09, 0.6]]))
    design = rng.integers(3)
    if design == 0:
        thing.add("pole", dark, lathe([[0.07, 0.5], [0.05, height - 0.05], [0.1, height]]))
        thing.add("shade", white, lathe([[0.12, height], [0.26, height + 0.45]]))
        roof = [[0.3, height + 0.45], [0.2, height + 0.58], [0.05, height + 0.68], [0.03, height + 0.8]]
        thing.add("shade", dark, lathe(roof))
    elif design == 1:
        bar = cylinder((-0.6, 0, height - 0.3), (0.6, 0, height - 0.3), 0.035)
        thing.add("pole", dark, [lathe([[0.07, 0.5], [0.05, height]]), bar])
        globes = [ball((0.25,) * 3, (side * 0.6, 0, height)) for side in (-1, 1)]
        thing.add("shade", white, [*globes, ball((0.28,) * 3, (0, 0, height + 0.3))])
    else:
        bent = tube(
            curve(
                (0, 0, height - 0.1), (0, 0, height + 0.7), (0.6, 0, height + 0.8), (1.1, 0, height + 0.55)
            ),
            0.04,
        )
        thing.add("pole", dark, [lathe([[0.08, 0.5], [0.05, height]]), bent])
        hood = lathe([[0.32, 0], [0.28, 0.1], [0.1, 0.28], [0.05, 0.34]], position=(1.1, 0, height + 0.25))
        thing.add("shade", dark, hood)
        thing.add("bulb", white, ball((0.2, 0.2, 0.16), (1.1, 0, height + 0.22)))
    return thing
