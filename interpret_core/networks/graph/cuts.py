"""The network cut at a layer: a batch's responses, and what is left of the network behind each of them.

Gradients with respect to a response need only the part behind it (the tail), evaluated on other responses
than the batch's own. What runs beside the layer (a residual connection) stays as it is for the batch.

One pass over the batch serves all layers. Nothing is written to a shared tensor: the graph used here has no
in-place operation, since a kept value is read again by every evaluation of the tail.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import fx

from interpret_core.networks.graph.interpreter import Runner, Taps, Values, run_all
from interpret_core.networks.graph.operations import Op
from interpret_core.networks.graph.tails import (
    INPUT,
    GraphPart,
    crossed_layers,
    following,
    leading,
    shared,
    straight,
    tail,
    tail_bytes,
)
from interpret_core.networks.graph.trace import Graph
from interpret_core.networks.outputs import Outputs

__all__ = ["INPUT", "Cut", "Cutter", "GraphCutter", "NotCuttableError", "WatchedCutter", "taken"]


class Cut(Protocol):
    """A batch of N images, cut at some layers.

    Attributes:
        output: (N, K) of the intact network.
        responses: by layer name, (N, U, h, w) each; under INPUT the images.
    """

    @property
    def output(self) -> torch.Tensor:
        """(N, K), without gradients."""

    @property
    def responses(self) -> Mapping[str, torch.Tensor]:
        """By layer name."""

    def tail(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """The output where a layer's response is another one; differentiable with respect to it.

        Args:
            layer: one of those the batch was cut at.
            response: (M, U, h, w), in place of the layer's own.
            rows: (M,) int64, the image of the batch that each of them belongs to.

        Returns:
            (M, K). Beside the layer, everything is as it is for that image.
        """

    def carried(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """A layer's response carried on to the layer's front: as far as the network is affine behind it.

        Args:
            layer: as for `tail`.
            response: as for `tail`.
            rows: as for `tail`.

        Returns:
            (M, ...), differentiable; the response itself where the network is not affine at once.
        """

    def behind(self, layer: str, front: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """What `tail` gives, from the value at the layer's front instead of the response."""


class Cutter(Protocol):
    """Cuts batches; several threads may use one at the same time."""

    @property
    def crossed(self) -> frozenset[str]:
        """Layers that every path from the images to the output crosses."""

    @property
    def tail_bytes(self) -> Mapping[str, int]:
        """By layer, bytes of all that its tail computes for one image."""

    @property
    def paths(self) -> Mapping[str, str]:
        """By layer, the layer whose path it shares, often its own: a straight path to the one's response,
        from that of another image, is carried on to a straight path to the other's, and both have one front.
        """

    def __call__(self, images: torch.Tensor, layers: Sequence[str], /) -> Cut:
        """One pass over the images, without gradients, that keeps what the tails of these layers need."""

    def sweep(self, images: torch.Tensor, layers: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Output and responses of one differentiable run of the whole network.

        Raises:
            NotCuttableError: responses cannot be read with their gradients here.
        """


class NotCuttableError(Exception):
    """This way to run the network does not allow it; the caller goes another way. Never reaches the user."""


class GraphCutter:
    """Cuts a traced network, residual connections included."""

    def __init__(
        self,
        graph: Graph,
        ops: Sequence[Op],
        responses: Mapping[str, int],
        outputs: Outputs,
        further: Collection[str] = (),
    ) -> None:
        """Plan the tails.

        Args:
            graph: of the network, without in-place operations; must not change afterwards.
            ops: its operations, one per node.
            responses: layer name -> index of the node whose output is the layer's response.
            outputs: how its output is read.
            further: layers among them that share no path, so that those of the others do not depend on them.

        `idle` are layers that do not lead to the output.
        """
        self.outputs = outputs
        self.crossed = crossed_layers(ops, responses)
        self.tail_bytes = tail_bytes(ops, responses)
        self._module = graph.module
        self._nodes = graph.nodes
        images = next(node for node in graph.nodes if node.op == "placeholder" and not node.args)
        self._points = {INPUT: images} | {name: graph.nodes[at] for name, at in responses.items()}
        moving = following(graph.nodes, images)
        needed = leading(next(node for node in graph.nodes if node.op == "output"))
        self.idle = frozenset(name for name, node in self._points.items() if node not in needed)
        self._tails = {name: tail(node, graph.nodes, needed, moving) for name, node in self._points.items()}
        shapes = {node: op.shape for node, op in zip(graph.nodes, ops, strict=True)}
        self._affine = {name: straight(one, graph, shapes, moving) for name, one in self._tails.items()}
        self._behind = {name: tail(a.end, graph.nodes, needed, moving) for name, a in self._affine.items()}
        names = {node: name for name, node in self._points.items() if name not in further}
        self.paths = {
            name: name if name in further else names[shared(one, names)] for name, one in self._affine.items()
        }

    def __call__(self, images: torch.Tensor, layers: Sequence[str]) -> Cut:
        """See `Cutter`."""
        parts = {name: _Parts(self._tails[name], self._affine[name], self._behind[name]) for name in layers}
        tails = [one.tail for one in parts.values()]
        wanted = {node for one in tails for node in (one.node, *one.beside, *one.constant)}
        kept: dict[fx.Node, Any] = {}
        with torch.no_grad():
            output = self._run(images, kept, wanted)
        return _GraphCut(self, images, output, kept, parts)

    def sweep(self, images: torch.Tensor, layers: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See `Cutter`."""
        points = {self._points[name] for name in layers}
        kept: dict[fx.Node, torch.Tensor] = {}
        with torch.enable_grad():
            leaf = images.detach().requires_grad_()
            output = self._run(leaf, kept, points)
        return output, [kept[self._points[name]] for name in layers]

    def _run(self, images: torch.Tensor, kept: dict[fx.Node, Any], wanted: set[fx.Node]) -> torch.Tensor:
        def keep(node: fx.Node, value: Any) -> None:
            if node in wanted:
                kept[node] = value

        output: torch.Tensor = run_all(self._module, self._nodes, images, keep)
        return self.outputs.rows(output, len(images))

    def computed(self, part: GraphPart, given: Mapping[fx.Node, Any]) -> torch.Tensor:
        """A part's value, from those of its node and of what it reads besides."""
        values = Values(self._module, None)
        values.env.update(given)
        for node, spent in zip(part.nodes, part.spent, strict=True):
            values.compute(node)
            values.free(spent)
        value: torch.Tensor = values.env[part.end]
        return value

    def anew(self, wanted: Collection[fx.Node], images: torch.Tensor) -> dict[fx.Node, Any]:
        """Values of nodes for other images, by a run of no more than leads to them."""
        needed = set().union(*(leading(node) for node in wanted))
        found: dict[fx.Node, Any] = {}

        def keep(node: fx.Node, value: Any) -> None:
            if node in wanted:
                found[node] = value

        with torch.no_grad():
            nodes = [node for node in self._nodes if node in needed or node.op == "placeholder"]
            run_all(self._module, nodes, images, keep)
        return found


@dataclass(frozen=True)
class _Parts:
    """A layer's tail, as a whole and in two: up to the front and behind it."""

    tail: GraphPart
    affine: GraphPart
    behind: GraphPart


class _GraphCut:
    """A batch and what was kept of its pass; see `Cut`."""

    def __init__(
        self,
        cutter: GraphCutter,
        images: torch.Tensor,
        output: torch.Tensor,
        kept: Mapping[fx.Node, Any],
        parts: Mapping[str, _Parts],
    ) -> None:
        self._cutter, self._images, self._kept, self._parts = cutter, images, kept, parts
        self.output = output
        self.responses: Mapping[str, torch.Tensor] = {
            name: kept[one.tail.node] for name, one in parts.items()
        }

    def tail(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`."""
        return self._output(layer, self._parts[layer].tail, response, rows)

    def carried(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`."""
        part = self._parts[layer].affine
        return self._cutter.computed(part, self._given(part, response, rows))

    def behind(self, layer: str, front: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`."""
        return self._output(layer, self._parts[layer].behind, front, rows)

    def _output(self, layer: str, part: GraphPart, value: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        if layer in self._cutter.idle:  # nothing leads from it to the output
            return taken(self.output, rows)
        with torch.enable_grad():
            output = self._cutter.computed(part, self._given(part, value, rows))
            return self._cutter.outputs.rows(output, len(rows))

    def _by_image(self, node: fx.Node) -> bool:
        value = self._kept[node]
        return isinstance(value, torch.Tensor) and value.shape[:1] == self._images.shape[:1]

    def _given(self, part: GraphPart, value: torch.Tensor, rows: torch.Tensor) -> dict[fx.Node, Any]:
        own = {node: taken(self._kept[node], rows) for node in part.beside if self._by_image(node)}
        batch = [node for node in part.beside if node not in own]  # a size taken from the images, say
        found = self._cutter.anew(batch, taken(self._images, rows)) if batch else {}
        return {part.node: value} | own | found | {node: self._kept[node] for node in part.constant}


class WatchedCutter:
    """Cuts a network that cannot be traced: every evaluation of a tail is a run of the whole network."""

    def __init__(self, runner: Runner, ops: Sequence[Op], responses: Mapping[str, int]) -> None:
        """Wrap a runner.

        Args:
            runner: of the network, with taps.
            ops: its operations.
            responses: layer name -> index of the operation whose output is the layer's response.
        """
        self._runner = runner
        self.crossed = crossed_layers(ops, responses)
        self.tail_bytes = tail_bytes(ops, dict.fromkeys(responses, -1))  # every tail is a whole run
        self.paths: Mapping[str, str] = {name: name for name in (INPUT, *responses)}

    def __call__(self, images: torch.Tensor, layers: Sequence[str]) -> Cut:
        """See `Cutter`."""
        kept = {INPUT: images}
        taps = Taps(read={name: partial(kept.__setitem__, name) for name in layers if name})
        with torch.no_grad():
            output = self._runner(images, taps)
        return _WatchedCut(self._runner, images, _given(output), kept)

    def sweep(self, images: torch.Tensor, layers: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See `Cutter`; a watched run hands out copies, to which no gradient leads."""
        raise NotCuttableError


@dataclass(frozen=True)
class _WatchedCut:
    """See `Cut`."""

    runner: Runner
    images: torch.Tensor
    output: torch.Tensor
    responses: Mapping[str, torch.Tensor]

    def tail(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`."""
        with torch.enable_grad():
            if layer == INPUT:
                return _given(self.runner(response, Taps()))

            def replace(own: torch.Tensor) -> None:
                own.copy_(response)

            return _given(self.runner(taken(self.images, rows), Taps(write={layer: replace})))

    def carried(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`: nothing is known of what follows."""
        return response

    def behind(self, layer: str, front: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`."""
        return self.tail(layer, front, rows)


def _given(output: torch.Tensor | None) -> torch.Tensor:
    if output is None:
        raise RuntimeError("A whole run gave no output.")
    return output


def taken(values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Rows of a batch, in the batch's own memory format: indexing alone falls back to contiguous."""
    if values.ndim == 4 and values.is_contiguous(memory_format=torch.channels_last):
        return values.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2)
    return values.index_select(0, rows)
