"""What a traced network computes behind a node, and how far behind it the network is affine.

Where every operation is affine, a straight path stays straight, and gradients on it are carried back by one
and the same matrix: the path may as well be taken where that stretch ends, with less of the network left.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import fx, nn

from interpret_core.networks.graph.operations import Kind, Op
from interpret_core.networks.graph.trace import Graph

INPUT = ""  # in place of a layer's name: the images themselves, with the whole network behind them

Shapes = Mapping[fx.Node, tuple[int, ...] | None]

# By exact type: a subclass may compute something else. In eval mode dropout hands its input on.
_AFFINE_MODULES = frozenset({
    nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.ZeroPad2d, nn.Flatten, nn.Identity,
    nn.Dropout, nn.Dropout2d,
})  # fmt: skip
_AFFINE_FUNCTIONS = frozenset({torch.flatten, nn.functional.avg_pool2d, nn.functional.adaptive_avg_pool2d})
_SUMS = frozenset({operator.add, torch.add, "add"})


@dataclass(frozen=True)
class GraphPart:
    """Nodes of a network that follow one of its nodes.

    Attributes:
        node: they follow.
        nodes: to be computed, in forward order; the last one's value is the part's.
        beside: read by them, computed from the images but not from the node.
        constant: read by them, the same for all images.
        spent: for each of `nodes`, the values that no later one reads: they may be freed once it is computed,
            the part's own never.
    """

    node: fx.Node
    nodes: tuple[fx.Node, ...]
    beside: tuple[fx.Node, ...]
    constant: tuple[fx.Node, ...]
    spent: tuple[tuple[fx.Node, ...], ...]

    @property
    def end(self) -> fx.Node:
        """Whose value is the part's; the node itself where nothing follows."""
        return self.nodes[-1] if self.nodes else self.node


def tail(node: fx.Node, nodes: Iterable[fx.Node], needed: set[fx.Node], moving: set[fx.Node]) -> GraphPart:
    """Everything behind a node.

    Args:
        node: the node.
        nodes: of the network, in forward order.
        needed: the output depends on them.
        moving: they depend on the images.
    """
    follows = following(nodes, node) & needed
    return _part(node, [one for one in nodes if one in follows and one is not node], moving)


def straight(behind: GraphPart, graph: Graph, shapes: Shapes, moving: set[fx.Node]) -> GraphPart:
    """The beginning of a tail as far as its value is affine in the node's, everything beside it given.

    Args:
        behind: the tail.
        graph: it belongs to.
        shapes: of each node's output.
        moving: nodes that depend on the images.
    """
    inside, chain = set(behind.nodes), [behind.node]
    while True:
        readers = [reader for reader in chain[-1].users if reader in inside]
        if len(readers) != 1 or not _affine(readers[0], chain[-1], graph, shapes, moving):
            return _part(behind.node, chain[1:], moving)
        chain.append(readers[0])


def shared(affine: GraphPart, layers: Mapping[fx.Node, str]) -> fx.Node:
    """The last layer's response in an affine stretch that is reached without reading anything beside it.

    Such layers have one path in common: carried on, the response and its baseline of the one are those of the
    other. Behind an addition they differ, since what is added is the image's for both ends.

    Args:
        affine: the stretch.
        layers: by the node of their response.
    """
    last = affine.node
    for node in affine.nodes:
        if set(node.all_input_nodes) & set(affine.beside):
            break
        if node in layers:
            last = node
    return last


def crossed_layers(ops: Sequence[Op], responses: Mapping[str, int]) -> frozenset[str]:
    """Layers that every path from the images to the last operation crosses.

    Args:
        ops: in forward order.
        responses: layer name -> index of the operation whose output is the layer's response.
    """
    last = max(number for number, op in enumerate(ops) if op.shape is not None)

    def around(closed: int) -> bool:
        reached = {number for number, op in enumerate(ops) if op.kind is Kind.INPUT}
        for number, op in enumerate(ops):
            if number != closed and op.shape is not None and reached.intersection(op.inputs):
                reached.add(number)
        return last in reached

    return frozenset(name for name, index in responses.items() if not around(index))


def tail_bytes(ops: Sequence[Op], responses: Mapping[str, int]) -> dict[str, int]:
    """Bytes of all that is computed behind each layer for one image in float32; under INPUT of everything.

    Args:
        ops: in forward order.
        responses: layer name -> index of the operation whose output is the layer's response.
    """
    per_image = [4 * math.prod(op.shape[1:]) if op.shape else 0 for op in ops]
    return {name: sum(per_image[index + 1 :]) for name, index in ({INPUT: -1} | dict(responses)).items()}


def following(nodes: Iterable[fx.Node], start: fx.Node) -> set[fx.Node]:
    """A node and all whose value depends on it."""
    found = {start}
    for node in nodes:
        if found.intersection(node.all_input_nodes):
            found.add(node)
    return found


def leading(end: fx.Node) -> set[fx.Node]:
    """A node and all that its value depends on."""
    found: set[fx.Node] = set()
    pending = [end]
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += node.all_input_nodes
    return found


def _part(node: fx.Node, nodes: Iterable[fx.Node], moving: set[fx.Node]) -> GraphPart:
    nodes = tuple(nodes)
    own = {node, *nodes}
    read = dict.fromkeys(source for one in nodes for source in one.all_input_nodes if source not in own)
    beside = tuple(one for one in read if one in moving)
    constant = tuple(one for one in read if one not in moving)
    return GraphPart(node, nodes, beside, constant, _spent(nodes))


def _spent(nodes: tuple[fx.Node, ...]) -> tuple[tuple[fx.Node, ...], ...]:
    """For each node, what is read for the last time there; what nobody reads is spent at once."""
    readers = {source: reader for reader in nodes for source in (reader, *reader.all_input_nodes)}
    spent: dict[fx.Node, list[fx.Node]] = {node: [] for node in nodes}
    for source, reader in readers.items():
        if source is not nodes[-1]:
            spent[reader].append(source)
    return tuple(tuple(spent[node]) for node in nodes)


def _affine(node: fx.Node, source: fx.Node, graph: Graph, shapes: Shapes, moving: set[fx.Node]) -> bool:
    """Whether a node's value is affine in one of its inputs; a doubtful one is not."""
    others = [one for one in node.all_input_nodes if one is not source]
    if node.target in _SUMS:
        # Another shape may be another number of rows, too.
        return all(one not in moving or shapes.get(one) == shapes.get(source) for one in others)
    if not node.args or node.args[0] is not source or moving.intersection(others):
        return False
    if node.op == "call_module":
        module = graph.module.get_submodule(str(node.target))
        if module.training:
            return False
        known = not others and (type(module) in _AFFINE_MODULES)
        return known or (type(module) is nn.BatchNorm2d and module.running_mean is not None)
    if node.op == "call_method":
        return node.target == "flatten"
    # A convolution whose kernel depends on its own input would have it twice among its inputs.
    convolution = graph.describe(node, shapes).kind is Kind.CONV and source not in node.args[1:]
    return node.op == "call_function" and (node.target in _AFFINE_FUNCTIONS or convolution)
