"""A network as a torch.fx graph without in-place operations, so that responses can be read off it safely.

Parameters and buffers are shared with the module, the module itself is never changed. An in-place operation
becomes its out-of-place twin, and whatever read the overwritten tensor afterwards reads the twin's result; a
network that changes tensors in another way (assignment to an index, `out=`) is left to `watch.py`.
"""

from __future__ import annotations

import copy
import keyword
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from interpret_core.networks.graph.moves import Moves, Window, function_moves, module_moves
from interpret_core.networks.graph.operations import (
    WEIGHTED,
    Described,
    Kind,
    ModuleCalls,
    Op,
    describe_function,
    describe_module,
    plain_name,
    shape_of,
)
from interpret_core.networks.graph.tracer import recorded

OUT_OF_PLACE = "__out_of_place"  # added to the name of a module's twin that overwrites nothing
_NAME = re.compile(r'[^"\\\x00-\x1f]*')


class UntraceableError(Exception):
    """The network cannot be run from a graph; the message says why. Never reaches the user."""


@dataclass(frozen=True)
class _Form:
    """How a node stores its result: what it calls, and its `inplace` argument where it has one."""

    target: Any
    inplace: bool | None = None

    def apply(self, node: fx.Node) -> None:
        node.target = self.target
        if self.inplace is not None:
            node.kwargs = {**node.kwargs, "inplace": self.inplace}


class Graph:
    """A traced network: nodes in forward order, none of which overwrites a tensor.

    Attributes:
        module: the graph with the parameters it refers to; read only once prepared.
        nodes: every node, in forward order; an operation's index in `ops()` is its position here.
        calls: which of them belong to which modules.
    """

    def __init__(
        self, module: fx.GraphModule, inplace: Mapping[fx.Node, _Form], calls: ModuleCalls | None = None
    ) -> None:
        self.module = module
        self.nodes: tuple[fx.Node, ...] = tuple(module.graph.nodes)
        self.calls = calls or ModuleCalls()
        self._inplace = inplace
        self._numbers: dict[fx.Node, Any] = {}  # sizes that are computed on the way, as in the recorded run

    def copied(self) -> Graph:
        """The same operations as nodes of their own, with shared parameters: `restore_in_place` on the one
        leaves the other as it is. Its nodes have the same indices.
        """
        twin = Graph(fx.GraphModule(self.module, copy.deepcopy(self.module.graph)), {}, self.calls)
        twin._numbers = {
            other: self._numbers[node]
            for node, other in zip(self.nodes, twin.nodes, strict=True)
            if node in self._numbers
        }
        return twin

    def recorder(self, shapes: dict[fx.Node, tuple[int, ...] | None]) -> Callable[[fx.Node, Any], None]:
        """A callback for one run that fills in the shape of every node's output, and notes computed sizes."""

        def record(node: fx.Node, value: Any) -> None:
            shapes[node] = shape_of(value)
            if _is_size(value):
                self._numbers[node] = value

        return record

    def ops(self, shapes: Mapping[fx.Node, tuple[int, ...] | None]) -> list[Op]:
        """The operations for the layer rules, one per node.

        Args:
            shapes: of each node's output, from one run.
        """
        index = {node: number for number, node in enumerate(self.nodes)}
        depends: set[fx.Node] = set()  # on the images, rather than on parameters alone
        ops = []
        for node in self.nodes:
            sources = tuple(index[source] for source in node.all_input_nodes if source in depends)
            if node.op == "placeholder" or sources:
                depends.add(node)
            kind, window, axes = self.describe(node, shapes)
            path = self._path(node) if kind in WEIGHTED else ""
            move = self._moves(node, window, shapes) if sources else None
            ops.append(Op(kind, sources, shapes.get(node), path, window, axes, move))
        return ops

    def restore_in_place(self, responses: set[fx.Node], shapes: Mapping[fx.Node, Any]) -> None:
        """Give back in-place form to operations that overwrite a tensor nobody else can see.

        That is bit-identical and saves allocating a map: the overwritten tensor was made by the operation
        just before, has no other reader and is not a response. Where an in-place addition overwrote a
        response (ResNet's `out += identity`), it overwrites the other operand instead, if nobody reads that
        later: a sum of two does not depend on their order.

        Args:
            responses: nodes whose output must stay as it is.
            shapes: of each node's output.
        """
        owned = _Owned(self, responses, shapes)
        for node in self.nodes:
            form = self._inplace.get(node)
            if form is not None and owned.last_read(node.all_input_nodes[0], node):
                form.apply(node)
                owned.overwritten_by[node] = node.all_input_nodes[0]
            elif form is not None and _is_plain_sum(node, shapes) and owned.last_read(node.args[1], node):
                first, second = node.all_input_nodes
                node.op, node.target, node.args = "call_function", operator.iadd, (second, first)
                owned.overwritten_by[node] = second

    def describe(self, node: fx.Node, shapes: Mapping[fx.Node, Any]) -> Described:
        """What a node's operation is."""
        if node.op == "placeholder":
            return Described(Kind.INPUT)
        if node.op == "call_module":
            return describe_module(self.module.get_submodule(str(node.target)))
        if node.op in {"call_function", "call_method"}:
            args = [self._number(one) for one in node.args]
            named = {name: self._number(one) for name, one in node.kwargs.items()}
            return describe_function(name_of(node.target), args, named, lambda arg: shapes.get(arg, None))
        return Described(Kind.OTHER)

    def _moves(self, node: fx.Node, window: Window | None, shapes: Mapping[fx.Node, Any]) -> Moves | None:
        """Which positions of its input a node reads."""
        if node.op == "call_module":
            before = next((shapes.get(source) for source in node.all_input_nodes), None)
            return module_moves(self.module.get_submodule(str(node.target)), window, before, shapes.get(node))
        args = [self._number(one) for one in node.args]
        named = {name: self._number(one) for name, one in node.kwargs.items()}
        name = plain_name(name_of(node.target))
        return function_moves(
            name, (args, named), window, lambda one: shapes.get(one, None), shapes.get(node)
        )

    def _number(self, argument: Any) -> Any:
        """A size that the network computes (`F.avg_pool2d(x, x.size(3))`), by its value in the run."""
        if isinstance(argument, fx.Node):
            return self._numbers.get(argument, argument)
        if isinstance(argument, (tuple, list)):
            return tuple(self._number(one) for one in argument)
        if isinstance(argument, slice):
            return slice(*map(self._number, (argument.start, argument.stop, argument.step)))
        return argument

    def _path(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return str(node.target)
        weight = node.args[1] if len(node.args) > 1 else node.kwargs.get("weight")
        if isinstance(weight, fx.Node) and weight.op == "get_attr":
            return str(weight.target).rpartition(".")[0] or str(weight.target)
        return _around(node) or "conv"


class _Owned:
    """Which tensors belong to one node alone, so that overwriting them once they are read is safe."""

    def __init__(self, graph: Graph, responses: set[fx.Node], shapes: Mapping[fx.Node, Any]) -> None:
        self._kinds = {node: graph.describe(node, shapes).kind for node in graph.nodes}
        self._order = {node: number for number, node in enumerate(graph.nodes)}
        self._responses = responses
        self.overwritten_by: dict[fx.Node, fx.Node] = {}  # node -> the node whose tensor it overwrites

    def last_read(self, source: Any, reader: fx.Node) -> bool:
        """Whether `reader` may overwrite `source`: a new tensor, no response, read by nobody afterwards."""
        if not isinstance(source, fx.Node) or source in self._responses:
            return False
        made = source in self.overwritten_by or self._kinds[source] in _MAKES_NEW
        # A reader of another kind might hand out a view of the tensor, which lives on.
        others = [user for user in source.users if user is not reader]
        return made and all(
            self._kinds[user] in _MAKES_NEW and self._order[user] < self._order[reader] for user in others
        )


# Their output is always a new tensor (batch_norm and convolutions in eval mode included), never a view.
_MAKES_NEW = frozenset({Kind.CONV, Kind.NORM, Kind.SELF_NORM, Kind.POOL, Kind.ADD})


def _is_plain_sum(node: fx.Node, shapes: Mapping[fx.Node, Any]) -> bool:
    if node.target not in {operator.add, "add"} or len(node.args) != 2 or node.kwargs:
        return False
    return len({shapes.get(source) for source in node.all_input_nodes} | {shapes.get(node)}) == 1 and (
        len(node.all_input_nodes) == 2
    )


def trace(module: nn.Module) -> Graph:
    """Trace a module and take its in-place operations out.

    Args:
        module: in eval mode; takes one (N, 3, H, W) tensor. It is not changed.

    Raises:
        UntraceableError: torch.fx cannot follow it, or it overwrites tensors in a way not understood here.
    """
    try:
        graph, returned = recorded(module)
    except Exception as error:  # whatever the module's own code makes of a proxy
        raise UntraceableError(f"{type(error).__name__}: {error}") from error
    if sum(node.op == "placeholder" and not node.args for node in graph.nodes) != 1:
        raise UntraceableError("it does not take exactly one tensor")
    _check_names(graph)
    module_of_graph = fx.GraphModule(module, graph)
    inplace: dict[fx.Node, _Form] = {}
    for node in list(graph.nodes):
        overwritten = _take_out(module_of_graph, node, inplace)
        if overwritten is not None:
            later = {user for user in overwritten.users if user is not node and node < user}
            overwritten.replace_all_uses_with(node, delete_user_cb=later.__contains__)
    return Graph(module_of_graph, inplace, _calls(graph, returned))


def _calls(graph: fx.Graph, returned: Mapping[str, Sequence[fx.Node]]) -> ModuleCalls:
    places = {node: place for place, node in enumerate(graph.nodes)}
    outputs = {
        path: tuple(places[node] for node in nodes if node in places) for path, nodes in returned.items()
    }
    single = frozenset(str(node.target) for node in graph.nodes if node.op == "call_module")
    return ModuleCalls(
        outputs, frozenset(path.removesuffix(OUT_OF_PLACE) for path in single), [*map(_around, graph.nodes)]
    )


def _around(node: fx.Node) -> str:
    """Path of the innermost module whose code asks for a node."""
    stack = [str(path) for path, _ in node.meta.get("nn_module_stack", {}).values()]
    if node.op == "call_module" and stack:
        stack.pop()
    return stack[-1] if stack else ""


def _check_names(graph: fx.Graph) -> None:
    """torch.fx writes names into a program as they are: as attributes, or between the quotes of a text."""
    for node in graph.nodes:
        if node.op in {"call_module", "get_attr"}:
            parts = node.target.split(".")
            if any(keyword.iskeyword(part) or not _NAME.fullmatch(part) for part in parts):
                raise UntraceableError(f"the name {node.target!r} cannot stand in a program")


def _take_out(module: fx.GraphModule, node: fx.Node, inplace: dict[fx.Node, _Form]) -> fx.Node | None:
    """Make one node out-of-place; the node it used to overwrite, or None if it overwrites nothing."""
    if node.op == "call_module":
        forms = _module_forms(module, node)
    elif node.op in {"call_function", "call_method"}:
        if node.kwargs.get("out") is not None or node.target in {operator.setitem, setattr}:
            raise UntraceableError(f"{node.target} changes a tensor in place")
        forms = _inplace_argument(node) or _underscore(node)
    else:
        return None
    if forms is None:
        return None
    safe, original = forms
    safe.apply(node)
    inplace[node] = original
    source = node.args[0] if node.args else node.kwargs.get("input")
    if not isinstance(source, fx.Node):
        raise UntraceableError(f"{node.target} changes an unknown tensor in place")
    return source


def _module_forms(module: fx.GraphModule, node: fx.Node) -> tuple[_Form, _Form] | None:
    target = str(node.target)
    called = module.get_submodule(target)
    if not getattr(called, "inplace", False):
        return None
    twin = copy.copy(called)
    twin.inplace = False  # type: ignore[assignment]
    name = f"{target}{OUT_OF_PLACE}"
    module.add_submodule(name, twin)
    return _Form(name), _Form(target)


def _inplace_argument(node: fx.Node) -> tuple[_Form, _Form] | None:
    """F.relu(x, inplace=True) and its kin; in torch.nn.functional `inplace` is always the last parameter."""
    if node.op != "call_function" or getattr(node.target, "__module__", "") != "torch.nn.functional":
        return None
    names = node.target.__code__.co_varnames[: node.target.__code__.co_argcount]  # type: ignore[union-attr]
    if "inplace" not in names:
        return None
    if len(node.args) == len(names):
        node.kwargs = {**node.kwargs, "inplace": node.args[-1]}
        node.args = node.args[:-1]
    if not node.kwargs.get("inplace", False):
        return None
    return _Form(node.target, inplace=False), _Form(node.target, inplace=True)


def _underscore(node: fx.Node) -> tuple[_Form, _Form] | None:
    """x += y, x.relu_(), torch.relu_(x): forms named after their out-of-place twin."""
    name = name_of(node.target)
    twin: Any = None
    if node.op == "call_function" and getattr(operator, name, None) is node.target:
        if not name.startswith("i") or name in {"index", "indexOf", "invert", "is_", "is_not", "inv"}:
            return None
        twin = getattr(operator, name[1:], None) or getattr(operator, f"{name[1:]}_", None)
    elif not name.endswith("_") or name.endswith("__"):
        return None
    elif node.op == "call_method":
        twin = name[:-1] if callable(getattr(torch.Tensor, name[:-1], None)) else None
    else:
        twin = getattr(torch, name[:-1], None) or getattr(nn.functional, name[:-1], None)
    if twin is None:
        raise UntraceableError(f"{name} changes a tensor in place")
    return _Form(twin), _Form(node.target)


def name_of(target: Any) -> str:
    """Name of the function or method that a node calls."""
    return target if isinstance(target, str) else str(getattr(target, "__name__", target))


def _is_size(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return bool(value) and all(type(one) is int for one in value)
    return type(value) is int
