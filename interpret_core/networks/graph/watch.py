"""The slower way for networks that torch.fx cannot trace: watch the calls of a real run.

A run happens on a clone of the module tree that shares the parameters, under a mode that sees every torch
function. One watched run at loading gives the operations from which the layers are found, by the same rules
as for a traced network; later runs follow each listed convolution's output, by identity, through the
BatchNorm and the activation that belong to it. No module carries a hook.

Limits: a response is handed out as a copy, since what comes after may overwrite it; layers that the control
flow skips for a batch are an error if their response is wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from interpret_core.networks.graph.interpreter import SkippedLayerError, Taps
from interpret_core.networks.graph.module_calls import CallStack, on_return
from interpret_core.networks.graph.moves import function_moves
from interpret_core.networks.graph.operations import (
    WEIGHTED,
    Kind,
    Op,
    describe_function,
    plain_name,
    shape_of,
)
from interpret_core.networks.layers.inventory import Inventory, find_layers
from interpret_core.networks.layers.layer import FoundLayer
from interpret_core.networks.objects.copies import shared_clone
from interpret_core.networks.outputs import Outputs

_FOLLOWED = frozenset({Kind.CONV, Kind.TRANSPOSED})
_CONVOLUTIONS = frozenset({"conv2d", "conv_transpose2d"})
_Call = tuple[str, int]  # path of a convolution, and the how many-th of its calls in a run


@dataclass(frozen=True)
class _Course:
    """How to recognise a layer's response: the kinds of the steps after the convolution."""

    layer: str
    steps: tuple[Kind, ...]


class _StopRun(BaseException):
    """Ends a run from inside the module's own code, which must not catch it."""


class WatchedRunner:
    """Runs an untraceable module; see the module's docstring."""

    def __init__(
        self, module: nn.Module, probe: torch.Tensor, outputs: Outputs, named: Iterable[str] = ()
    ) -> None:
        """Watch one run and find the layers.

        Args:
            module: in eval mode, not changed.
            probe: images.
            outputs: how its output is read.
            named: paths of modules that are to be layers.
        """
        self._module = module
        self._outputs = outputs
        clone = shared_clone(module)
        stack = CallStack(clone)
        watch = _Watch(_weight_paths(module), stack)
        watch.enter(probe)
        with watch:
            clone(probe)
        inventory = find_layers(watch.ops, stack.calls(), named)
        followed = [one for one in inventory.all if watch.ops[one.chain[0]].kind in _FOLLOWED]
        # What no convolution leads to is read where a module returns it.
        self._returns = stack.returns(one for one in inventory.all if one not in followed)
        unread = {one.layer.name for one in inventory.all} - {one.layer.name for one in followed}
        self.inventory = _without(inventory, unread - set(self._returns.values()))
        self.ops = watch.ops
        self.responses = {item.layer.name: item.response for item in self.inventory.all}
        self._courses = _courses(watch.ops, followed)

    def __call__(self, images: torch.Tensor, taps: Taps, *, stop: bool = False) -> torch.Tensor | None:
        """The network's output, or None when `stop` ends the run after the last response that is read.

        Raises:
            SkippedLayerError: a response that is wanted was not computed for these images.
        """
        clone = shared_clone(self._module)
        follow = _Follow(self._courses, taps, _weight_paths(clone), stop=stop)
        on_return(clone, self._returns, follow.returned)
        output: torch.Tensor | None = None
        try:
            with follow:
                output = clone(images)
        except _StopRun:
            return None
        missed = follow.missed()
        if missed:
            raise SkippedLayerError(missed[0])
        return None if output is None else self._outputs.rows(output, len(images))


def _weight_paths(module: nn.Module) -> dict[int, str]:
    """Path of the module that holds a tensor, by the tensor's identity."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return {id(tensor): name.rpartition(".")[0] or name for name, tensor in reversed(named)}


def _courses(ops: list[Op], found: Iterable[FoundLayer]) -> dict[_Call, _Course]:
    by_index = {item.chain[0]: item for item in found}
    courses: dict[_Call, _Course] = {}
    calls: Counter[str] = Counter()
    for index, op in enumerate(ops):
        if op.kind in _FOLLOWED:
            calls[op.path] += 1
            if index in by_index:
                item = by_index[index]
                steps = tuple(ops[step].kind for step in item.chain[1:])
                courses[op.path, calls[op.path]] = _Course(item.layer.name, steps)
    return courses


def _without(inventory: Inventory, names: set[str]) -> Inventory:
    """The inventory without layers whose response no module returns."""
    why = "the network cannot be traced, and no module of it returns that response"
    gone = tuple((one.layer.name, why) for one in inventory.further if one.layer.name in names)
    kept = tuple(one for one in inventory.further if one.layer.name not in names)
    return Inventory(inventory.layers, kept, inventory.not_offered + gone)


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)


class _Watch(TorchFunctionMode):
    """Writes down the operations of one run."""

    def __init__(self, paths: Mapping[int, str], stack: CallStack) -> None:
        super().__init__()
        self.ops: list[Op] = []
        self._paths = paths
        self._stack = stack
        # identity of a tensor -> the operation that last wrote it
        self._made_by: dict[int, int] = stack.made_by
        self._alive: list[Any] = []  # an identity is only unique among living tensors

    def enter(self, images: torch.Tensor) -> None:
        """Note the network's input."""
        self._note(Op(Kind.INPUT, (), tuple(images.shape)), images)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        made_by = (self._made_by.get(id(tensor)) for tensor in _tensors((*args, *kwargs.values())))
        sources = tuple(dict.fromkeys(index for index in made_by if index is not None))
        name = getattr(func, "__name__", "")
        if sources:
            kind, window, axes = describe_function(name, args, kwargs, shape_of)
            path = _conv_path(self._paths, args, kwargs) if kind in WEIGHTED else ""
            written = args[0] if name == "__setitem__" else result
            after = shape_of(written)
            move = function_moves(plain_name(name), (args, kwargs), window, shape_of, after)
            self._note(Op(kind, sources, after, path, window, axes, move), written)
            self._written_through(written, args)
        return result

    def _written_through(self, written: Any, args: Any) -> None:
        """What is written into a view is in the tensor it is a view of, at places that nobody follows."""
        inside = args and written is args[0] and isinstance(written, torch.Tensor)
        base = written._base if inside else None
        if base is not None and id(base) in self._made_by and base is not written:
            sources = (self._made_by[id(base)], len(self.ops) - 1)
            self._note(Op(Kind.OTHER, sources, tuple(base.shape)), base)

    def _note(self, op: Op, written: Any) -> None:
        self._alive.append(written)
        for tensor in _tensors((written,)):
            self._made_by[id(tensor)] = len(self.ops)
        self.ops.append(op)
        self._stack.note()


class _Follow(TorchFunctionMode):
    """Follows the listed convolutions' outputs to their responses during one run."""

    def __init__(
        self, courses: Mapping[_Call, _Course], taps: Taps, paths: Mapping[int, str], *, stop: bool
    ) -> None:
        super().__init__()
        self._courses = courses
        self._taps = taps
        self._paths = paths
        self._stop = stop
        self._calls: Counter[str] = Counter()
        self._unread = set(taps.read)
        self._under_way: dict[int, tuple[torch.Tensor, str, tuple[Kind, ...]]] = {}

    def missed(self) -> list[str]:
        """Layers whose response was wanted and did not come."""
        begun = {layer for _, layer, _ in self._under_way.values()}
        return sorted(self._unread | (begun & set(self._taps.write)))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if isinstance(result, torch.Tensor):
            if plain_name(name) in _CONVOLUTIONS:
                self._begin(_conv_path(self._paths, args, kwargs), result)
            else:
                self._go_on(name, args, kwargs, result)
        return result

    def _begin(self, path: str, result: torch.Tensor) -> None:
        self._calls[path] += 1
        course = self._courses.get((path, self._calls[path]))
        if course is not None:
            self._reach(course.layer, course.steps, result)

    def _go_on(self, name: str, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        for tensor in _tensors((*args, *kwargs.values())):
            _, layer, steps = self._under_way.get(id(tensor), (None, "", ()))
            if steps and describe_function(name, args, kwargs, shape_of).kind is steps[0]:
                del self._under_way[id(tensor)]
                self._reach(layer, steps[1:], result)

    def _reach(self, layer: str, steps: tuple[Kind, ...], result: torch.Tensor) -> None:
        if steps:
            self._under_way[id(result)] = (result, layer, steps)
            return
        self.returned(layer, result)

    def returned(self, layer: str, result: torch.Tensor) -> None:
        """A layer's response is there."""
        read = self._taps.read.get(layer)
        if layer in self._taps.write:
            self._taps.write[layer](result)
        if read is not None:
            read(result.clone())
            self._unread.discard(layer)
            if self._stop and not self._unread:
                raise _StopRun


def _conv_path(paths: Mapping[int, str], args: Any, kwargs: Any) -> str:
    """Path of a convolution by its weight; `conv` where the weight is computed anew in every run."""
    weight = args[1] if len(args) > 1 else kwargs.get("weight")
    return paths.get(id(weight), "conv")
