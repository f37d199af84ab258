"""The network cut at a layer: a batch's responses, and what is left of the network behind each of them.

Gradients with respect to a response need only the part behind it (the tail), evaluated on other responses
than the batch's own. What runs beside the layer (a residual connection) stays as it is for the batch.

One pass over the batch serves all layers. Nothing is written to a shared tensor: the graph used here has no
in-place operation, since a kept value is read again by every evaluation of the tail.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import fx

from interpret_core.networks.ops import Kind, Op
from interpret_core.networks.running import Runner, Taps, Values, run_all
from interpret_core.networks.tracing import Graph

INPUT = ""  # in place of a layer's name: the images themselves, with the whole network behind them


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


class Cutter(Protocol):
    """Cuts batches; several threads may use one at the same time."""

    @property
    def crossed(self) -> frozenset[str]:
        """Layers that every path from the images to the output crosses."""

    @property
    def tail_bytes(self) -> Mapping[str, int]:
        """By layer, bytes of all that its tail computes for one image."""

    def __call__(self, images: torch.Tensor, layers: Sequence[str], /) -> Cut:
        """One pass over the images, without gradients, that keeps what the tails of these layers need."""

    def sweep(self, images: torch.Tensor, layers: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Output and responses of one differentiable run of the whole network.

        Raises:
            NotCuttableError: responses cannot be read with their gradients here.
        """


class NotCuttableError(Exception):
    """This way to run the network does not allow it; the caller goes another way. Never reaches the user."""


@dataclass(frozen=True)
class _Tail:
    """What is left behind a node.

    Attributes:
        nodes: to be computed, in forward order, output included.
        beside: read by them, computed from the images but not from the node.
        constant: read by them, the same for all images.
    """

    node: fx.Node
    nodes: tuple[fx.Node, ...]
    beside: tuple[fx.Node, ...]
    constant: tuple[fx.Node, ...]


class GraphCutter:
    """Cuts a traced network, residual connections included."""

    def __init__(self, graph: Graph, ops: Sequence[Op], responses: Mapping[str, int]) -> None:
        """Plan the tails.

        Args:
            graph: of the network, without in-place operations; must not change afterwards.
            ops: its operations, one per node.
            responses: layer name -> index of the node whose output is the layer's response.
        """
        self.crossed = crossed_layers(ops, responses)
        self.tail_bytes = tail_bytes(ops, responses)
        self._module = graph.module
        self._nodes = graph.nodes
        images = next(node for node in graph.nodes if node.op == "placeholder" and not node.args)
        self._points = {INPUT: images} | {name: graph.nodes[at] for name, at in responses.items()}
        moving = _following(graph.nodes, images)
        needed = _leading(next(node for node in graph.nodes if node.op == "output"))
        self._tails = {name: _tail(node, graph.nodes, needed, moving) for name, node in self._points.items()}

    def __call__(self, images: torch.Tensor, layers: Sequence[str]) -> Cut:
        """See `Cutter`."""
        tails = {name: self._tails[name] for name in layers}
        wanted = {node for tail in tails.values() for node in (tail.node, *tail.beside, *tail.constant)}
        kept: dict[fx.Node, Any] = {}
        with torch.no_grad():
            output = self._run(images, kept, wanted)
        return _GraphCut(self, images, output, kept, tails)

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
        return output

    def behind(self, tail: _Tail, given: Mapping[fx.Node, Any]) -> torch.Tensor:
        """The output, from values of the tail's node and of what it reads beside it."""
        values = Values(self._module, None)
        values.env.update(given)
        for node in tail.nodes:
            values.compute(node)
        output: torch.Tensor = values.result  # type: ignore[assignment]
        return output

    def instead(self, tail: _Tail, images: torch.Tensor, response: torch.Tensor) -> torch.Tensor:
        """The output of a whole run in which the node's value is another one."""
        values = Values(self._module, images)
        for node in self._nodes:
            if node is tail.node:
                values.env[node] = response
            else:
                values.compute(node)
        output: torch.Tensor = values.result  # type: ignore[assignment]
        return output


class _GraphCut:
    """A batch and what was kept of its pass; see `Cut`."""

    def __init__(
        self,
        cutter: GraphCutter,
        images: torch.Tensor,
        output: torch.Tensor,
        kept: Mapping[fx.Node, Any],
        tails: Mapping[str, _Tail],
    ) -> None:
        self._cutter, self._images, self._kept, self._tails = cutter, images, kept, tails
        self.output = output
        self.responses: Mapping[str, torch.Tensor] = {name: kept[tail.node] for name, tail in tails.items()}

    def tail(self, layer: str, response: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """See `Cut`."""
        tail = self._tails[layer]
        given: dict[fx.Node, Any] = {tail.node: response}
        with torch.enable_grad():
            for node in tail.beside:
                value = self._kept[node]
                if not isinstance(value, torch.Tensor) or value.shape[:1] != self._images.shape[:1]:
                    # A size taken from the images, say: only a whole run gets it right for other rows.
                    return self._cutter.instead(tail, taken(self._images, rows), response)
                given[node] = taken(value, rows)
            given.update({node: self._kept[node] for node in tail.constant})
            return self._cutter.behind(tail, given)


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


def _given(output: torch.Tensor | None) -> torch.Tensor:
    if output is None:
        raise RuntimeError("A whole run gave no output.")
    return output


def taken(values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Rows of a batch, in the batch's own memory format: indexing alone falls back to contiguous."""
    chosen = values.index_select(0, rows)
    last = values.ndim == 4 and values.is_contiguous(memory_format=torch.channels_last)
    return chosen.contiguous(memory_format=torch.channels_last) if last else chosen


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


def _tail(node: fx.Node, nodes: Iterable[fx.Node], needed: set[fx.Node], moving: set[fx.Node]) -> _Tail:
    follows = _following(nodes, node) & needed
    inside = [one for one in nodes if one in follows and one is not node]
    read = dict.fromkeys(source for one in inside for source in one.all_input_nodes if source not in follows)
    read.pop(node, None)
    beside = tuple(one for one in read if one in moving)
    return _Tail(node, tuple(inside), beside, tuple(one for one in read if one not in moving))


def _following(nodes: Iterable[fx.Node], start: fx.Node) -> set[fx.Node]:
    """A node and all whose value depends on it."""
    found = {start}
    for node in nodes:
        if found.intersection(node.all_input_nodes):
            found.add(node)
    return found


def _leading(end: fx.Node) -> set[fx.Node]:
    """A node and all that its value depends on."""
    found: set[fx.Node] = set()
    pending = [end]
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += node.all_input_nodes
    return found
