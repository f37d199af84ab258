"""Soft bodies: a smooth union of tapered capsules, split into parts again by the nearest capsule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from skimage.measure import marching_cubes

from demo.scenes.mesh import Array, Mesh


class Capsule(NamedTuple):
    """A limb from `start` to `end`, its radius going from one to the other; `part` names what it is."""

    start: ArrayLike
    end: ArrayLike
    radius: float
    radius_end: float
    part: str


def blob(limbs: Sequence[Capsule], step: float = 0.011, softness: float = 0.011) -> dict[str, Mesh]:
    """The skin around some limbs, by part.

    Args:
        limbs: capsules that flow into each other.
        step: of the grid on which the surface is found, in metres.
        softness: how far, in metres, the joints are rounded.
    """
    radius = max(max(limb.radius, limb.radius_end) for limb in limbs)
    ends = np.array([point for limb in limbs for point in (limb.start, limb.end)], float)
    margin = radius + 3 * step + softness
    axes = [
        np.arange(low, high + step, step)
        for low, high in zip(ends.min(0) - margin, ends.max(0) + margin, strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    distance = _distances(limbs, grid)
    nearest = distance.min(-1)
    soft = nearest - softness * np.log(np.exp(-(distance - nearest[..., None]) / softness).sum(-1)) * 0.5
    vertices, faces, normals, _ = marching_cubes(soft, 0, spacing=(step,) * 3)
    vertices = vertices + [axis[0] for axis in axes]
    centre = vertices.mean(0)
    if (normals * (vertices - centre)).sum() < 0:
        normals = -normals
    corner = vertices[faces]
    agree = (np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]) * normals[faces[:, 0]]).sum()
    faces = faces if agree > 0 else faces[:, ::-1]
    around = np.arctan2(vertices[:, 1], vertices[:, 2] - centre[2]) * 0.12
    whole = Mesh(vertices, normals, faces, np.stack([vertices[:, 0] + 0.25 * vertices[:, 2], around], 1))
    owner = np.array([limb.part for limb in limbs])[_distances(limbs, vertices).argmin(1)]
    return {part: _only(whole, owner[faces[:, 0]] == part) for part in dict.fromkeys(owner[faces[:, 0]])}


def _distances(limbs: Sequence[Capsule], points: Array) -> Array:
    found = []
    for limb in limbs:
        start, along = np.asarray(limb.start, float), np.subtract(limb.end, limb.start).astype(float)
        t = np.clip((points - start) @ along / max(float(along @ along), 1e-9), 0, 1)
        radius = limb.radius + (limb.radius_end - limb.radius) * t
        found.append(np.linalg.norm(points - start - t[..., None] * along, axis=-1) - radius)
    return np.stack(found, -1)


def _only(mesh: Mesh, chosen: np.ndarray) -> Mesh:
    used, faces = np.unique(mesh.faces[chosen], return_inverse=True)
    return Mesh(mesh.vertices[used], mesh.normals[used], faces.reshape(-1, 3), mesh.uv[used])
