"""A run halted after a response and gone on with: the same bits as a whole run, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from interpret_core.errors import LayerError, ParameterError
from interpret_core.networks import Network, Silence
from interpret_core.networks.graph.interpreter import GraphRunner, Taps
from interpret_core.networks.graph.prefixes import GraphResumer
from interpret_core.networks.graph.trace import trace
from interpret_core.networks.outputs import Outputs
from tests.networks.conftest import images
from tests.slow import thorough_beyond

Loaded = Callable[[str], Network]


@thorough_beyond(1)
@pytest.mark.parametrize(
    "name", ["torchvision/alexnet", "torchvision/resnet18", "tests.networks.samples:gated"]
)
def test_every_layer_can_end_a_prefix(loaded: Loaded, name: str) -> None:
    network = loaded(name)
    batch = images(network)
    last = network.layers[-1]
    with network.ablating({}) as run:
        intact = run(batch)
    for layer in network.layers[:: max(1, len(network.layers) // 4)]:
        prefix = network.prefix(batch, network.first_response([last, layer]))
        silenced = {one.name: Silence(range(0, one.units, 3), 0.5) for one in (layer, last)}
        with network.ablating(silenced) as run:
            assert torch.equal(run(prefix), run(batch))
            assert not torch.equal(run(prefix), intact)
        with network.ablating({}) as run:  # what was silenced before has left no trace in the prefix
            assert torch.equal(run(prefix), intact)


def test_a_prefix_keeps_what_the_rest_reads_and_nothing_else(loaded: Loaded) -> None:
    network = loaded("torchvision/resnet18")
    batch = images(network)
    prefix = network.prefix(batch, "layer2.0.conv1")
    block = 2 * 64 * 56 * 56 * 4  # the block's input, which the shortcut still reads
    assert prefix.bytes == block + 2 * 128 * 28 * 28 * 4
    assert prefix.images == 2
    assert network.prefix(batch, "conv1").bytes == 2 * 64 * 112 * 112 * 4


def test_a_layer_within_the_prefix_cannot_be_silenced(loaded: Loaded) -> None:
    network = loaded("torchvision/alexnet")
    prefix = network.prefix(images(network), "conv3")
    with (
        network.ablating({"conv2": Silence([0])}) as run,
        pytest.raises(ParameterError, match="conv2 lies before conv3"),
    ):
        run(prefix)
    with pytest.raises(ParameterError, match="No layer is named"):
        network.first_response([])
    with pytest.raises(LayerError):
        network.prefix(images(network), "conv9")


class _Interleaved(nn.Module):
    """The second convolution's response is computed before the first's."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.one(x), self.two(x)
        second = torch.relu(second)
        first = torch.relu(first)
        joined: torch.Tensor = self.head(torch.cat([first, second], 1).mean((2, 3)))
        return joined


def test_the_earliest_response_ends_the_run_whatever_the_order_of_the_layers() -> None:
    module = _Interleaved().eval()
    graph = trace(module)
    at = {node.name: place for place, node in enumerate(graph.nodes)}
    responses = {"one": at["relu_1"], "two": at["relu"]}
    runner, resumer = GraphRunner(graph, responses, Outputs()), GraphResumer(graph, responses, Outputs())
    batch = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    taps = Taps(write={"two": torch.Tensor.zero_})
    with torch.no_grad():
        assert resumer.first(["one", "two"]) == "two"
        prefix = resumer.prefix(batch, "two")
        assert prefix.ahead == {"one", "two"}
        assert resumer.prefix(batch, "one").ahead == {"one"}
        expected = runner(batch, taps)
        resumed = resumer.resume(prefix, taps)
    assert expected is not None
    assert resumed is not None
    assert torch.equal(resumed, expected)
