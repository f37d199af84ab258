"""Cats: standing, sitting or lying, in six coats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from demo.scenes import texture
from demo.scenes.blob import Capsule, blob
from demo.scenes.mesh import Array, ball, curve, lathe, tube, turn
from demo.scenes.palette import bright, varied
from demo.scenes.thing import Thing

BLACK, WHITE = 2, 3  # of texture.FURS
EYES = ((0.75, 0.72, 0.15), (0.35, 0.65, 0.25), (0.35, 0.60, 0.80), (0.85, 0.50, 0.10))


class Pose(NamedTuple):
    """Where the joints are; the cat looks along +x until it is turned."""

    name: str
    hip: Array
    chest: Array
    head: Array


def cat(rng: np.random.Generator) -> Thing:
    """A cat, about 40 cm tall when it sits."""
    pose = _pose(rng)
    coat = int(rng.integers(len(texture.FURS)))
    fur = texture.fur(rng, coat)
    size = rng.uniform(0.9, 1.12)
    thing = Thing("cat", yaw=75, elevation=(6, 24))
    for part, mesh in blob(_limbs(rng, pose, size), step=0.0115).items():
        white = part in ("muzzle", "paw") and coat != BLACK and rng.random() < 0.6
        thing.add(part, texture.fur(rng, WHITE) if white else fur, mesh)
    _ears(rng, thing, pose.head, size, fur)
    _face(rng, thing, pose.head, size, coat)
    _tail(rng, thing, pose, fur)
    if rng.random() < 0.35:
        _collar(rng, thing, pose)
    return thing.placed(yaw=-90)


def _pose(rng: np.random.Generator) -> Pose:
    name = str(rng.choice(["stand", "sit", "sit", "lie"]))
    aside = rng.uniform(-0.04, 0.04)
    joints = {
        "stand": ((-0.19, 0, 0.24), (0.13, 0, 0.25), (0.25, aside, 0.36)),
        "sit": ((-0.10, 0, 0.12), (0.05, 0, 0.27), (0.11, aside, 0.42)),
        "lie": ((-0.18, 0, 0.105), (0.12, 0, 0.12), (0.24, aside, 0.235)),
    }[name]
    return Pose(name, *(np.array(joint, float) for joint in joints))


def _limbs(rng: np.random.Generator, pose: Pose, size: float) -> list[Capsule]:
    _, hip, chest, head = pose
    stout = rng.uniform(0.92, 1.15)
    limbs = [
        Capsule(hip, chest, 0.105 * stout, 0.088 * stout, "body"),
        Capsule(chest, head - [0.02, 0, 0.02], 0.075, 0.055, "neck"),
        Capsule(head - [0.012, 0, 0], head + [0.012, 0, -0.004], 0.078 * size, 0.076 * size, "head"),
        Capsule(head + [0.06, 0, -0.026], head + [0.074, 0, -0.03], 0.036, 0.028, "muzzle"),
    ]
    front = {"stand": 0.145, "sit": 0.15, "lie": 0.28}[pose.name]
    for side in (-1, 1):
        limbs += _legs(rng, pose, side)
        limbs.append(
            Capsule((front, side * 0.05, 0.02), (front + 0.03, side * 0.05, 0.018), 0.028, 0.026, "paw")
        )
    return limbs


def _legs(rng: np.random.Generator, pose: Pose, side: int) -> list[Capsule]:
    name, hip, chest, _ = pose
    if name == "stand":
        knee = np.array([-0.17, side * 0.06, 0.12])
        front = (0.14 + rng.uniform(-0.05, 0.05), side * 0.055, 0.025)
        back = (-0.18 + rng.uniform(-0.05, 0.05), side * 0.06, 0.025)
        return [
            Capsule(chest + [0, side * 0.05, -0.05], front, 0.042, 0.026, "leg"),
            Capsule(hip + [0, side * 0.055, -0.03], knee, 0.065, 0.036, "leg"),
            Capsule(knee, back, 0.034, 0.026, "leg"),
        ]
    if name == "sit":
        return [
            Capsule(chest + [0.02, side * 0.045, -0.06], (0.12, side * 0.045, 0.025), 0.042, 0.028, "leg"),
            Capsule(hip + [0.02, side * 0.085, -0.03], (0.07, side * 0.10, 0.05), 0.075, 0.045, "leg"),
        ]
    return [
        Capsule(chest + [0, side * 0.06, -0.05], (0.24, side * 0.05, 0.03), 0.045, 0.03, "leg"),
        Capsule(hip + [0.02, side * 0.09, -0.03], (-0.02, side * 0.12, 0.045), 0.07, 0.04, "leg"),
    ]


def _ears(rng: np.random.Generator, thing: Thing, head: Array, size: float, fur: texture.Texture) -> None:
    outer, inner = [], []
    for side in (-1, 1):
        lean = turn("x", -side * 20) @ turn("y", -8)
        foot = head + np.array([-0.005, side * 0.046, 0.056]) * size
        cone = lathe([[0.042, 0], [0.034, 0.03], [0.016, 0.065], [0.003, 0.085]], 20)
        outer.append(cone.moved(foot, lean, (0.55, 1, 1)))
        hollow = lathe([[0.028, 0.004], [0.02, 0.035], [0.004, 0.066]], 14)
        inner.append(hollow.moved(foot + np.array([0.013, 0, 0]), lean, (0.5, 1, 1)))
    thing.add("ear", fur, outer)
    thing.add("ear", texture.skin(rng, (0.85, 0.60, 0.55)), inner)


def _face(rng: np.random.Generator, thing: Thing, head: Array, size: float, coat: int) -> None:
    iris = texture.glass(rng, varied(rng, EYES[rng.integers(len(EYES))], 0.03)).glowing(0.25)
    eyes = [
        ball((0.016, 0.018, 0.019), head + np.array([0.064, side * 0.033, 0.014]) * size, rings=12)
        for side in (-1, 1)
    ]
    pupils = [
        ball((0.006, 0.007, 0.016), head + np.array([0.0765, side * 0.0345, 0.0145]) * size, rings=10)
        for side in (-1, 1)
    ]
    thing.add("eye", iris, eyes)
    thing.add("eye", texture.glass(rng, (0.02, 0.02, 0.02)), pupils)
    nose = (0.80, 0.45, 0.45) if coat != BLACK else (0.10, 0.08, 0.08)
    thing.add(
        "nose", texture.skin(rng, nose), ball((0.010, 0.013, 0.009), head + [0.101, 0, -0.014], rings=10)
    )
    hairs = [
        tube(
            curve(
                head + [0.085, side * 0.02, -0.03],
                head + [0.09, side * 0.06, -0.025],
                head + [0.085, side * 0.09, -0.02 + 0.02 * row],
                head + [0.07, side * 0.12, -0.03 + 0.03 * row],
                6,
            ),
            0.0016,
            5,
        )
        for side in (-1, 1)
        for row in (-1, 0, 1)
    ]
    thing.add("whisker", texture.fur(rng, WHITE), hairs)


def _tail(rng: np.random.Generator, thing: Thing, pose: Pose, fur: texture.Texture) -> None:
    bend, hip = rng.uniform(-1, 1), pose.hip
    if pose.name == "stand":
        root = hip + [-0.09, 0, 0.02]
        line = curve(
            root,
            root + [-0.16, bend * 0.05, 0.02],
            root + [-0.2, bend * 0.12, 0.25],
            root + [-0.1 + bend * 0.05, bend * 0.12, 0.34],
        )
    else:
        around = np.sign(bend)
        line = curve(
            hip + [-0.08, 0, -0.06],
            hip + [-0.25, 0, -0.1],
            [-0.2, 0.28 * around, 0.03],
            [0.08, 0.24 * around, 0.028],
        )
    tip = ball((0.021,) * 3, line[-1], rings=10)
    thing.add("tail", fur, [tube(line, np.linspace(0.034, 0.02, len(line))), tip])


def _collar(rng: np.random.Generator, thing: Thing, pose: Pose) -> None:
    band = lathe([[0.062, -0.012], [0.064, 0.012]], 24, closed=False)
    place = pose.chest * 0.42 + pose.head * 0.58 - [0, 0, 0.01]
    lean = turn("y", 40 if pose.name == "lie" else 28)
    thing.add("collar", texture.fabric(rng, bright(rng), 0), band.moved(place, lean))
