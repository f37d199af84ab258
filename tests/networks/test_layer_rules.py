"""The rules for responses, shortcuts, names and receptive fields, on hand-made lists of operations."""

from __future__ import annotations

import pytest

from interpret_core.networks.graph.geometry import receptive_fields
from interpret_core.networks.graph.moves import Window
from interpret_core.networks.graph.operations import Kind, Op, plain_name
from interpret_core.networks.layers.inventory import find_layers
from interpret_core.networks.layers.layer import display_names

GRID = (1, 4, 8, 8)
K3 = Window((3, 3))
K1 = Window((1, 1))


def op(kind: Kind, *inputs: int, path: str = "", window: Window | None = None, shape: object = GRID) -> Op:
    window = window or (K3 if kind is Kind.CONV else None)
    return Op(kind, inputs, shape, path, window)  # type: ignore[arg-type]


def listed(ops: list[Op]) -> dict[str, tuple[int, ...]]:
    return {item.layer.path: item.chain for item in find_layers(ops).layers}


def test_a_projection_on_a_shortcut_is_left_out() -> None:
    ops = [
        op(Kind.INPUT),
        op(Kind.CONV, 0, path="main1"),
        op(Kind.ACTIVATION, 1),
        op(Kind.CONV, 2, path="main2"),
        op(Kind.CONV, 0, path="projection", window=K1),
        op(Kind.NORM, 4),
        op(Kind.ADD, 3, 5),
    ]
    assert listed(ops) == {"main1": (1, 2), "main2": (3,)}


@pytest.mark.parametrize("kind", [Kind.ACTIVATION, Kind.CONV])
def test_a_branch_that_is_more_than_a_projection_is_listed(kind: Kind) -> None:
    """Two convolutions, or one with an activation, are a branch of their own right."""
    ops = [
        op(Kind.INPUT),
        op(Kind.CONV, 0, path="a"),
        op(Kind.CONV, 1, path="b"),
        op(Kind.CONV, 2, path="c"),
        op(Kind.CONV, 0, path="d"),
        op(kind, 4, path="e"),
        op(Kind.ADD, 3, 5),
    ]
    assert "d" in listed(ops)


def test_equal_branches_are_both_listed() -> None:
    ops = [op(Kind.INPUT), op(Kind.CONV, 0, path="a"), op(Kind.CONV, 0, path="b"), op(Kind.ADD, 1, 2)]
    assert set(listed(ops)) == {"a", "b"}


def test_only_sole_readers_belong_to_the_response_and_shape_queries_do_not_count() -> None:
    ops = [
        op(Kind.INPUT),
        op(Kind.CONV, 0, path="a"),
        op(Kind.OTHER, 1, shape=None),  # x.shape
        op(Kind.NORM, 1),
        op(Kind.ACTIVATION, 3),
        op(Kind.CONV, 4, path="b"),
        op(Kind.NORM, 5),
        op(Kind.ACTIVATION, 6),
        op(Kind.ADD, 7, 6),  # reads b's norm too
    ]
    assert listed(ops) == {"a": (1, 3, 4), "b": (5, 6)}


def test_a_1x1_grid_is_left_out() -> None:
    ops = [op(Kind.INPUT), op(Kind.CONV, 0, path="a"), op(Kind.CONV, 1, path="se", shape=(1, 4, 1, 1))]
    assert set(listed(ops)) == {"a"}


def test_receptive_fields_by_hand() -> None:
    strided = Window((5, 3), (2, 1), (1, 2))
    ops = [
        op(Kind.INPUT),
        op(Kind.CONV, 0, window=strided),  # 5 × (2·2+1 = 5), stride 2 × 1
        op(Kind.POOL, 1, window=Window((2, 2), (2, 2))),  # 5 + 1·2 × 5 + 1·1, stride 4 × 2
        op(Kind.CONV, 2),  # 7 + 2·4 × 6 + 2·2
        op(Kind.ADD, 3, 2),  # the larger of the two
        op(Kind.OTHER, 4),
        op(Kind.CONV, 5),
    ]
    fields = [(f.size, f.stride) if f else None for f in receptive_fields(ops)]
    assert fields == [
        ((1, 1), (1, 1)), ((5, 5), (2, 1)), ((7, 6), (4, 2)), ((15, 10), (4, 2)), ((15, 10), (4, 2)),
        None, None,
    ]  # fmt: skip


def test_a_gate_does_not_widen_the_field_but_attention_hides_it() -> None:
    pooled = op(Kind.OTHER, 1, shape=(1, 4, 1, 1))
    gated = [op(Kind.INPUT), op(Kind.CONV, 0), pooled, op(Kind.LOCAL, 1, 2)]
    attended = [op(Kind.INPUT), op(Kind.CONV, 0), op(Kind.OTHER, 1), op(Kind.LOCAL, 1, 2)]
    field = receptive_fields(gated)[3]
    assert field is not None
    assert field.size == (3, 3)
    assert receptive_fields(attended)[3] is None


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["features.0", "features.3"], ["conv1", "conv2"]),
        (["0", "2"], ["conv1", "conv2"]),
        (["conv1", "layer1.0.conv1"], ["conv1", "layer1.0.conv1"]),
        (["_stem", "_blocks.0._conv"], ["stem", "blocks.0.conv"]),
        (["_a.conv", "a.conv"], ["_a.conv", "a.conv"]),
        (["a.0", "b.0"], ["a.0", "b.0"]),
        (["c", "c", "c"], ["c", "c.call2", "c.call3"]),
        (["_._x"], ["_.x"]),
        ([], []),
    ],
)
def test_display_names(paths: list[str], names: list[str]) -> None:
    assert display_names(paths) == names


def test_names_of_in_place_forms() -> None:
    assert [plain_name(name) for name in ("relu_", "__iadd__", "conv2d", "add_")] == [
        "relu", "iadd", "conv2d", "add",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        ((Kind.NORM, Kind.ACTIVATION), "after normalisation and activation"),
        ((Kind.ACTIVATION,), "after activation"),
        ((Kind.NORM, Kind.ADD), "after normalisation: added next"),
        ((Kind.JOIN,), "as it is: joined next"),
        ((Kind.PASS, Kind.POOL), "as it is: another step next"),
        ((Kind.RESHAPE,), "as it is: another step next"),
        ((), "as it is"),
    ],
)
def test_where_a_response_is_read_is_said(behind: tuple[Kind, ...], words: str) -> None:
    ops = [op(Kind.INPUT), op(Kind.CONV, 0, path="a")]
    ops += [op(kind, number) for number, kind in enumerate(behind, 1)]
    assert find_layers(ops).layers[0].layer.read == words


def test_several_readers_are_counted() -> None:
    ops = [op(Kind.INPUT), op(Kind.CONV, 0, path="a"), op(Kind.ACTIVATION, 1), op(Kind.ADD, 2, 1)]
    assert find_layers(ops).layers[0].layer.read == "as it is: 2 parts read it"
