"""Which convolutions are no stage of their own, but the projection of a shortcut.

At an addition, each operand's branch is what leads to it and not to the other, back to the fork. A branch
with exactly one convolution, a 1×1 one and no activation, and fewer convolutions than the other is a
shortcut. A larger kernel sees a neighbourhood: that is a parallel branch.
"""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.networks.graph.operations import Kind, Op


def shortcuts(ops: Sequence[Op]) -> set[int]:
    """Convolutions that are the lone projection of a shortcut."""
    upstream: list[int] = []  # bit set of everything an operation depends on, itself included
    for index, op in enumerate(ops):
        bits = 1 << index
        for source in op.inputs:
            bits |= upstream[source]
        upstream.append(bits)
    convolutions = _bits(ops, Kind.CONV)
    activations = _bits(ops, Kind.ACTIVATION)
    found: set[int] = set()
    for op in ops:
        operands = tuple(source for source in op.inputs if ops[source].shape is not None)
        if op.kind is not Kind.ADD or len(operands) != 2 or op.grid is None:
            continue
        first, second = (upstream[source] for source in operands)
        for branch, other in ((first & ~second, second & ~first), (second & ~first, first & ~second)):
            alone = branch & convolutions
            if alone.bit_count() != 1 or branch & activations or (other & convolutions).bit_count() < 2:
                continue
            lone = alone.bit_length() - 1
            window = ops[lone].window
            if window is not None and window.kernel == (1, 1):
                found.add(lone)
    return found


def _bits(ops: Sequence[Op], kind: Kind) -> int:
    return sum(1 << index for index, op in enumerate(ops) if op.kind is kind)
