"""Which layers a network has: its convolutions, what else studies read, and what is not offered and why.

Layers (method §1): two-dimensional convolutions with an output grid larger than 1×1 (squeeze-and-excitation
drops out) that are not the projection of a shortcut (`shortcuts`). A convolution that runs twice is listed
once per call: `name`, `name.call2`, ….

Further layers (method §12), asked for by name: sums of tensors of one shape (the output of a residual block,
parallel branches), concatenations of units, transposed convolutions, projections of shortcuts, the last
linear layer, and modules that the network's owner names. A sum or a concatenation is read behind the
activation that directly follows it; the others by the rule for convolutions (`responses`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from interpret_core.networks.graph.geometry import Field, receptive_fields
from interpret_core.networks.graph.operations import Kind, ModuleCalls, Op
from interpret_core.networks.graph.placement import lie, places
from interpret_core.networks.layers.layer import (
    FoundLayer,
    Layer,
    Sort,
    display_names,
    placed,
    without_underscores,
)
from interpret_core.networks.layers.responses import DIRECT, STEPS, read_words, response_chain, value_users
from interpret_core.networks.layers.shortcuts import shortcuts

UNIT_AXIS = 1
NO_POSITIONS = "its units have no positions in the picture"
# What belongs to the response of a sum is its own activation; a linear layer's are the numbers themselves.
_FOLLOWED: dict[Sort, frozenset[Kind]] = {Sort.SUM: DIRECT, Sort.JOIN: DIRECT, Sort.LINEAR: frozenset()}
_ENDINGS = {Sort.SUM: "sum", Sort.JOIN: "concatenation", Sort.LINEAR: "linear"}


@dataclass(frozen=True)
class Inventory:
    """The layers of a network.

    Attributes:
        layers: its convolutions, in forward order.
        further: other layers, each sort in forward order.
        not_offered: (path, why) of convolutions that are neither, and of named modules that cannot be.
    """

    layers: tuple[FoundLayer, ...]
    further: tuple[FoundLayer, ...] = ()
    not_offered: tuple[tuple[str, str], ...] = ()

    @property
    def all(self) -> tuple[FoundLayer, ...]:
        """Layers and further layers."""
        return self.layers + self.further


def find_layers(ops: Sequence[Op], calls: ModuleCalls | None = None, named: Iterable[str] = ()) -> Inventory:
    """The layers of a network.

    Args:
        ops: every operation of the network in forward order, with shapes.
        calls: which of them belong to which modules.
        named: paths of modules that are to be layers.
    """
    return _Finder(ops, calls or ModuleCalls()).inventory(named)


class _Finder:
    def __init__(self, ops: Sequence[Op], calls: ModuleCalls) -> None:
        self._ops, self._calls = ops, calls
        self._users, self._fields, self._axes = value_users(ops), receptive_fields(ops), unit_axes(ops)
        self._shortcuts, self._places = shortcuts(ops), places(ops)
        self._picture = next((op.grid for op in ops if op.kind is Kind.INPUT and op.grid), (1, 1))

    def inventory(self, named: Iterable[str]) -> Inventory:
        convolutions = [index for index, op in enumerate(self._ops) if op.kind is Kind.CONV]
        listed = [index for index in convolutions if index not in self._shortcuts and self._has_grid(index)]
        names = display_names([self._ops[index].path for index in listed])
        layers = [
            self._found(index, name, Sort.CONVOLUTION) for index, name in zip(listed, names, strict=True)
        ]
        further = self._further({one.response for one in layers}, set(names))
        others = _told_apart([*layers, *further])
        modules, missing = self._modules(named, others)
        found = _told_apart([*others, *modules])
        numbered = [replace(one, layer=replace(one.layer, index=at)) for at, one in enumerate(found)]
        left = [(self._ops[at].path, self._why_not(at)) for at in convolutions if at not in listed]
        offered = {one.layer.path for one in further}
        not_offered = (*((path, why) for path, why in left if path not in offered), *missing)
        return Inventory(tuple(numbered[: len(layers)]), tuple(numbered[len(layers) :]), not_offered)

    def _has_grid(self, index: int) -> bool:
        grid = self._ops[index].grid
        return grid is not None and max(grid) > 1

    def _why_not(self, index: int) -> str:
        if not self._has_grid(index):
            return "its grid is 1×1: it has no positions to show"
        return "it is the projection of a shortcut"

    def _further(self, taken: set[int], names: set[str]) -> list[FoundLayer]:
        """Every other layer that needs no naming; none twice."""
        found: list[FoundLayer] = []
        for sort, index in self._starts():
            steps = _FOLLOWED.get(sort, STEPS)
            chain = response_chain(self._ops, self._users, index, steps) if steps else (index,)
            if chain[-1] in taken:
                continue
            taken.add(chain[-1])
            name = _unused(self._name(sort, index, chain[-1]), names, _ENDINGS.get(sort, ""))
            names.add(name)
            found.append(self._found(index, name, sort, chain))
        order = list(Sort)
        return sorted(found, key=lambda one: order.index(one.layer.sort))

    def _starts(self) -> Iterable[tuple[Sort, int]]:
        for index, op in enumerate(self._ops):
            if op.kind is Kind.ADD and self._is_sum(index):
                yield Sort.SUM, index
            elif op.kind is Kind.JOIN and self._joins_units(index):
                yield Sort.JOIN, index
            elif op.kind is Kind.TRANSPOSED and self._has_grid(index):
                yield Sort.TRANSPOSED, index
            elif index in self._shortcuts and self._has_grid(index):
                yield Sort.SHORTCUT, index
        last = self._last_linear()
        if last is not None:
            yield Sort.LINEAR, last

    def _maps(self, index: int) -> list[int]:
        """The operands of an operation that have a grid, where its own units lie along the usual axis."""
        if not self._has_grid(index) or self._axes[index] != UNIT_AXIS:
            return []
        return [source for source in self._ops[index].inputs if self._ops[source].grid is not None]

    def _is_sum(self, index: int) -> bool:
        """Whether two tensors of one shape are added, and the module does not go on adding to the sum."""
        op = self._ops[index]
        if sum(self._ops[source].shape == op.shape for source in self._maps(index)) < 2:
            return False
        readers = self._users[index]
        goes_on = len(readers) == 1 and self._ops[readers[0]].kind is Kind.ADD
        return not (goes_on and self._calls.around(readers[0]) == self._calls.around(index))

    def _joins_units(self, index: int) -> bool:
        axes = self._ops[index].axes
        return axes in {(UNIT_AXIS,), (UNIT_AXIS - 4,)} and len(self._maps(index)) > 1

    def _last_linear(self) -> int | None:
        """The last linear layer, where its answer for an image is one list of numbers."""
        linear = [
            index
            for index, op in enumerate(self._ops)
            if op.kind is Kind.LINEAR and op.shape is not None and len(op.shape) == 2
        ]
        return linear[-1] if linear else None

    def _modules(
        self, named: Iterable[str], others: Sequence[FoundLayer]
    ) -> tuple[list[FoundLayer], list[tuple[str, str]]]:
        """Modules that are named, and why some of them are no layers."""
        known = {name for one in others for name in (one.layer.name, *one.layer.aliases)}
        taken = {one.response for one in others}
        found: list[FoundLayer] = []
        missing: list[tuple[str, str]] = []
        for path in dict.fromkeys(named):
            returned = self._calls.outputs.get(path, ())
            if path in known:
                continue
            if not returned:
                missing.append((path, "no module of that path is run, or it returns no tensor"))
            for number, index in enumerate(returned, 1):
                name = path if number == 1 else f"{path}.call{number}"
                if why := self._unreadable(index):
                    missing.append((name, why))
                elif index not in taken:
                    found.append(self._found(index, name, Sort.MODULE, (index,)))
                    taken.add(index)
        return found, missing

    def _unreadable(self, index: int) -> str:
        """Why what a module returns is no layer's response; empty where it is."""
        shape = self._ops[index].shape
        if shape is None or len(shape) not in {2, 4}:
            return f"it returns numbers of shape {shape}, expected (N, units, h, w) or (N, units)"
        if len(shape) == 4 and self._axes[index] != UNIT_AXIS:
            return "its units do not lie along axis 1"
        return ""

    def _name(self, sort: Sort, index: int, response: int) -> str:
        """A block's name is its module's; what no module returns is called after the module it happens in."""
        if sort in {Sort.TRANSPOSED, Sort.SHORTCUT, Sort.LINEAR}:
            return without_underscores(self._ops[index].path)
        whole = self._returning(index, response)
        if whole:
            return without_underscores(whole[-1])
        around = without_underscores(self._calls.around(index))
        return f"{around}.{_ENDINGS[sort]}" if around else _ENDINGS[sort]

    def _returning(self, index: int, response: int) -> list[str]:
        """Paths of the modules that an operation happens in and that return its response, outermost first."""
        inside = f"{self._ops[index].path or self._calls.around(index)}."
        return [path for path in self._calls.returning(response) if inside.startswith(f"{path}.")]

    def _found(self, index: int, name: str, sort: Sort, chain: tuple[int, ...] | None = None) -> FoundLayer:
        chain = chain or response_chain(self._ops, self._users, index)
        returning = self._returning(index, chain[-1])
        own = self._ops[index].path
        path = own or (returning[-1] if returning else self._calls.around(index))
        others = tuple(one for one in dict.fromkeys([own, *returning]) if one not in {name, ""})
        layer = _layer(self._ops[chain[-1]], name, path, self._fields[chain[-1]])
        place = self._places[chain[-1]]
        lying = None if place is None else lie(place, layer.grid, self._picture)
        if lying is not None and max(layer.grid) > 1:
            layer = placed(layer, *lying)
        read = read_words(self._ops, self._users, chain)
        return FoundLayer(replace(layer, sort=sort, aliases=others, read=read), chain)


def _told_apart(found: Sequence[FoundLayer]) -> list[FoundLayer]:
    """The layers without other names that are the name of one, or that several have."""
    names = {one.layer.name for one in found}
    counts = Counter(alias for one in found for alias in one.layer.aliases)
    kept = [
        tuple(alias for alias in one.layer.aliases if alias not in names and counts[alias] == 1)
        for one in found
    ]
    return [
        replace(one, layer=replace(one.layer, aliases=aliases))
        for one, aliases in zip(found, kept, strict=True)
    ]


def unit_axes(ops: Sequence[Op]) -> list[int | None]:
    """Along which axis of each operation's output its units lie; None where that is unknown."""
    axes: list[int | None] = []
    for op in ops:
        source = next((axes[one] for one in op.inputs if axes[one] is not None), None)
        if op.kind in {Kind.INPUT, Kind.CONV, Kind.TRANSPOSED, Kind.POOL}:
            axes.append(UNIT_AXIS)
        elif source is None or op.shape is None:
            axes.append(None)
        elif op.kind is Kind.PERMUTE:
            axes.append(op.axes.index(source) if source in op.axes else None)
        elif op.kind in {Kind.RESHAPE, Kind.OTHER}:
            axes.append(source if _keeps(ops, op, source) else None)
        else:
            axes.append(source)
    return axes


def _keeps(ops: Sequence[Op], op: Op, axis: int) -> bool:
    """Whether an operation of unknown effect gives as many axes, and as many units, as it reads."""
    before = ops[op.inputs[0]].shape if op.inputs else None
    if before is None or op.shape is None or len(before) != len(op.shape):
        return False
    return before[axis] == op.shape[axis]


def _layer(response: Op, name: str, path: str, field: Field | None) -> Layer:
    shape = response.shape or ()
    flat = len(shape) == 2
    return Layer(
        name=name,
        path=path,
        index=0,
        units=shape[1],
        grid=(1, 1) if flat else (shape[2], shape[3]),
        receptive_field=None if field is None else max(field.size),
        stride=None if field is None else max(field.stride),
        without_masks=NO_POSITIONS if flat else "",
    )


def _unused(name: str, taken: set[str], ending: str) -> str:
    """The name, or one that is not taken yet."""
    if name not in taken:
        return name
    longer = f"{name}.{ending}" if ending and not name.endswith(ending) else name
    number = 2
    found = longer
    while found in taken:
        found, number = f"{longer}.call{number}", number + 1
    return found
