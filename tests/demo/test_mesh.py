"""The mesh kit: which way is out, which way faces are wound, and how much a shape holds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.scenes.blob import Capsule, blob
from demo.scenes.mesh import (
    ball,
    box,
    curve,
    cylinder,
    lathe,
    loft,
    merge,
    panel,
    plane,
    ring,
    sheet,
    tube,
    turn,
)

SWEEP = curve((0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1))
WAVE = [(x, 0.1 * np.sin(6 * x), 0.0) for x in np.linspace(0, 1, 30)]
BENT = blob(
    [Capsule((0, 0, 0), (1, 0, 0), 0.2, 0.2, "arm"), Capsule((1, 0, 0), (1, 0, 1), 0.2, 0.1, "hand")],
    step=0.04,
    softness=0.03,
)
SOLIDS = {
    "box": box((1, 2, 3)),
    "rounded box": box((1, 2, 3), radius=0.3),
    "lathe": lathe([[1, 0], [1.2, 1], [1, 2]]),
    "cylinder": cylinder((0, 0, 0), (1, 2, 3), 0.5),
    "cone": cylinder((0, 0, 0), (0, 0, 3), 0.5, 0.2),
    "ball": ball(1.0),
    "ellipsoid": ball((1, 2, 0.5), (3, 1, 2), turn("x", 30)),
    "loft": loft(np.array([ring(x, (0.5, 0.4), 0, 1) for x in np.linspace(0, 2, 9)])),
    "loft the other way": loft(np.array([ring(x, (0.5, 0.4), 0, 1) for x in np.linspace(2, 0, 9)])),
    "panel": panel(1, 2),
}
SHAPES = SOLIDS | {
    "open lathe": lathe([[1, 0], [1, 2]], closed=False),
    "cup": lathe([[1, 0], [1, 2], [0.9, 2], [0.8, 0.1]], closed=False),
    "tube": tube(SWEEP, 0.1),
    "narrowing tube": tube(SWEEP, np.linspace(0.1, 0.02, 14)),
    "plane": plane(2, 3),
    "sheet": sheet(WAVE, (0, 0, 1)),
    "sheet the other way": sheet(WAVE[::-1], (0, 0, 1)),
    **{f"blob's {part}": mesh for part, mesh in BENT.items()},
}


def crossed(mesh):
    """(F, 3) normals of the faces as they are wound, of length twice the area."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return np.cross(b - a, c - a)


def volume(mesh):
    """By the divergence theorem; positive where the faces are wound outward."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6


def agreement(mesh):
    """Share of the faces (those with an area) whose winding and mean normal look the same way."""
    normal = crossed(mesh)
    area = np.linalg.norm(normal, axis=1)
    there = area > 1e-6 * area.max()
    return float(((normal * mesh.normals[mesh.faces].mean(1)).sum(1) > 0)[there].mean())


def stacked(profile, sides):
    """Volume of a profile (radius, height) turned into a prism of so many sides: frustums, exactly."""
    polygon = sides / 2 * np.sin(2 * np.pi / sides)
    return sum(
        polygon * (z1 - z0) * (r0 * r0 + r0 * r1 + r1 * r1) / 3
        for (r0, z0), (r1, z1) in itertools.pairwise(profile)
    )


@pytest.mark.parametrize("name", SHAPES)
def test_normals_are_unit_and_faces_are_wound_like_them(name):
    mesh = SHAPES[name]
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert agreement(mesh) == 1
    assert mesh.faces.min() >= 0
    assert mesh.faces.max() < len(mesh.vertices)
    assert len(mesh.uv) == len(mesh.normals) == len(mesh.vertices)
    assert np.isfinite(mesh.uv).all()


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_of_a_convex_solid_point_away_from_its_middle(name):
    mesh = SOLIDS[name]
    middle = (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    assert ((mesh.vertices - middle) * mesh.normals).sum(1).min() > 0
    assert volume(mesh) > 0


@pytest.mark.parametrize("seed", range(5))
def test_bumps_leave_nearly_all_faces_the_right_way_round(seed):
    bumped = ball(1.0, bump=(0.4, np.random.default_rng(seed)))
    np.testing.assert_allclose(np.linalg.norm(bumped.normals, axis=1), 1, atol=1e-9)
    assert agreement(bumped) > 0.98
    assert ((bumped.vertices * bumped.normals).sum(1) > 0).mean() > 0.98


@pytest.mark.parametrize("name", ["box", "rounded box", "ball", "ellipsoid"])
def test_a_closed_shape_has_two_faces_at_each_edge(name):
    mesh = SHAPES[name]
    _, welded = np.unique(mesh.vertices.round(9), axis=0, return_inverse=True)
    corner = welded.ravel()[mesh.faces]
    corner = corner[(corner != np.roll(corner, 1, 1)).all(1)]  # a pole's faces have no area
    edges = [tuple(edge) for face in corner.tolist() for edge in zip(face, face[1:] + face[:1], strict=True)]
    assert len(set(edges)) == len(edges)
    assert {(b, a) for a, b in edges} == set(edges)


@pytest.mark.parametrize("radius", [0.0001, 0.1, 0.3])
def test_a_box_holds_what_a_rounded_box_does(radius):
    def rounded(r):  # Steiner: the core, slabs on its sides, quarter rods on its edges, a ball in all corners
        a, b, c = (side - 2 * radius for side in (1, 2, 3))
        return (
            a * b * c + 2 * r * (a * b + b * c + c * a) + np.pi * r * r * (a + b + c) + 4 / 3 * np.pi * r**3
        )

    # An arc's points are at most 35°, a corner's at most 45° apart, so 0.9 of the radius is surely inside.
    assert rounded(0.9 * radius) <= volume(box((1, 2, 3), radius=radius)) <= rounded(radius)


@pytest.mark.parametrize("sides", [8, 20, 60])
def test_a_cylinder_holds_what_its_prism_does(sides):
    made = cylinder((1, 2, 3), (1, 2, 5), 0.5, 0.3, sides, bevel=0.1)
    profile = [(0.5 - 0.045, 0), (0.5, 0.05), (0.3, 1.95), (0.3 - 0.045, 2)]
    # The first point of the circle is its last one again; the lids have a pinhole of 0.1 mm.
    assert volume(made) == pytest.approx(stacked(profile, sides - 1), rel=1e-6)


@pytest.mark.parametrize("rings", [8, 20, 50])
def test_a_ball_holds_what_its_polyhedron_does_and_nearly_a_sphere(rings):
    down = np.linspace(np.pi, 0, rings)
    polyhedron = stacked(list(zip(np.sin(down), np.cos(down), strict=True)), 2 * rings - 1)
    held = volume(ball((1, 2, 0.5)))
    assert held == pytest.approx(volume(ball(1.0)))  # 1 · 2 · 0.5
    held = volume(ball(1.0, rings=rings))
    assert held == pytest.approx(polyhedron, rel=1e-9)
    inner = np.cos(np.pi / (rings - 1) / 2) * np.cos(np.pi / (2 * rings - 1))  # a sphere inside it
    assert inner**3 < held / (4 / 3 * np.pi) < 1


def test_a_loft_holds_its_cross_section_times_its_length():
    rings = np.array([ring(x, (0.5, 0.5), 0, 1, 2.0) for x in np.linspace(0, 2, 5)])
    _, y, z = rings[0].T
    area = abs(np.sum(y[:-1] * z[1:] - y[1:] * z[:-1])) / 2
    assert volume(loft(rings)) == pytest.approx(2 * area, rel=1e-2)
    assert area == pytest.approx(np.pi / 4, rel=0.02)


def test_a_tube_keeps_its_distance():
    made = tube([(0, 0, 0), (0, 0, 1), (0, 0, 3)], 0.25, 16)
    np.testing.assert_allclose(np.hypot(*made.vertices[:, :2].T), 0.25)
    np.testing.assert_allclose(made.vertices[:, :2] / 0.25, made.normals[:, :2], atol=1e-12)


def test_a_limb_holds_what_a_capsule_does():
    step, radius = 0.02, 0.2
    limb = blob([Capsule((0, 0, 0), (1, 0, 0), radius, radius, "arm")], step)["arm"]
    whole = np.pi * radius**2 + 4 / 3 * np.pi * radius**3
    assert whole * (1 - step / radius) < volume(limb) < whole * (1 + step / radius)
    middle = np.clip(limb.vertices[:, :1], 0, 1) * [1, 0, 0]
    out = (limb.vertices - middle) / radius
    assert (out * limb.normals).sum(1).min() > 0.95


def test_limbs_split_one_skin():
    together = merge(list(BENT.values()))
    alone = blob([Capsule((0, 0, 0), (1, 0, 0), 0.2, 0.2, "a"), Capsule((1, 0, 0), (1, 0, 1), 0.2, 0.1, "a")],
                 step=0.04, softness=0.03)["a"]  # fmt: skip
    assert len(together.faces) == len(alone.faces)
    assert volume(together) == pytest.approx(volume(alone))
    assert BENT["hand"].vertices[:, 2].max() > 1
    assert BENT["arm"].vertices[:, 0].min() < 0


def test_a_plane_lies_and_a_panel_is_stretched_once():
    assert (plane(2, 3).normals == [0, 0, 1]).all()
    assert np.linalg.norm(crossed(plane(2, 3)), axis=1).sum() / 2 == pytest.approx(6)
    np.testing.assert_allclose([panel(1, 2).uv.min(0), panel(1, 2).uv.max(0)], [[0, 0], [1, 1]])
    front = panel(1, 2).normals[:, 1] < -0.99
    np.testing.assert_allclose(panel(1, 2).uv[front][:, 0], panel(1, 2).vertices[front][:, 0] + 0.5)


def test_a_sheet_is_seen_from_both_sides():
    cloth = sheet(WAVE, (0, 0, 1))
    half = len(cloth.vertices) // 2
    np.testing.assert_array_equal(cloth.normals[:half], -cloth.normals[half:])
    apart = np.linalg.norm(cloth.vertices[:half] - cloth.vertices[half:], axis=1)
    np.testing.assert_allclose(apart, 0.002)


ANGLES = st.floats(-360, 360)
FACTORS = st.floats(0.05, 20)
PLACES = st.tuples(*[st.floats(-50, 50)] * 3)


@given(st.sampled_from(sorted(SHAPES)), st.sampled_from("xyz"), ANGLES, PLACES, FACTORS)
@settings(deadline=None, max_examples=40)
def test_moving_keeps_normals_and_winding(name, axis, angle, place, factor):
    mesh = SHAPES[name]
    moved = mesh.moved(place, turn(axis, angle), factor)
    np.testing.assert_allclose(moved.normals, mesh.normals @ turn(axis, angle).T, atol=1e-6)
    assert agreement(moved) == 1
    back = (moved.vertices - place) @ turn(axis, angle) / factor
    np.testing.assert_allclose(back, mesh.vertices, atol=1e-9)


@given(st.sampled_from("xyz"), ANGLES, st.tuples(*[FACTORS] * 3))
@settings(deadline=None, max_examples=40)
def test_squashing_keeps_normals_upright(axis, angle, factors):
    """What touches the surface before touches it after: normals do not stretch as vertices do."""
    mesh = SHAPES["ball"]
    tangent = np.cross(mesh.normals, [0.6, 0.64, 0.48])
    moved = mesh.moved(rotation=turn(axis, angle), scale=factors)
    after = (tangent * factors) @ turn(axis, angle).T
    after /= np.maximum(np.linalg.norm(after, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose((after * moved.normals).sum(1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(moved.normals, axis=1), 1)


@given(st.sampled_from(sorted(SOLIDS)), st.sampled_from("xyz"), ANGLES, st.tuples(*[FACTORS] * 3))
@settings(deadline=None, max_examples=40)
def test_volume_scales_turns_and_turns_inside_out(name, axis, angle, factors):
    mesh = SOLIDS[name].moved(-SOLIDS[name].vertices.mean(0))
    moved = mesh.moved(rotation=turn(axis, angle), scale=factors)
    assert volume(moved) == pytest.approx(volume(mesh) * np.prod(factors), rel=1e-6)
    assert volume(moved.turned()) == pytest.approx(-volume(moved))
    np.testing.assert_array_equal(moved.turned().turned().faces, moved.faces)


@pytest.mark.parametrize(("axis", "start", "end"), [("x", 1, 2), ("y", 2, 0), ("z", 0, 1)])
def test_a_quarter_turn_goes_counter_clockwise(axis, start, end):
    np.testing.assert_allclose(turn(axis, 90) @ np.eye(3)[start], np.eye(3)[end], atol=1e-12)


def test_merging_keeps_every_mesh():
    parts = [SHAPES[name] for name in ("box", "ball", "plane")]
    whole = merge(parts)
    assert len(whole.vertices) == sum(len(part.vertices) for part in parts)
    assert volume(whole) == pytest.approx(sum(volume(part) for part in parts))
    last = whole.vertices[whole.faces[-len(parts[-1].faces) :]]
    np.testing.assert_array_equal(last, parts[-1].vertices[parts[-1].faces])
