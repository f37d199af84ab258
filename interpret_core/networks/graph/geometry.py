"""Receptive field and stride of every operation, in pixels of the network's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interpret_core.networks.graph.moves import Pair
from interpret_core.networks.graph.operations import Kind, Op


@dataclass(frozen=True)
class Field:
    """What one position sees: size of the region and the step between neighbours, (vertical, horizontal)."""

    size: Pair
    stride: Pair


def receptive_fields(ops: Sequence[Op]) -> list[Field | None]:
    """The theoretical receptive field of every operation's output, borders ignored.

    A window of effective length d·(k − 1) + 1 widens the field by (length − 1)·stride and multiplies the
    stride by its own; where branches meet, the larger counts, and a 1×1 grid that gates a larger one does
    not. None
    where it is unknown: parameters, behind attention, global pooling or any operation that `operations.py`
    does not list.

    Source: Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", eq. 2.
    """
    fields: list[Field | None] = []
    for op in ops:
        if op.kind is Kind.INPUT:
            fields.append(Field((1, 1), (1, 1)))
        elif op.kind in {Kind.OTHER, Kind.TRANSPOSED} or (
            op.kind is Kind.RESHAPE and _moves_positions(ops, op)
        ):
            fields.append(None)
        else:
            field = _merged(ops, op, fields)
            fields.append(field if op.window is None or field is None else _widened(op, field))
    return fields


def _widened(op: Op, field: Field) -> Field:
    window = op.window
    if window is None:
        return field
    size, stride = [], []
    for axis in (0, 1):
        length = window.dilation[axis] * (window.kernel[axis] - 1) + 1
        size.append(field.size[axis] + (length - 1) * field.stride[axis])
        stride.append(field.stride[axis] * window.stride[axis])
    return Field((size[0], size[1]), (stride[0], stride[1]))


def _merged(ops: Sequence[Op], op: Op, fields: Sequence[Field | None]) -> Field | None:
    """The larger of the operands' fields; parameters have none and are not among the inputs."""
    sources = [source for source in op.inputs if ops[source].shape is not None]
    if op.grid is not None and max(op.grid) > 1:
        sources = [source for source in sources if ops[source].grid != (1, 1)]
    merged: Field | None = None
    for source in sources:
        field = fields[source]
        if field is None:
            return None
        if merged is None:
            merged = field
        merged = Field(_larger(merged.size, field.size), _larger(merged.stride, field.stride))
    return merged


def _larger(first: Pair, second: Pair) -> Pair:
    return (max(first[0], second[0]), max(first[1], second[1]))


def _moves_positions(ops: Sequence[Op], op: Op) -> bool:
    """Whether a view or transpose may mix grid positions: its last two axes are no longer the input's."""
    before = ops[op.inputs[0]].shape if op.inputs else None
    return before is None or op.shape is None or before[-2:] != op.shape[-2:]
