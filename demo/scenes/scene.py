"""A scene: pieces, light, camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.scenes.mesh import Array
from demo.scenes.thing import Piece


@dataclass(frozen=True)
class Light:
    """Light of a scene.

    Attributes:
        ambient: intensity of the surroundings.
        sun: intensity of the one directional light; `softness` of its shadows.
        azimuth, elevation: where it comes from, degrees (azimuth 270 is behind the camera).
        colour: (3,) linear RGB.
        exposure: stops, of the camera.
    """

    ambient: float
    sun: float
    azimuth: float
    elevation: float
    colour: tuple[float, float, float]
    softness: float
    exposure: float

    @property
    def direction(self) -> Array:
        """(3,) the way the light goes."""
        azimuth, elevation = np.radians((self.azimuth, self.elevation))
        flat = np.cos(elevation)
        return -np.array([np.cos(azimuth) * flat, np.sin(azimuth) * flat, np.sin(elevation)])


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        position: (3,) metres. forward, up: (3,) of length 1.
        field_of_view: vertical, degrees.
    """

    position: Array
    forward: Array
    up: Array
    field_of_view: float

    @classmethod
    def looking(
        cls, target: Array, azimuth: float, elevation: float, distance: float, field_of_view: float
    ) -> Camera:
        """From `distance` away in the given direction (azimuth −90 is in front of the scene)."""
        around, above = np.radians((azimuth, elevation))
        back = np.array([np.cos(around) * np.cos(above), np.sin(around) * np.cos(above), np.sin(above)])
        right = np.cross([0.0, 0.0, 1.0], back)
        right /= np.linalg.norm(right)
        return cls(target + back * distance, -back, np.cross(back, right), field_of_view)

    @property
    def right(self) -> Array:
        """(3,) to the right of the picture."""
        return np.cross(self.forward, self.up)


@dataclass(frozen=True)
class Scene:
    """What is rendered.

    Attributes:
        setting: its name, such as "street".
        target: the class that the picture shows.
        pieces: the first one is the sky's dome.
        light, camera: of the picture.
    """

    setting: str
    target: str
    pieces: tuple[Piece, ...]
    light: Light
    camera: Camera
