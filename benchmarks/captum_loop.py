"""captum's layer integrated gradients, on a twin of a network that captum can hook.

captum hooks modules, replaces their output and runs the whole network for every point on every layer's path.
It fails on torchvision's ResNet: the addition overwrites a response, and one ReLU module serves twice. The
twin is the traced graph without in-place operations, with an `nn.Identity` behind every response to hook.

captum runs as a user would run it, with contiguous parameters and images. Two things are done for it: no
parameter asks for gradients, so that nothing is kept of the part before the layer, and one black picture is
the baseline of all images, so that its response is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from captum.attr import LayerIntegratedGradients
from torch import Tensor, fx, nn

from interpret_core.errors import NetworkError
from interpret_core.networks import Network
from interpret_core.networks.graph.interpreter import run_all
from interpret_core.networks.graph.trace import Graph, UntraceableError, trace
from interpret_core.networks.layers.inventory import find_layers

METHOD = "riemann_middle"  # the midpoint rule


@dataclass(frozen=True, eq=False)
class Twin:
    """A network that captum can read.

    Attributes:
        module: (N, 3, H, W) -> (N, K), the network's own output.
        points: layer name -> the module that passes the layer's response on.
    """

    module: nn.Module
    points: Mapping[str, nn.Module]

    @classmethod
    def of(cls, network: Network, channels_last: bool = False) -> Twin:
        """Build it from the network's spec.

        Args:
            network: whose layers to read.
            channels_last: store the parameters so; convolutions then compute in that format.

        Raises:
            NetworkError: torch.fx cannot trace the network, or finds other layers than the network has.
        """
        graph = _graph(network, channels_last)
        shapes: dict[fx.Node, tuple[int, ...] | None] = {}
        probe = torch.zeros(2, 3, *network.preprocessing.size, device=network.device)
        with torch.no_grad():
            run_all(graph.module, graph.nodes, probe, graph.recorder(shapes))
        twin = graph.copied()
        points = {
            found.layer.name: _point(twin, twin.nodes[found.response], number)
            for number, found in enumerate(find_layers(graph.ops(shapes)).layers)
        }
        if list(points) != [layer.name for layer in network.layers]:
            raise NetworkError(
                f"The twin of {network.name} has the layers {', '.join(points)}, expected "
                f"{', '.join(layer.name for layer in network.layers)}: captum cannot be run on it."
            )
        twin.module.recompile()
        return cls(twin.module.eval(), points)

    def attribution(
        self, layer: str, target: Callable[[Tensor], Tensor], images: Tensor, baseline: Tensor, rule: Loop
    ) -> Tensor:
        """(N, U, h, w) attributions of a layer's response by captum, a few images at a time.

        Args:
            layer: its name.
            target: (M, K) output -> (M,) F.
            images: (N, 3, H, W).
            baseline: (1, 3, H, W), of all of them.
            rule: how many points, how many rows at once.
        """
        oracle = LayerIntegratedGradients(lambda rows: target(self.module(rows)), self.points[layer])

        def attributed(part: Tensor) -> Tensor:
            found: Tensor = oracle.attribute(
                part, baseline, n_steps=rule.steps, method=METHOD, internal_batch_size=rule.rows
            )
            return found.detach()

        parts = -(-len(images) // rule.rows)  # captum takes no more images than rows
        return torch.cat([attributed(part) for part in images.chunk(parts)])


@dataclass(frozen=True)
class Loop:
    """How captum is called.

    Attributes:
        steps: points on the path.
        rows: evaluated at once, for memory; with more images than that, captum gets equal parts of them.
    """

    steps: int
    rows: int


def _graph(network: Network, channels_last: bool) -> Graph:
    module = network.spec.build(network.spec.weights()).to(network.device).requires_grad_(False)
    if channels_last:
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    try:
        return trace(module)
    except UntraceableError as error:
        raise NetworkError(
            f"{network.name} cannot be traced ({error}), so there is no twin for captum to hook, expected a "
            "network that torch.fx can follow: time another one."
        ) from error


def _point(twin: Graph, response: fx.Node, number: int) -> nn.Module:
    """A module of its own that passes a response on to everything that reads it."""
    module, name = nn.Identity(), f"response{number}"
    twin.module.add_submodule(name, module)
    with twin.module.graph.inserting_after(response):
        point = twin.module.graph.call_module(name, (response,))
    response.replace_all_uses_with(point, delete_user_cb=lambda reader: reader is not point)
    return module
