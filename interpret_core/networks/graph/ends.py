"""How a traced network ends: what its last operations say of its outputs, whatever the numbers look like."""

from __future__ import annotations

from collections.abc import Iterator

from torch import fx, nn

from interpret_core.networks.graph.trace import Graph, name_of

UNBOUNDED = "unbounded"  # no probability comes from it
LOGARITHMS = "logarithms"  # of probabilities, each class for itself

# What hands its input's values on in eval mode, means of them, or what grows with them without an end …
_HANDS_ON_MODULES = (
    nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.ReLU,
    nn.LeakyReLU, nn.SiLU, nn.GELU, nn.Hardswish,
)  # fmt: skip
_HANDS_ON = frozenset({
    "flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "float", "clone", "mean",
    "avg_pool2d", "adaptive_avg_pool2d", "chunk", "getitem", "relu", "leaky_relu", "silu", "gelu",
    "hardswish",
})  # fmt: skip
# by a number:
_SCALES = frozenset({"add", "sub", "mul", "truediv", "div", "iadd", "isub", "imul", "itruediv"})
# … and what nobody takes for probabilities,
_WEIGHTED_MODULES = (nn.Linear, nn.Conv2d, nn.modules.batchnorm._BatchNorm, nn.LayerNorm)
_WEIGHTED = frozenset({"linear", "conv2d", "batch_norm", "layer_norm"})
# unless it adds up some.
_PROBABILITY_MODULES = (nn.Softmax, nn.Softmax2d, nn.Sigmoid, nn.Hardsigmoid)
_PROBABILITIES = frozenset({"softmax", "sigmoid", "hardsigmoid"})


def ending(graph: Graph) -> str:
    """UNBOUNDED, LOGARITHMS, or empty where the last operations do not say."""
    (result,) = next(node for node in graph.nodes if node.op == "output").args
    way = list(_way(result, graph))
    if way and _is(way[-1], graph, (nn.LogSigmoid,), frozenset({"logsigmoid"})):
        return LOGARITHMS
    if not way or not _is(way[-1], graph, _WEIGHTED_MODULES, _WEIGHTED):
        return ""
    before = list(_way(way[-1].all_input_nodes[0], graph))
    sums = before and _is(before[-1], graph, _PROBABILITY_MODULES, _PROBABILITIES)
    return "" if sums else UNBOUNDED


def _way(node: object, graph: Graph) -> Iterator[fx.Node]:
    """A node, and against the order of the run all whose values it hands on, up to what makes new ones."""
    while isinstance(node, fx.Node):
        yield node
        if not _hands_on(node, graph):
            return
        node = node.all_input_nodes[0]


def _hands_on(node: fx.Node, graph: Graph) -> bool:
    sources = node.all_input_nodes
    scales = len(sources) == 1 and _is(node, graph, (), _SCALES)
    return bool(sources) and (scales or _is(node, graph, _HANDS_ON_MODULES, _HANDS_ON))


def _is(node: fx.Node, graph: Graph, kinds: tuple[type, ...], names: frozenset[str]) -> bool:
    """Whether a node calls a module of some kinds, or a function of some names."""
    if node.op == "call_module":
        return isinstance(graph.module.get_submodule(str(node.target)), kinds)
    called = node.op in {"call_function", "call_method"}
    return called and name_of(node.target).strip("_") in names
