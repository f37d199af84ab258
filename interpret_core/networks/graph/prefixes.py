"""A run halted after a response and gone on with: ablations repeat only what lies behind the first silenced
layer.

The graph used here has no in-place operation: what is kept is read again by every run that goes on from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import fx

from interpret_core.networks.graph.interpreter import Runner, Taps, Values
from interpret_core.networks.graph.trace import Graph
from interpret_core.networks.outputs import Outputs


@dataclass(frozen=True)
class Prefix:
    """A run of the intact network on some images, halted after one layer's response.

    Attributes:
        layer: whose response was computed last.
        ahead: layers whose responses can still be changed, this one among them.
        images: number of images.
        bytes: of all that is kept.
        values: what the rest of the run reads, not to be changed.
    """

    layer: str
    ahead: frozenset[str]
    images: int
    bytes: int
    values: Mapping[Any, Any] = field(repr=False)


class Resumer(Protocol):
    """Halts runs and goes on with them; several threads may use one at the same time."""

    def first(self, layers: Collection[str]) -> str:
        """The layer among some whose response is computed first."""

    def prefix(self, images: torch.Tensor, layer: str) -> Prefix:
        """Run the intact network up to a layer's response and keep what the rest needs."""

    def resume(self, prefix: Prefix, taps: Taps) -> torch.Tensor | None:
        """The output: the same bits as a whole run. Taps of the layers ahead take part."""


class GraphResumer:
    """Halts runs of a traced network."""

    def __init__(
        self, graph: Graph, responses: Mapping[str, int], outputs: Outputs, views: Collection[str] = ()
    ) -> None:
        """Plan the runs.

        Args:
            graph: of the network, without in-place operations; must not change afterwards.
            responses: layer name -> index of the node whose output is the layer's response.
            outputs: how its output is read.
            views: layers whose response may be another tensor's memory.
        """
        self._views = frozenset(views)
        self._module = graph.module
        self._outputs = outputs
        self._nodes = _needed(graph.nodes)
        self._layers = {graph.nodes[index]: name for name, index in responses.items()}
        last = {source: node for node in self._nodes for source in (node, *node.all_input_nodes)}
        self._dead = {
            node: [s for s in (node, *node.all_input_nodes) if last[s] is node] for node in self._nodes
        }

    def first(self, layers: Collection[str]) -> str:
        """See `Resumer`."""
        return next(self._layers[node] for node in self._nodes if self._layers.get(node) in layers)

    def prefix(self, images: torch.Tensor, layer: str) -> Prefix:
        """See `Resumer`."""
        end = self._place(layer)
        values = Values(self._module, images)
        for node in self._nodes[: end + 1]:
            values.compute(node)
            values.free(self._dead[node])
        size = sum(v.numel() * v.element_size() for v in values.env.values() if isinstance(v, torch.Tensor))
        ahead = frozenset(self._layers[node] for node in self._nodes[end:] if node in self._layers)
        return Prefix(layer, ahead, len(images), size, values.env)

    def resume(self, prefix: Prefix, taps: Taps) -> torch.Tensor | None:
        """See `Resumer`."""
        start = self._place(prefix.layer)
        halted = self._nodes[start]
        values = Values(self._module, None)
        values.env.update(prefix.values)
        # Silencing writes in place; others go on from the same response.
        values.apply(taps, prefix.layer, halted, own=False)
        for node in self._nodes[start + 1 :]:
            values.compute(node)
            if node in self._layers:
                layer = self._layers[node]
                values.apply(taps, layer, node, own=layer not in self._views)
            values.free(self._dead[node])
        return None if values.result is None else self._outputs.rows(values.result, prefix.images)

    def _place(self, layer: str) -> int:
        return next(at for at, node in enumerate(self._nodes) if self._layers.get(node) == layer)


@dataclass(frozen=True)
class WatchedResumer:
    """Runs of a network that cannot be traced cannot be halted: the images are kept, and run as a whole.

    Attributes:
        runner: of the network.
        layers: names of all layers.
    """

    runner: Runner
    layers: Sequence[str]

    def first(self, layers: Collection[str]) -> str:
        """See `Resumer`."""
        return next(name for name in self.layers if name in layers)

    def prefix(self, images: torch.Tensor, layer: str) -> Prefix:
        """See `Resumer`."""
        size = images.numel() * images.element_size()
        return Prefix(layer, frozenset(self.layers), len(images), size, {"images": images})

    def resume(self, prefix: Prefix, taps: Taps) -> torch.Tensor | None:
        """See `Resumer`."""
        return self.runner(prefix.values["images"].clone(), taps)  # a module may overwrite its input


def _needed(nodes: Sequence[fx.Node]) -> tuple[fx.Node, ...]:
    """The nodes that lead to the output, in forward order."""
    needed = {node for node in nodes if node.op in ("output", "placeholder")}
    for node in reversed(nodes):
        if node in needed:
            needed.update(node.all_input_nodes)
    return tuple(node for node in nodes if node in needed)
