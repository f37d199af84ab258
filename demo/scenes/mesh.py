"""A small kit of triangle meshes; lengths in metres, texture coordinates too.

Every function returns a `Mesh` with outward normals of its own, so that edges can be rounded without many
triangles. x points right, y away from the camera, z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
ORIGIN = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Mesh:
    """Triangles with normals.

    Attributes:
        vertices, normals: (V, 3) float64, normals of length 1, outward.
        faces: (F, 3) int64, counter-clockwise seen from outside.
        uv: (V, 2) float64, metres along the surface.
    """

    vertices: Array
    normals: Array
    faces: NDArray[np.int64]
    uv: Array

    def moved(
        self, position: ArrayLike = ORIGIN, rotation: Array | None = None, scale: ArrayLike = 1.0
    ) -> Mesh:
        """Scaled (by a number or per axis), then rotated by a (3, 3) matrix, then shifted."""
        factor = np.asarray(scale, float) * np.ones(3)
        vertices, normals = self.vertices * factor, _unit(self.normals / factor)
        if rotation is not None:
            vertices, normals = vertices @ rotation.T, normals @ rotation.T
        return replace(self, vertices=vertices + np.asarray(position, float), normals=normals)

    def mapped(self, uv: Array) -> Mesh:
        """The same mesh with other texture coordinates (V, 2)."""
        return replace(self, uv=np.asarray(uv, float))

    def turned(self) -> Mesh:
        """Inside out: normals and winding the other way round."""
        return replace(self, normals=-self.normals, faces=self.faces[:, ::-1])


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.uv for mesh in meshes]),
    )


def turn(axis: str, degrees: float) -> Array:
    """(3, 3) rotation about "x", "y" or "z", counter-clockwise seen against the axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[axis], float)


def box(
    size: ArrayLike, position: ArrayLike = ORIGIN, rotation: Array | None = None, radius: float | None = None
) -> Mesh:
    """A box of full extents `size` around `position`, its edges rounded by `radius`.

    The first texture coordinate follows the longest axis, as grain follows a plank.
    """
    half = np.asarray(size, float) / 2
    radius = min(min(half) * 0.25, 0.012 + 0.012 * max(half)) if radius is None else radius
    radius = min(radius, 0.98 * min(half))
    sides = [_side(half, radius, axis, sign) for axis in range(3) for sign in (1, -1)]
    return merge(sides).moved(position, rotation)


def _side(half: Array, radius: float, axis: int, sign: int) -> Mesh:
    first, second = (axis + 1) % 3, (axis + 2) % 3
    longest = int(np.argmax(half))

    def stops(extent: float) -> Array:
        inner, edge = extent - radius, extent - 0.3 * radius
        return np.array([-extent, -edge, -inner, inner, edge, extent])

    along, across = np.meshgrid(stops(half[first]), stops(half[second]), indexing="ij")
    flat = np.zeros((36, 3))
    flat[:, axis] = sign * half[axis]
    flat[:, first], flat[:, second] = along.ravel(), across.ravel()
    core = np.clip(flat, -half + radius, half - radius)
    normals = _unit(flat - core)
    order = [second, first] if longest == second else [first, second]
    offset = sign * 0.37 * (axis + 1)  # sides of one box show different pieces of the texture
    return Mesh(core + radius * normals, normals, _grid(6, 6)[:, ::sign], flat[:, order] + offset)


def lathe(
    profile: ArrayLike,
    sides: int = 28,
    position: ArrayLike = ORIGIN,
    rotation: Array | None = None,
    *,
    closed: bool = True,
) -> Mesh:
    """A profile turned about z.

    Args:
        profile: (k, 2) radius and height, bottom to top; inside-out where it goes down again.
        sides: corners of the circle.
        position: where to.
        rotation: where to.
        closed: with a lid at both ends.
    """
    points = np.asarray(profile, float)
    if closed:
        points = np.concatenate(
            [[[1e-4, points[0, 1]]], points[:1], points, points[-1:], [[1e-4, points[-1, 1]]]]
        )
    outward = _profile_normals(points, closed)
    angle = np.linspace(0, 2 * np.pi, sides)
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    uv = np.stack(np.meshgrid(length, angle * points[:, 0].max(), indexing="ij"), -1).reshape(-1, 2)
    mesh = Mesh(_spun(points, angle), _spun(outward, angle), _grid(len(points), sides), uv)
    return _outward(mesh).moved(position, rotation)


def _profile_normals(points: Array, closed: bool) -> Array:
    step = np.diff(points, axis=0)
    length = np.hypot(*step.T)
    across = np.stack([step[:, 1], -step[:, 0]], 1) / np.maximum(length, 1e-9)[:, None]
    normals = np.zeros((len(points), 2))
    for i in range(len(points)):
        near = [across[j] for j in (i - 1, i) if 0 <= j < len(step) and length[j] > 1e-8]
        normals[i] = np.mean(near, axis=0)
    if closed:  # sharp rims: the lids look down and up, the wall sideways
        normals[:2], normals[-2:] = (0, -1), (0, 1)
        normals[2], normals[-3] = across[2], across[-3]
    return _unit(normals)


def _spun(points: Array, angle: Array) -> Array:
    radius, height = points[:, 0][:, None], points[:, 1][:, None]
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.repeat(height, len(angle), 1)], -1)
    return ring.reshape(-1, 3)


def cylinder(
    start: ArrayLike,
    end: ArrayLike,
    radius: float,
    radius_end: float | None = None,
    sides: int = 20,
    bevel: float = 0.08,
) -> Mesh:
    """A rod (or cone) between two points, its rims bevelled by that share of the radius."""
    length, rotation = _towards(start, end)
    top = radius if radius_end is None else radius_end
    cut = min(bevel * max(radius, top), length * 0.3)
    profile = [[radius - cut * 0.9, 0], [radius, cut], [top, length - cut], [top - cut * 0.9, length]]
    return lathe(profile, sides, start, rotation)


def _towards(start: ArrayLike, end: ArrayLike) -> tuple[float, Array]:
    step = np.asarray(end, float) - np.asarray(start, float)
    length = float(np.linalg.norm(step))
    up = step / length
    side = np.cross([0, 1, 0] if abs(up[1]) < 0.9 else [1, 0, 0], up)
    side /= np.linalg.norm(side)
    return length, np.stack([side, np.cross(up, side), up], 1)


def ball(
    radius: ArrayLike,
    position: ArrayLike = ORIGIN,
    rotation: Array | None = None,
    rings: int = 20,
    bump: tuple[float, np.random.Generator] | None = None,
) -> Mesh:
    """An ellipsoid; `bump` is the relative height of random bumps, and where they are drawn from."""
    down = np.linspace(0, np.pi, rings)[:, None]
    round_ = np.linspace(0, 2 * np.pi, 2 * rings)[None]
    flat = np.ones_like(round_)
    vertices = np.stack(
        [np.sin(down) * np.cos(round_), np.sin(down) * np.sin(round_), np.cos(down) * flat], -1
    ).reshape(-1, 3)
    normals = vertices.copy()
    if bump is not None:
        vertices, normals = _bumped(vertices, *bump)
    uv = np.stack([round_ + 0 * down, down + 0 * round_], -1).reshape(-1, 2) * np.mean(np.asarray(radius))
    return _outward(Mesh(vertices, normals, _grid(rings, 2 * rings), uv)).moved(position, rotation, radius)


def _bumped(sphere: Array, height: float, rng: np.random.Generator) -> tuple[Array, Array]:
    wave = rng.normal(size=(24, 3))
    wave *= (np.exp(rng.uniform(0.9, 2.7, 24)) / np.linalg.norm(wave, axis=1))[:, None]
    phase = rng.uniform(0, 6, 24)
    strength = rng.uniform(0.4, 1, 24) * 1.6 / np.linalg.norm(wave, axis=1) ** 0.6
    angle = sphere @ wave.T + phase
    rise = (np.sin(angle) * strength).sum(1) / 5
    slope = ((np.cos(angle) * strength) @ wave) / 5
    slope -= sphere * (slope * sphere).sum(1, keepdims=True)
    return sphere * (1 + height * rise)[:, None], _unit(sphere - height * slope)


def tube(points: ArrayLike, radius: ArrayLike, sides: int = 12) -> Mesh:
    """A round tube along (k, 3) points, open at both ends; the radius may change along it."""
    path = np.asarray(points, float)
    radii = np.ones(len(path)) * np.asarray(radius, float)
    along = _unit(np.gradient(path, axis=0))
    first = _unit(np.cross(along, np.array([0.13, 0.9, 0.4])))
    second = np.cross(along, first)
    angle = np.linspace(0, 2 * np.pi, sides)
    normals = first[:, None] * np.cos(angle)[None, :, None] + second[:, None] * np.sin(angle)[None, :, None]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    uv = np.stack(np.meshgrid(length, angle * radii.max(), indexing="ij"), -1).reshape(-1, 2)
    vertices = path[:, None] + radii[:, None, None] * normals
    mesh = Mesh(vertices.reshape(-1, 3), normals.reshape(-1, 3), _grid(len(path), sides), uv)
    return _outward(mesh)


def curve(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, points: int = 14) -> Array:
    """(points, 3) along the cubic Bézier curve of four control points."""
    t = np.linspace(0, 1, points)[:, None]
    p, q, r, s = (np.asarray(point, float) for point in (a, b, c, d))
    return (1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t * t * r + t**3 * s


def loft(rings: ArrayLike) -> Mesh:
    """A skin over rings of points, smooth along and around, with a lid at both ends.

    Args:
        rings: (k, m, 3), every ring closed (its last point the first again), all turning the same way.
    """
    skin = np.asarray(rings, float)
    ends = [np.repeat(skin[[i]].mean(1, keepdims=True), skin.shape[1], 1) for i in (0, -1)]
    full = np.concatenate([ends[0] * 0.999 + skin[:1] * 0.001, skin, ends[1] * 0.999 + skin[-1:] * 0.001])
    along = np.gradient(full, axis=0)
    around = np.roll(full, -1, 1) - np.roll(full, 1, 1)
    around[:, 0] = around[:, -1] = full[:, 1] - full[:, -2]
    normals = np.cross(around, along)
    if (normals[1:-1] * (skin - skin.mean(1, keepdims=True))).sum() < 0:
        normals = -normals
    axis = skin[-1].mean(0) - skin[0].mean(0)
    normals[0], normals[-1] = -axis, axis
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(full.mean(1), axis=0), axis=-1))])
    girth = np.linspace(
        0, np.linalg.norm(np.diff(skin[len(skin) // 2], axis=0), axis=-1).sum(), skin.shape[1]
    )
    uv = np.stack(np.meshgrid(length, girth, indexing="ij"), -1).reshape(-1, 2)
    rows, columns = full.shape[:2]
    return _outward(Mesh(full.reshape(-1, 3), _unit(normals.reshape(-1, 3)), _grid(rows, columns), uv))


def ring(x: float, half: tuple[float, float], low: float, high: float, squareness: float = 4.0) -> Array:
    """(25, 3) a closed, rounded cross-section at `x`, for `loft`.

    Args:
        x: where.
        half: half the width at the foot and at the top.
        low: z of foot and top.
        high: z of foot and top.
        squareness: 2 is an ellipse, larger is squarer.
    """
    angle = np.linspace(0, 2 * np.pi, 25)
    across = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / squareness)
    up = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / squareness)
    share = (up + 1) / 2
    wide = half[0] * (1 - share) + half[1] * share
    return np.stack([np.full(25, x), across * wide, low + (high - low) * share], 1)


def plane(width: float, depth: float, position: ArrayLike = ORIGIN) -> Mesh:
    """A horizontal rectangle, seen from above."""
    x, y = (np.array([-size / 2, size / 2]) for size in (width, depth))
    along, across = np.meshgrid(x, y, indexing="ij")
    flat = np.stack([along, across, 0 * along], -1).reshape(-1, 3)
    up = np.tile([0.0, 0.0, 1.0], (4, 1))
    return Mesh(flat + np.asarray(position, float), up, _grid(2, 2), flat[:, :2].copy())


def panel(width: float, height: float, position: ArrayLike = ORIGIN, thickness: float = 0.02) -> Mesh:
    """An upright board facing the camera (−y) whose texture is stretched over it once: uv from 0 to 1."""
    board = box((width, thickness, height), ORIGIN, None, 0.002)
    uv = np.stack([board.vertices[:, 0] / width + 0.5, 0.5 - board.vertices[:, 2] / height], 1)
    return board.mapped(uv).moved(position)


def sheet(points: ArrayLike, direction: ArrayLike) -> Mesh:
    """A cloth: the curve (k, 3) swept along `direction`, visible from both sides."""
    line, sweep = np.asarray(points, float), np.asarray(direction, float)
    along = _unit(np.gradient(line, axis=0))
    normals = np.tile(_unit(np.cross(along, sweep)), (2, 1))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    far = float(np.linalg.norm(sweep))
    uv = np.concatenate([np.stack([length, np.full(len(line), z)], 1) for z in (0.0, far)])
    front = _outward(Mesh(np.concatenate([line, line + sweep]), normals, _grid(2, len(line)), uv))
    gap = 0.002 * normals  # two coplanar sides would flicker
    return merge([front, replace(front, vertices=front.vertices - gap).turned()])


def _grid(rows: int, columns: int) -> NDArray[np.int64]:
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).ravel()
    below = first + columns
    return np.concatenate(
        [np.stack([first, below, first + 1], 1), np.stack([first + 1, below, below + 1], 1)]
    )


def _outward(mesh: Mesh) -> Mesh:
    """Wind the faces the way the normals point."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    agree = (np.cross(b - a, c - a) * mesh.normals[mesh.faces[:, 0]]).sum()
    return mesh if agree > 0 else replace(mesh, faces=mesh.faces[:, ::-1])


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
