"""Runs a traced network node by node: reads or changes responses on the way, frees what nobody needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import fx

from interpret_core.errors import NetworkError
from interpret_core.networks.graph.trace import Graph
from interpret_core.networks.outputs import Outputs

Tap = Callable[[torch.Tensor], None]


@dataclass(frozen=True)
class Taps:
    """What happens at responses during one run, by layer name.

    Attributes:
        write: changes a response in place (silencing); runs first.
        read: sees the response as the rest of the network sees it; must not change it.
    """

    read: Mapping[str, Tap] = field(default_factory=dict)
    write: Mapping[str, Tap] = field(default_factory=dict)

    def apply(self, layer: str, response: torch.Tensor) -> None:
        """Run both taps of a layer on its response."""
        for taps in (self.write, self.read):
            if layer in taps:
                taps[layer](response)


class SkippedLayerError(NetworkError):
    """A response that is wanted was not computed for these images."""

    def __init__(self, layer: str) -> None:
        """Name the layer."""
        super().__init__(
            f"Layer {layer} was not computed for this batch, expected it as in the first run: "
            "the network's control flow depends on the data. Choose other layers, or other images."
        )
        self.layer = layer


class Runner(Protocol):
    """A way to run a network with taps; several threads may call it at the same time."""

    def __call__(self, images: torch.Tensor, taps: Taps, *, stop: bool = False) -> torch.Tensor | None:
        """The network's output, or None when `stop` ends the run after the last response that is read."""


@dataclass(frozen=True)
class _Step:
    node: fx.Node
    layer: str | None  # whose response this node computes
    dead: tuple[fx.Node, ...]  # values that nobody needs once this node has run


class GraphRunner:
    """Runs a `Graph`; holds no state between runs except plans (which nodes, what to free when)."""

    def __init__(
        self, graph: Graph, responses: Mapping[str, int], outputs: Outputs, views: Collection[str] = ()
    ) -> None:
        """Prepare to run a graph.

        Args:
            graph: of the network.
            responses: layer name -> index of the node whose output is the layer's response.
            outputs: how its output is read.
            views: layers whose response may be another tensor's memory.
        """
        self._graph = graph
        self._views = frozenset(views)
        self._outputs = outputs
        self._nodes = {name: graph.nodes[index] for name, index in responses.items()}
        self._plans: dict[frozenset[str] | None, tuple[_Step, ...]] = {}

    def __call__(self, images: torch.Tensor, taps: Taps, *, stop: bool = False) -> torch.Tensor | None:
        """The network's output, or None when `stop` ends the run after the last response that is read.

        Args:
            images: (N, 3, H, W) float32 on the network's device.
            taps: what to do at which response.
            stop: compute only what the responses in `taps.read` need.
        """
        values = Values(self._graph.module, images)
        for step in self._plan(frozenset(taps.read) if stop else None):
            values.compute(step.node)
            if step.layer is not None:
                values.apply(taps, step.layer, step.node, own=step.layer not in self._views)
            values.free(step.dead)
        result = values.result
        return None if result is None else self._outputs.rows(result, len(images))

    def _plan(self, wanted: frozenset[str] | None) -> tuple[_Step, ...]:
        plan = self._plans.get(wanted)
        if plan is None:
            last = [n for n in self._graph.nodes if n.op == "output"]
            ends = last if wanted is None else [self._nodes[name] for name in wanted]
            plan = self._plans[wanted] = self._planned(ends)
        return plan

    def _planned(self, ends: Iterable[fx.Node]) -> tuple[_Step, ...]:
        """The nodes that lead to `ends`, in forward order, each with what it frees."""
        needed: set[fx.Node] = set()
        pending = list(ends)
        while pending:
            node = pending.pop()
            if node not in needed:
                needed.add(node)
                pending += node.all_input_nodes
        nodes = [node for node in self._graph.nodes if node in needed or node.op == "placeholder"]
        last_user = {source: node for node in nodes for source in (node, *node.all_input_nodes)}
        names = {node: name for name, node in self._nodes.items()}
        return tuple(
            _Step(
                node, names.get(node), tuple(s for s in (node, *node.all_input_nodes) if last_user[s] is node)
            )
            for node in nodes
        )


class LayerRunner:
    """Runs a network from one of two graphs: the usual layers' alone has its in-place operations back."""

    def __init__(self, usual: GraphRunner, every: GraphRunner, names: Iterable[str]) -> None:
        """Choose between two.

        Args:
            usual: knows some layers.
            every: knows all of them.
            names: of those that the usual one knows.
        """
        self._usual, self._every, self._names = usual, every, frozenset(names)

    def __call__(self, images: torch.Tensor, taps: Taps, *, stop: bool = False) -> torch.Tensor | None:
        """See `Runner`."""
        usual = self._names.issuperset((*taps.read, *taps.write))
        return (self._usual if usual else self._every)(images, taps, stop=stop)


class Values(fx.Interpreter):
    """One run's values, by node; the interpreter knows how to compute each kind of node."""

    def __init__(self, module: fx.GraphModule, images: torch.Tensor | None) -> None:
        """A run of these images; without any, values of the first nodes have to be put into `env`."""
        super().__init__(module, garbage_collect_values=False)
        self.args_iter = iter((images,))
        self.result: torch.Tensor | None = None

    def compute(self, node: fx.Node) -> Any:
        """A node's value, kept until it is freed; the output node's is the result."""
        value = self.env[node] = self.run_node(node)
        if node.op == "output":
            self.result = value
        return value

    def apply(self, taps: Taps, layer: str, node: fx.Node, *, own: bool) -> None:
        """Run a layer's taps on a node's value.

        Args:
            taps: which.
            layer: which.
            node: which.
            own: nobody else reads the value's memory, so that it may be overwritten.
        """
        if not own and layer in taps.write:
            self.env[node] = self.env[node].clone()
        taps.apply(layer, self.env[node])

    def free(self, nodes: Iterable[fx.Node]) -> None:
        """Forget values that nobody reads any more."""
        for node in nodes:
            del self.env[node]


def run_all(
    module: fx.GraphModule,
    nodes: Iterable[fx.Node],
    images: torch.Tensor,
    see: Callable[[fx.Node, Any], None],
) -> Any:
    """One plain run: every node's value is shown to `see`, and freed once nobody reads it; the output."""
    nodes = tuple(nodes)
    last_user = {source: node for node in nodes for source in (node, *node.all_input_nodes)}
    values = Values(module, images)
    for node in nodes:
        see(node, values.compute(node))
        values.free(source for source in (node, *node.all_input_nodes) if last_user[source] is node)
    return values.result
