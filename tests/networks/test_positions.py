"""Where positions lie: the rules on hand-made operations, and what is found out on pictures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import nn

from interpret_core import networks
from interpret_core.networks.examination.positions import EVENLY, ScatteredError, Span, line_through
from interpret_core.networks.graph.moves import Reach, Window, function_moves, resized, windowed
from interpret_core.networks.graph.operations import Kind, Op, describe_function, shape_of
from interpret_core.networks.graph.placement import UPRIGHT, Turn, lie, places
from interpret_core.positions import GridLine, GridLines

GRID = (1, 4, 32, 32)


def op(kind: Kind, *inputs: int, move: Mapping[int, Reach] | None = None, shape: object = GRID) -> Op:
    axes = (0, 1, 3, 2) if kind is Kind.PERMUTE else ()
    return Op(kind, inputs, shape, axes=axes, move=move)  # type: ignore[arg-type]


def line(*ops: Op, side: int = 0) -> GridLine | None:
    """Of the last operation's grid."""
    place, grid = places(ops)[-1], ops[-1].grid
    found = None if place is None or grid is None else lie(place, grid, (32, 32))
    return None if found is None else found[0][side]


def conv(
    source: int, kernel: int, stride: int = 1, padding: object = 0, dilation: int = 1, side: int = 32
) -> Op:
    pairs = ((one, one) for one in (kernel, stride, dilation))
    size, step, apart = pairs
    return op(Kind.CONV, source, move=windowed(Window(size, step, apart), padding), shape=(1, 4, side, side))


IMAGES = op(Kind.INPUT)


def test_windows_by_hand() -> None:
    assert line(IMAGES) == GridLine(32, 0.5)
    assert line(IMAGES, conv(0, 9, side=24)) == GridLine(32, 4.5)
    assert line(IMAGES, conv(0, 9, padding=4)) == GridLine(32, 0.5)
    assert line(IMAGES, conv(0, 4, padding="same")) == GridLine(32, 1.0)
    assert line(IMAGES, conv(0, 3, dilation=4, side=24)) == GridLine(32, 4.5)
    # AlexNet: 11 by 4 with 2 around it, then 3 by 2.
    first = conv(0, 11, 4, 2, side=7)
    assert line(IMAGES, first) == GridLine(8, 3.5 / 4)
    assert line(IMAGES, first, conv(1, 3, 2, side=3)) == GridLine(4, 7.5 / 8)


def test_resampling_keeps_the_picture_covered() -> None:
    halved = op(Kind.OTHER, 0, move=resized(GRID, (1, 4, 16, 16)), shape=(1, 4, 16, 16))
    assert line(IMAGES, halved) == GridLine(16, 0.5)
    doubled = op(Kind.OTHER, 1, move=resized((1, 4, 16, 16), GRID))
    assert line(IMAGES, halved, doubled) == GridLine(32, 0.5)
    corners = op(
        Kind.OTHER, 1, move=resized((1, 4, 16, 16), (1, 4, 31, 31), corners=True), shape=(1, 4, 31, 31)
    )
    assert line(IMAGES, halved, corners) == GridLine(32, 1.0)


def test_resampling_counts_as_torch_does() -> None:
    """By the scale where one is given; the nearest is the first of its stretch."""

    def moved(side: int, *args: object, **kwargs: object) -> tuple[float, float]:
        given = (torch.zeros(GRID), *args), kwargs
        found = function_moves("interpolate", given, None, shape_of, (1, 4, side, side))
        assert found is not None
        return (found[2].low + found[2].high) / 2, found[2].step

    for scale, mode in ((0.25, "nearest"), (0.3, "nearest"), (0.45, "bilinear"), (0.45, "area")):
        ramp = torch.arange(32.0).expand(1, 1, 32, 32).transpose(2, 3)
        read = nn.functional.interpolate(ramp, scale_factor=scale, mode=mode)[0, 0, :, 0]
        first, step = moved(len(read), scale_factor=scale, mode=mode)
        places = first + step * torch.arange(len(read))
        near = 1 if mode in ("nearest", "area") and (32 * scale) % 1 else 1e-4  # whole pixels only
        assert float((places - read).abs().max()) < near, (scale, mode)
    assert moved(16, 16) == (0, 2)
    assert moved(16, None, 0.45, "bilinear", None, True) == (0.5, 2)


def test_paths_that_meet_have_to_lie_alike() -> None:
    cropped = op(Kind.LOCAL, 0, move={2: Reach(4, 4), 3: Reach(4, 4)}, shape=(1, 4, 24, 24))
    through = conv(0, 9, side=24)
    assert line(IMAGES, cropped, through, op(Kind.ADD, 1, 2, shape=(1, 4, 24, 24))) == GridLine(32, 4.5)
    strided = conv(0, 1, 2, side=16)
    assert line(IMAGES, strided, op(Kind.ADD, 0, 1)) is None
    gate = op(Kind.OTHER, 0, shape=(1, 4, 1, 1))
    assert line(IMAGES, gate, op(Kind.LOCAL, 0, 1)) == GridLine(32, 0.5)
    spread = op(Kind.OTHER, 1, move=resized((1, 4, 1, 1), GRID))
    assert line(IMAGES, gate, spread, op(Kind.JOIN, 0, 2)) == GridLine(32, 0.5)
    # The four pixels of each block, side by side.
    quarters = [
        op(Kind.LOCAL, 0, move={2: Reach(y, y, 2), 3: Reach(x, x, 2)}, shape=(1, 4, 16, 16))
        for y in (0, 1)
        for x in (0, 1)
    ]
    joined = op(Kind.JOIN, 1, 2, 3, 4, shape=(1, 16, 16, 16))
    assert line(IMAGES, *quarters, joined) == GridLine(16, 0.5)


def test_what_is_not_known_stays_unknown() -> None:
    assert line(IMAGES, op(Kind.OTHER, 0)) is None
    assert line(IMAGES, op(Kind.OTHER, 0), conv(1, 3, padding=1)) is None
    assert line(IMAGES, op(Kind.LOCAL, 0, shape=(1, 4, 24, 24))) is None
    assert line(IMAGES, op(Kind.RESHAPE, 0, shape=(1, 4, 16, 64))) is None
    assert line(IMAGES, op(Kind.CONV, 0)) is None  # of an unknown padding


def test_flips_and_exchanges_are_turned_back() -> None:
    flip = op(Kind.OTHER, 0, move={3: Reach(31, 31, -1)})
    place = places([IMAGES, flip])[-1]
    assert place is not None
    lines, turn = lie(place, (32, 32), (32, 32)) or (None, None)
    assert (lines, turn) == (GridLines.evenly((32, 32)), Turn(flipped=(3,)))
    place = places([IMAGES, op(Kind.PERMUTE, 0)])[-1]
    assert place is not None
    assert (lie(place, (32, 32), (32, 32)) or (None, None))[1] == Turn(swapped=True)
    response = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert Turn(flipped=(3,)).upright(response)[0, 0].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert Turn(True, (2,)).upright(response)[0, 0].tolist() == [[2, 5], [1, 4], [0, 3]]
    assert UPRIGHT.upright(response) is response


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "moves"),
    [
        ("getitem", (..., slice(1, None, 2)), {}, {3: (1, 2)}),
        ("getitem", (slice(None), slice(None), slice(-8, None)), {}, {2: (24, 1)}),
        ("getitem", (slice(None), slice(2)), {}, {}),
        ("narrow", (2, -10, 5), {}, {2: (22, 1)}),
        ("flip", ((2, -1),), {}, {2: (31, -1), 3: (31, -1)}),
        ("flip", (2,), {}, {2: (31, -1)}),
        ("pad", ((1, 2),), {}, {3: (-1, 1)}),
        ("pad", (), {"pad": (0, 0, -3, 0)}, {2: (3, 1), 3: (0, 1)}),
        ("max_pool2d", (2,), {}, {2: (0.5, 2), 3: (0.5, 2)}),
        ("avg_pool2d", (3, 1, 1), {}, {2: (0, 1), 3: (0, 1)}),
    ],
)
def test_arguments(name: str, args: tuple, kwargs: dict, moves: Mapping[int, tuple[float, float]]) -> None:
    given = (args,) if name == "getitem" else args
    images = (torch.zeros(GRID), *given)
    window = describe_function(name, images, kwargs, shape_of).window
    found = function_moves(name, (images, kwargs), window, shape_of, GRID)
    assert found is not None
    assert {axis: ((one.low + one.high) / 2, one.step) for axis, one in found.items()} == moves


def test_lines_through_what_positions_see() -> None:
    positions = np.array([0, 3, 6, 9, 12])
    spans = [Span(max(0, 4 * at - 3), min(49, 4 * at + 7)) for at in positions]
    assert line_through(positions, spans, 50) == GridLine(12.5, 2.5 / 4)
    assert line_through(positions, [Span(0, 49)] * 5, 50) is None
    with pytest.raises(ScatteredError):
        line_through(positions, [*spans[:3], spans[1], spans[4]], 50)


class Mixing(nn.Module):
    """Every position sees all of the picture, its own place most."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        flat = x.flatten(2)
        x = (flat + 0.1 * flat.softmax(2)).reshape(x.shape)
        return self.second(x).mean((2, 3))


def mixing() -> nn.Module:
    torch.manual_seed(0)
    return Mixing()


@pytest.mark.thorough
def test_a_layer_behind_attention_is_spread_evenly_and_says_so() -> None:
    first, second = networks.load(f"{__name__}:mixing").layers
    assert (first.spread, second.spread) == ("", EVENLY)
    assert second.lines == GridLines.evenly(second.grid)
