"""Where the positions of every operation's grid lie in the picture: followed through kernels, strides,
paddings, crops, flips and resampling.

Coordinates are indices of the picture's pixels: pixel i has its centre at i.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from interpret_core.networks.graph.moves import Pair
from interpret_core.networks.graph.operations import Kind, Op
from interpret_core.positions import GridLine, GridLines

CLOSE = 1e-6  # of a pixel: paths that differ by less lie at the same place


class Course(NamedTuple):
    """The positions of one axis of a grid in the picture.

    Attributes:
        low, high: the first position's receptive field, from … to, which may begin before the picture.
        step: from one position to the next; negative where the axis runs backwards.
    """

    low: float
    high: float
    step: float

    @property
    def first(self) -> float:
        """Centre of the first position."""
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Place:
    """Where a grid lies.

    Attributes:
        axes: which axis of the tensor runs down the picture (or up), and which across.
        courses: of each of them.
    """

    axes: Pair
    courses: tuple[Course, Course]


def places(ops: Sequence[Op]) -> list[Place | None]:
    """Where every operation's grid lies; None where the operations do not tell, and for what has no grid.

    Source: Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", eqs. 2 and 4.
    """
    found: list[Place | None] = []
    for op in ops:
        found.append(_placed(ops, op, found))
    return found


def _placed(ops: Sequence[Op], op: Op, found: Sequence[Place | None]) -> Place | None:
    if op.shape is None or len(op.shape) < 3:
        return None
    if op.kind is Kind.INPUT:
        return Place((2, 3), (Course(0, 0, 1), Course(0, 0, 1))) if len(op.shape) == 4 else None
    place = _merged(ops, op, found)
    if place is None:
        return None
    if op.kind is Kind.PERMUTE:
        if not set(place.axes) <= set(op.axes):
            return None
        return replace(place, axes=(op.axes.index(place.axes[0]), op.axes.index(place.axes[1])))
    before = ops[op.inputs[0]].shape if op.inputs else None
    if _mixes(op, place):
        return None
    if op.move is not None:
        return _moved(op, place)
    if op.kind is Kind.RESHAPE:
        return _reshaped(op, place, before)
    if op.kind in {Kind.OTHER, Kind.TRANSPOSED, Kind.CONV, Kind.POOL}:
        return None
    kept = before is not None and _extents(before, place) == _extents(op.shape, place)
    # An operand of another shape is spread over the larger one's grid, which the merging has found.
    spread = any(_extents(ops[source].shape, place) == _extents(op.shape, place) for source in op.inputs)
    return place if kept or spread else None


def _mixes(op: Op, place: Place) -> bool:
    """Whether an axis of the grid is one along which the operation mixes units."""
    if op.kind is Kind.LINEAR:
        return len(op.shape or ()) - 1 in place.axes
    windowed = op.kind in {Kind.CONV, Kind.TRANSPOSED, Kind.POOL}
    resized = op.move is not None and any(abs(one.step) != 1 for one in op.move.values())
    return (windowed or (resized and op.kind is Kind.OTHER)) and set(place.axes) != {2, 3}


def _extents(shape: Sequence[int] | None, place: Place) -> tuple[int, ...] | None:
    if shape is None or max(place.axes) >= len(shape):
        return None
    return tuple(shape[axis] for axis in place.axes)


def _moved(op: Op, place: Place) -> Place | None:
    """Behind a window, a crop, a flip: each axis that the operation moves along."""
    move = op.move
    if move is None or len(op.shape or ()) <= max(place.axes):
        return None
    courses = list(place.courses)
    for axis, one in move.items():
        if axis in place.axes:
            at = place.axes.index(axis)
            courses[at] = _behind(courses[at], one.low, one.high, one.step)
    return replace(place, courses=(courses[0], courses[1]))


def _behind(course: Course, low: float, high: float, step: float) -> Course:
    """The axis behind a window that reads positions `low` … `high` first, and goes on by `step`."""
    ends = (course.step * low, course.step * high)
    return course._replace(low=course.low + min(ends), high=course.high + max(ends), step=course.step * step)


def _reshaped(op: Op, place: Place, before: Sequence[int] | None) -> Place | None:
    """A view keeps positions where the grid's axes are its last two, before and after."""
    if before is None or op.shape is None or set(place.axes) != {len(before) - 2, len(before) - 1}:
        return None
    if tuple(before[-2:]) != tuple(op.shape[-2:]):
        return None
    shift = len(op.shape) - len(before)
    return replace(place, axes=(place.axes[0] + shift, place.axes[1] + shift))


def _merged(ops: Sequence[Op], op: Op, found: Sequence[Place | None]) -> Place | None:
    """What the operands have in common; a 1×1 grid that gates a larger one does not count."""
    sources = [source for source in op.inputs if ops[source].shape is not None]
    wide = [source for source in sources if not _is_gate(ops, source)]
    # What is spread along an axis is the same all along it, and has no place there.
    whole = [
        s for s in wide if (place := found[s]) and _extents(ops[s].shape, place) == _extents(op.shape, place)
    ]
    merged: Place | None = None
    for source in whole if len(whole) and _spreads(ops, op, wide) else wide or sources:
        place = found[source]
        if place is None:
            return None
        merged = place if merged is None else _union(merged, place)
        if merged is None:
            return None
    return merged


def _spreads(ops: Sequence[Op], op: Op, sources: Sequence[int]) -> bool:
    """Whether operands of one rank are brought to one shape by repeating some of them."""
    shapes = [ops[source].shape or () for source in sources]
    rank = len(op.shape or ())
    return len(sources) > 1 and any(
        len(shape) == rank and 1 in shape[2:] and shape[2:] != (op.shape or ())[2:] for shape in shapes
    )


def _is_gate(ops: Sequence[Op], index: int) -> bool:
    """Whether a value is the same at every position: it has one, or was one that was spread out."""
    op = ops[index]
    if op.move is not None and op.kind is Kind.OTHER and len(op.inputs) == 1:
        return _is_single(ops[op.inputs[0]].shape)
    return _is_single(op.shape)


def _is_single(shape: Sequence[int] | None) -> bool:
    return (
        shape is None
        or len(shape) <= 2
        or (len(shape) == 4 and 1 in {shape[2] * shape[3], shape[1] * shape[2]})
    )


def _union(first: Place, second: Place) -> Place | None:
    if first.axes != second.axes:
        return None
    courses = []
    for one, other in zip(first.courses, second.courses, strict=True):
        if abs(one.step - other.step) > CLOSE:
            return None
        courses.append(one._replace(low=min(one.low, other.low), high=max(one.high, other.high)))
    return Place(first.axes, (courses[0], courses[1]))


class Turn(NamedTuple):
    """How a response is turned to lie as the picture does: its two axes are exchanged, then some are flipped.

    Attributes:
        swapped: whether they are exchanged.
        flipped: axes (2 or 3) that are then flipped.
    """

    swapped: bool = False
    flipped: tuple[int, ...] = ()

    def upright(self, response: torch.Tensor) -> torch.Tensor:
        """(N, U, h, w) as the picture lies; a view or a copy."""
        turned = response.transpose(2, 3) if self.swapped else response
        return turned.flip(self.flipped) if self.flipped else turned


UPRIGHT = Turn()


def lie(place: Place, grid: Pair, picture: Pair) -> tuple[GridLines, Turn] | None:
    """Where the positions of a response lie once it is upright; None where its grid is no grid of images.

    Args:
        place: of the response.
        grid: (h, w) as the network computes it.
        picture: (H, W) of the network's input.
    """
    if set(place.axes) != {2, 3}:
        return None
    lines, flipped = [], []
    for at, (axis, course) in enumerate(zip(place.axes, place.courses, strict=True)):
        first, step = course.first, course.step
        if step < 0:
            flipped.append(2 + at)
            first, step = first + step * (grid[axis - 2] - 1), -step
        if not step:
            return None
        lines.append(GridLine(picture[at] / step, (first + 0.5) / step))
    return GridLines(lines[0], lines[1]), Turn(place.axes == (3, 2), tuple(flipped))
