"""Cut networks: what is left behind a layer gives what the whole network gives, on both ways to run it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from interpret_core.networks import load
from interpret_core.networks.cutting import INPUT, Cutter, NotCuttableError
from interpret_core.networks.preparing import _prepare_watched, prepare
from interpret_core.networks.torchvision_ops import models
from tests.networks.samples import Overwriting, randomise

MODELS = ("alexnet", "resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "densenet121")


class Sizes(nn.Module):
    """What follows the second convolution asks for the batch's size before it: a tail cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.shape[0]
        y = self.second(self.first(x).relu())
        return y.reshape(rows, 2, -1).mean(2)


def both(module: nn.Module, size: int = 64) -> tuple[Cutter, Cutter, list[str], Tensor]:
    """The network cut by its graph, and cut by watching; its layers; three images."""
    torch.manual_seed(4)
    module = randomise(module.eval()).requires_grad_(False)
    probe = torch.randn(2, 3, size, size)
    traced = prepare(module, probe, "network")
    assert not traced.note
    with torch.no_grad():
        watched = _prepare_watched(module, probe, "network")
    return (
        traced.cutter,
        watched.cutter,
        [layer.name for layer in traced.layers],
        torch.randn(3, 3, size, size),
    )


@pytest.mark.parametrize("model", MODELS)
def test_tails_and_their_gradients_are_those_of_whole_runs(model: str) -> None:
    traced, watched, layers, images = both(models.get_model(model, weights=None))
    names = [INPUT, layers[0], layers[len(layers) // 2], layers[-1]]
    one, other = traced(images, names), watched(images, names)
    assert torch.equal(one.output, other.output)
    assert traced.crossed == watched.crossed
    rows = torch.tensor([2, 0, 1, 2])
    for name in names:
        assert torch.equal(one.responses[name], other.responses[name])
        changed = (one.responses[name][rows] * torch.tensor([1.0, 0.5, 0.0, -0.3]).view(-1, 1, 1, 1)).detach()
        outputs, gradients = [], []
        for cut in (one, other):
            place = changed.clone().requires_grad_()
            output = cut.tail(name, place, rows)
            outputs.append(output.detach())
            gradients.append(torch.autograd.grad(output[:, 1].sum(), place)[0])
        torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(outputs[0][0], one.output[2], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-7)
        assert gradients[0].abs().max() > 0


def test_a_batch_is_cut_again_and_again_without_being_changed() -> None:
    """The graph overwrites tensors to save memory; a kept value must not be among them."""
    traced, _, layers, images = both(Overwriting(), 24)
    cut = traced(images, layers)
    before = {name: response.clone() for name, response in cut.responses.items()}
    rows = torch.arange(3)
    for _ in range(2):
        for name in layers:
            torch.testing.assert_close(cut.tail(name, cut.responses[name], rows), cut.output)
    assert all(torch.equal(before[name], cut.responses[name]) for name in layers)


def test_a_size_taken_before_the_layer_does_not_stop_the_cut() -> None:
    traced, watched, layers, images = both(Sizes(), 16)
    assert traced.crossed == {"first", "second"}
    rows = torch.tensor([0, 1, 2, 2, 1])
    for cutter in (traced, watched):
        cut = cutter(images, layers)
        for name in layers:
            output = cut.tail(name, cut.responses[name][rows], rows)
            torch.testing.assert_close(output, cut.output[rows])


def test_layers_that_a_path_goes_around_are_known() -> None:
    traced, watched, layers, _ = both(models.resnet18(weights=None))
    assert traced.crossed == watched.crossed == {"conv1"}
    assert len(layers) == 17
    traced, _, layers, _ = both(models.alexnet(weights=None))
    assert traced.crossed == set(layers)


def test_a_sweep_gives_the_gradients_that_tails_give() -> None:
    traced, watched, layers, images = both(models.resnet18(weights=None))
    output, responses = traced.sweep(images, layers)
    swept = torch.autograd.grad(output[:, 3].sum(), responses)
    rows = torch.arange(3)
    for name, gradient in zip(layers, swept, strict=True):
        cut = traced(images, [name])
        place = cut.responses[name].clone().requires_grad_()
        (expected,) = torch.autograd.grad(cut.tail(name, place, rows)[:, 3].sum(), place)
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-8)
    with pytest.raises(NotCuttableError):
        watched.sweep(images, layers)


def test_bytes_behind_a_layer_shrink_with_depth() -> None:
    traced, watched, layers, _ = both(models.alexnet(weights=None))
    sizes = [traced.tail_bytes[name] for name in (INPUT, *layers)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 0
    assert {watched.tail_bytes[name] for name in layers} == {watched.tail_bytes[INPUT]}


def test_cutting_leaves_the_shared_network_as_it_is() -> None:
    network = load("tests.networks.samples:resnet")
    images = torch.randn(2, 3, 224, 224)
    with network.ablating({}) as intact:
        before = intact(images)
        cut = network.cutter(images, [layer.name for layer in network.layers])
        place = cut.responses["layer2.0.conv2"].clone().requires_grad_()
        cut.tail("layer2.0.conv2", place, torch.arange(2)).sum().backward()
        assert torch.equal(intact(images), before)
