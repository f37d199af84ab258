"""Which convolutions are listed, what their response is, and what they are called.

Rules (method §1), on the operations of a network in forward order.

Response: what the next layer sees. From the convolution on through normalisations, steps that hand their
input on (Identity, dropout in eval mode) and at last an activation, as long as each is the only reader of
what is before it. A reader that only asks for the shape does not count. x·sigmoid(x), where the two are the
only readers of x, is an activation (SiLU written out).

Listed: two-dimensional convolutions with an output grid larger than 1×1 (squeeze-and-excitation drops
out) that are not the projection of a shortcut.

Shortcut: at an addition, each operand's branch is what leads to it and not to the other, back to the
fork. A branch with exactly one convolution, no activation, and fewer convolutions than the other is a
shortcut.

One- and three-dimensional and transposed convolutions are not listed: their responses have no (h, w)
grid, or no filter per unit on the image. A convolution that runs twice is listed once per call: `name`,
`name.call2`, ….
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from interpret_core.networks.graph.geometry import Field, receptive_fields
from interpret_core.networks.graph.operations import Kind, Op, Pair

# Raise when the rule changes: what a run noted of a network under its recipe is then asked anew.
RESPONSES = 2
_STEPS = frozenset({Kind.NORM, Kind.SELF_NORM, Kind.PASS, Kind.ACTIVATION})


@dataclass(frozen=True)
class Layer:
    """A listed convolutional layer; its response is read after normalisation and activation.

    Attributes:
        name: short display name, unique in the network: `conv1`, `layer1.0.conv1`.
        path: dotted module path of the convolution.
        index: position among the listed layers, forward order, from 0.
        units: number of units (output channels), U.
        grid: (h, w) of the response at the network's input size.
        receptive_field: side in pixels of the input region that can reach one position (the larger of the two
            sides, borders ignored); None if unknown. A gate from a 1×1 grid (squeeze-and-excitation) says how
            strongly, not where, and does not count.
        stride: pixels from one grid position to the next (the larger of the two); None if unknown.
    """

    name: str
    path: str
    index: int
    units: int
    grid: Pair
    receptive_field: int | None
    stride: int | None


@dataclass(frozen=True)
class FoundLayers:
    """A listed layer; `chain`: indices of its convolution and of each step after it."""

    layer: Layer
    chain: tuple[int, ...]

    @property
    def response(self) -> int:
        """Index of the operation whose output is the response."""
        return self.chain[-1]


def followed(ops: Sequence[Op], found: Sequence[FoundLayers]) -> list[list[object]]:
    """Layers whose response lies behind more than a BatchNorm and an activation, with the steps to it.

    Part of the network's digest: results of such a layer from before that rule are of another quantity.
    """
    further = {Kind.SELF_NORM, Kind.PASS}
    chains = {item.layer.name: [ops[step].kind for step in item.chain] for item in found}
    return [
        [name, [kind.value for kind in kinds]]
        for name, kinds in chains.items()
        if further & {*kinds} or kinds.count(Kind.NORM) > 1
    ]


def find_layers(ops: Sequence[Op]) -> tuple[FoundLayers, ...]:
    """The listed layers in forward order.

    Args:
        ops: every operation of the network in forward order, with shapes.
    """
    users = value_users(ops)
    shortcuts = _shortcuts(ops)
    chains = [
        response_chain(ops, users, index)
        for index, op in enumerate(ops)
        if op.kind is Kind.CONV and index not in shortcuts and op.grid is not None and max(op.grid) > 1
    ]
    names = display_names([ops[chain[0]].path for chain in chains])
    fields = receptive_fields(ops)
    return tuple(
        FoundLayers(_layer(ops, chain, index, name, fields[chain[-1]]), chain)
        for index, (chain, name) in enumerate(zip(chains, names, strict=True))
    )


def usable(layers: Sequence[Layer], left_out: Collection[str]) -> tuple[Layer, ...]:
    """The layers without some of them; names stay, positions are counted anew."""
    kept = [layer for layer in layers if layer.name not in left_out]
    return tuple(replace(layer, index=index) for index, layer in enumerate(kept))


def value_users(ops: Sequence[Op]) -> list[tuple[int, ...]]:
    """For each operation, those that read its values (not merely its shape)."""
    users: list[list[int]] = [[] for _ in ops]
    for index, op in enumerate(ops):
        if op.shape is not None:
            for source in dict.fromkeys(op.inputs):
                users[source].append(index)
    return [tuple(readers) for readers in users]


def response_chain(ops: Sequence[Op], users: Sequence[tuple[int, ...]], conv: int) -> tuple[int, ...]:
    """Indices conv → normalisations and steps that hand on → activation?; the last one is the response.

    Steps that only hand on count where something follows them: without, the value is the same.
    """
    chain, end = [conv], 1
    while (reader := _sole_reader(ops, users, chain[-1])) is not None:
        kind = ops[reader].kind
        if kind not in _STEPS:
            break
        chain.append(reader)
        end = end if kind is Kind.PASS else len(chain)
        if kind is Kind.ACTIVATION:
            return tuple(chain)
    product = _written_out_silu(ops, users, chain[-1])
    return (*chain, *product) if product else tuple(chain[:end])


def _sole_reader(ops: Sequence[Op], users: Sequence[tuple[int, ...]], at: int) -> int | None:
    """The one operation that reads another's values, as the first of its arguments, and keeps their shape."""
    readers = users[at]
    if len(readers) != 1 or ops[readers[0]].inputs[:1] != (at,) or ops[readers[0]].shape != ops[at].shape:
        return None
    return readers[0]


def _written_out_silu(ops: Sequence[Op], users: Sequence[tuple[int, ...]], at: int) -> list[int]:
    """Index of the product in x·sigmoid(x) where x is read by the two only; empty elsewhere."""
    if len(users[at]) != 2:
        return []
    gate, product = users[at]
    gated = ops[gate].kind is Kind.ACTIVATION and users[gate] == (product,)
    same = set(ops[product].inputs) == {at, gate} and ops[product].kind is Kind.LOCAL
    return [product] if gated and same and ops[product].shape == ops[at].shape else []


def _shortcuts(ops: Sequence[Op]) -> set[int]:
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
            lone = (branch & convolutions).bit_count() == 1 and not branch & activations
            if lone and (other & convolutions).bit_count() > 1:
                found.add((branch & convolutions).bit_length() - 1)
    return found


def _bits(ops: Sequence[Op], kind: Kind) -> int:
    return sum(1 << index for index, op in enumerate(ops) if op.kind is kind)


def display_names(paths: Sequence[str]) -> list[str]:
    """Short, unique names for module paths in forward order.

    `conv1` … `convK` where every convolution is a numbered child of one and the same container (AlexNet,
    VGG); else the path, leading underscores of its components stripped where that stays unique.
    """
    parents = {path.rpartition(".")[0] for path in paths}
    if len(parents) == 1 and all(path.rpartition(".")[2].isdigit() for path in paths):
        return [f"conv{number}" for number in range(1, len(paths) + 1)]
    stripped = {path: ".".join(part.lstrip("_") or part for part in path.split(".")) for path in paths}
    unique = len(set(stripped.values())) == len(stripped)
    calls: Counter[str] = Counter()
    names = []
    for path in paths:
        calls[path] += 1
        name = stripped[path] if unique else path
        names.append(name if calls[path] == 1 else f"{name}.call{calls[path]}")
    return names


def _layer(ops: Sequence[Op], chain: tuple[int, ...], index: int, name: str, field: Field | None) -> Layer:
    response = ops[chain[-1]]
    shape = response.shape or ()
    return Layer(
        name=name,
        path=ops[chain[0]].path,
        index=index,
        units=shape[1],
        grid=(shape[2], shape[3]),
        receptive_field=None if field is None else max(field.size),
        stride=None if field is None else max(field.stride),
    )
