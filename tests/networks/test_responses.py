"""Responses against forward passes written out by hand, with out-of-place operations only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from interpret_core.networks import Layer, Network, load
from tests.networks.conftest import images, responses
from tests.networks.samples import randomise
from tests.slow import thorough_beyond

Loaded = Callable[[str], Network]


def by_hand_sequential(features: nn.Sequential, x: Tensor) -> list[Tensor]:
    """AlexNet's and VGG's features: the output of every ReLU."""
    found = []
    for module in features:
        if isinstance(module, nn.Conv2d):
            x = F.conv2d(x, module.weight, module.bias, module.stride, module.padding)
        elif isinstance(module, nn.ReLU):
            x = F.relu(x)
            found.append(x)
        else:
            x = F.max_pool2d(x, module.kernel_size, module.stride, module.padding)
    return found


def by_hand_resnet(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """ResNet18: bn2's output is taken before the shortcut is added."""

    def norm(bn: nn.BatchNorm2d, y: Tensor) -> Tensor:
        return F.batch_norm(y, bn.running_mean, bn.running_var, bn.weight, bn.bias, False, 0.0, bn.eps)

    found = {"conv1": F.relu(norm(net.bn1, net.conv1(x)))}
    x = F.max_pool2d(found["conv1"], 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for number, block in enumerate(getattr(net, f"layer{stage}")):
            first = F.relu(norm(block.bn1, block.conv1(x)))
            second = norm(block.bn2, block.conv2(first))
            shortcut = x if block.downsample is None else norm(block.downsample[1], block.downsample[0](x))
            x = F.relu(second + shortcut)
            found[f"layer{stage}.{number}.conv1"], found[f"layer{stage}.{number}.conv2"] = first, second
    return found


def module_of(network: Network, seed: int = 7) -> nn.Module:
    """The same module as the network's, built again."""
    return network.spec.build(network.spec.weights()).to(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "name", ["torchvision/alexnet", pytest.param("torchvision/vgg11", marks=pytest.mark.slow)]
)
def test_alexnet_and_vgg_equal_the_hand_written_pass(loaded: Loaded, name: str) -> None:
    network = loaded(name)
    batch = images(network)
    with torch.no_grad():
        expected = by_hand_sequential(module_of(network).features, batch)
    found = responses(network, batch)
    assert len(found) == len(expected)
    for (layer, response), other in zip(found.items(), expected, strict=True):
        torch.testing.assert_close(response, other, rtol=1e-5, atol=1e-6, msg=layer)
        assert (response >= 0).all()
        assert (response == 0).any()


@pytest.mark.thorough
def test_resnet_equals_the_hand_written_pass_before_the_addition() -> None:
    network = load("tests.networks.samples:resnet")
    batch = images(network)
    with torch.no_grad():
        expected = by_hand_resnet(module_of(network), batch)
    found = responses(network, batch)
    assert list(found) == list(expected)
    for layer, response in found.items():
        torch.testing.assert_close(response, expected[layer], rtol=1e-4, atol=1e-5, msg=layer)
        assert (response < 0).any() == layer.endswith("conv2")


@pytest.mark.thorough
def test_efficientnet_lite_matches_its_own_blocks(loaded: Loaded) -> None:
    network = loaded("efficientnet-lite0")
    module = module_of(network)
    batch = images(network)
    with torch.no_grad():
        stem = F.relu6(module._bn0(module._conv_stem(batch)))
        block = module._blocks[0]
        deep = F.relu6(block._bn1(block._depthwise_conv(stem)))
        thin = block._bn2(block._project_conv(deep))
    found = responses(network, batch)
    torch.testing.assert_close(found["conv_stem"], stem, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found["blocks.0.depthwise_conv"], deep, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found["blocks.0.project_conv"], thin, rtol=1e-4, atol=1e-5)
    assert found["conv_stem"].max() <= 6


@thorough_beyond(1)
@pytest.mark.parametrize("name", ["torchvision/alexnet", "torchvision/resnet18", "efficientnet-lite0"])
def test_output_is_the_modules_own_bit_for_bit(loaded: Loaded, name: str) -> None:
    network = loaded(name)
    batch = images(network)
    with torch.no_grad():
        expected = module_of(network)(batch)
    with network.recording(network.layers[:3]) as record:
        assert torch.equal(record(batch).output, expected)
    assert torch.equal(network.stream(batch, [], lambda *_: None, stop=False), expected)


def test_streaming_shows_each_wanted_layer_once_in_forward_order(loaded: Loaded) -> None:
    network = loaded("torchvision/resnet18")
    batch = images(network)
    wanted = ["layer2.0.conv2", "conv1", "layer1.1.conv1", "conv1"]
    seen: list[tuple[Layer, Tensor]] = []
    assert network.stream(batch, wanted, lambda layer, response: seen.append((layer, response))) is None
    assert [layer.name for layer, _ in seen] == ["conv1", "layer1.1.conv1", "layer2.0.conv2"]
    recorded = responses(network, batch)
    for layer, response in seen:
        assert response.shape == (2, layer.units, *layer.grid)
        assert torch.equal(response, recorded[layer.name])


def test_a_response_that_is_kept_while_streaming_is_not_overwritten(loaded: Loaded) -> None:
    network = loaded("torchvision/resnet18")
    at_once: dict[str, Tensor] = {}
    kept: dict[str, Tensor] = {}

    def visit(layer: Layer, response: Tensor) -> None:
        kept[layer.name], at_once[layer.name] = response, response.clone()

    network.stream(images(network), network.layers, visit, stop=False)
    assert all(torch.equal(kept[name], at_once[name]) for name in at_once)


def test_stopping_early_computes_nothing_behind_the_last_wanted_layer(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = loaded("torchvision/alexnet")

    def refuse(*_: object) -> Tensor:
        raise AssertionError("the classifier was computed")

    monkeypatch.setattr(nn.Linear, "forward", refuse)
    assert network.stream(images(network), network.layers, lambda *_: None) is None
    with pytest.raises(AssertionError, match="classifier"):
        network.stream(images(network), network.layers, lambda *_: None, stop=False)


def test_values_are_freed_as_soon_as_nobody_needs_them(loaded: Loaded) -> None:
    """While conv5 is shown, conv1 to conv4 are gone."""
    import weakref

    network = loaded("torchvision/alexnet")
    shown: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def visit(layer: Layer, response: Tensor) -> None:
        alive.append(sum(reference() is not None for reference in shown))
        shown.append(weakref.ref(response))

    network.stream(images(network), network.layers, visit)
    assert alive == [0, 0, 0, 0, 0]


def test_randomised_batch_norm_is_part_of_the_response() -> None:
    """The tests above would not notice a BatchNorm left out if it did nothing: it does something here."""
    module = randomise(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval())
    x = torch.randn(1, 3, 8, 8)
    assert (module(x) - module[0](x)).abs().mean() > 0.1
