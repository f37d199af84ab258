"""What the response of a layer is: what the next layer sees.

From the layer's own operation on through normalisations, steps that hand their input on (Identity, dropout
in eval mode) and at last an activation, as long as each is the only reader of what is before it. A reader
that only asks for the shape does not count. x·sigmoid(x), where the two are the only readers of x, is an
activation (SiLU written out).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from interpret_core.networks.graph.operations import Kind, Op

# Raise when the rules for responses or for what is listed change: what a run noted of a network under its
# recipe is then asked anew.
RESPONSES = 3
STEPS = frozenset({Kind.NORM, Kind.SELF_NORM, Kind.PASS, Kind.ACTIVATION})
DIRECT = frozenset({Kind.PASS, Kind.ACTIVATION})  # behind a sum or a concatenation: its own activation


_NAMES = {
    Kind.NORM: "normalisation",
    Kind.SELF_NORM: "normalisation",
    Kind.ACTIVATION: "activation",
    Kind.LOCAL: "activation",  # the product in x·sigmoid(x)
}
_NEXT = {
    Kind.ADD: "added next",
    Kind.JOIN: "joined next",
    Kind.CONV: "convolved next",
    Kind.TRANSPOSED: "convolved next",
    Kind.POOL: "pooled next",
    Kind.NORM: "normalised next",
    Kind.SELF_NORM: "normalised next",
    Kind.LINEAR: "weighted next",
}


def read_words(ops: Sequence[Op], users: Sequence[tuple[int, ...]], chain: Sequence[int]) -> str:
    """Where a response is read, in words, and why it is read before an activation where it is."""
    steps = list(dict.fromkeys(_NAMES[ops[at].kind] for at in chain[1:] if ops[at].kind in _NAMES))
    where = f"after {' and '.join(steps)}" if steps else "as it is"
    readers = users[chain[-1]]
    if steps[-1:] == [_NAMES[Kind.ACTIVATION]]:
        return where
    if len(readers) > 1:
        return f"{where}: {len(readers)} parts read it"
    if not readers:
        return where
    return f"{where}: {_NEXT.get(ops[readers[0]].kind, 'another step next')}"


def followed(ops: Sequence[Op], chains: Mapping[str, Sequence[int]]) -> list[list[object]]:
    """Layers whose response lies behind more than a BatchNorm and an activation, with the steps to it.

    Part of the network's digest: results of such a layer from before that rule are of another quantity.

    Args:
        ops: of the network.
        chains: by layer name, indices of its operation and of each step after it.
    """
    further = {Kind.SELF_NORM, Kind.PASS}
    kinds = {name: [ops[step].kind for step in chain] for name, chain in chains.items()}
    return [
        [name, [kind.value for kind in steps]]
        for name, steps in kinds.items()
        if further & {*steps} or steps.count(Kind.NORM) > 1
    ]


def value_users(ops: Sequence[Op]) -> list[tuple[int, ...]]:
    """For each operation, those that read its values (not merely its shape)."""
    users: list[list[int]] = [[] for _ in ops]
    for index, op in enumerate(ops):
        if op.shape is not None:
            for source in dict.fromkeys(op.inputs):
                users[source].append(index)
    return [tuple(readers) for readers in users]


def response_chain(
    ops: Sequence[Op], users: Sequence[tuple[int, ...]], start: int, steps: Collection[Kind] = STEPS
) -> tuple[int, ...]:
    """Indices start → normalisations and steps that hand on → activation?; the last one is the response.

    Steps that only hand on count where something follows them: without, the value is the same.
    """
    chain, end = [start], 1
    while (reader := _sole_reader(ops, users, chain[-1])) is not None:
        kind = ops[reader].kind
        if kind not in steps:
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
