"""Which layers are listed, over torchvision's families."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from interpret_core.networks import Network, load, torchvision_ops
from interpret_core.networks.graph.preparation import Stated, prepare
from tests.slow import some_slow, thorough_beyond

models = torchvision_ops.classifiers()

Loaded = Callable[[str], Network]


def test_alexnet(loaded: Loaded) -> None:
    layers = loaded("torchvision/alexnet").layers
    assert [layer.name for layer in layers] == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert [layer.path for layer in layers] == [f"features.{number}" for number in (0, 3, 6, 8, 10)]
    assert [layer.units for layer in layers] == [64, 192, 384, 256, 256]
    assert [layer.grid for layer in layers] == [(55, 55), (27, 27), (13, 13), (13, 13), (13, 13)]
    # By hand: 11; + 2·4 (pool) + 4·8; + 2·8 + 2·16; + 2·16; + 2·16.
    assert [layer.receptive_field for layer in layers] == [11, 51, 99, 131, 163]
    assert [layer.stride for layer in layers] == [4, 8, 16, 16, 16]
    assert [layer.index for layer in layers] == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_vgg11(loaded: Loaded) -> None:
    layers = loaded("torchvision/vgg11").layers
    assert [layer.name for layer in layers] == [f"conv{number}" for number in range(1, 9)]
    assert [layer.units for layer in layers] == [64, 128, 256, 256, 512, 512, 512, 512]
    assert layers[0].grid == (224, 224)


@pytest.mark.thorough
def test_resnet18(loaded: Loaded) -> None:
    layers = loaded("torchvision/resnet18").layers
    blocks = [
        f"layer{stage}.{block}.conv{conv}" for stage in (1, 2, 3, 4) for block in (0, 1) for conv in (1, 2)
    ]
    assert [layer.name for layer in layers] == ["conv1", *blocks]
    assert [layer.units for layer in layers] == [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4
    assert (layers[-1].receptive_field, layers[-1].stride) == (435, 32)  # Araujo et al. 2019, table 1


@pytest.mark.thorough
def test_efficientnet_lite(loaded: Loaded) -> None:
    layers = loaded("efficientnet-lite0").layers
    assert [layer.name for layer in layers[:3]] == [
        "conv_stem", "blocks.0.depthwise_conv", "blocks.0.project_conv",
    ]  # fmt: skip
    assert layers[0].path == "_conv_stem"
    assert layers[-1].name == "conv_head"
    assert len(layers) == 49


# model: convolutions in all, and those not listed because of a 1×1 grid or a shortcut.
SWEEP = {
    "mobilenet_v2": (52, 0),
    "mobilenet_v3_small": (52, 18),  # 9 squeeze-and-excitations of two
    "densenet121": (120, 0),
    "squeezenet1_1": (26, 0),
    "shufflenet_v2_x0_5": (56, 0),
    "regnet_y_400mf": (85, 36),  # 16 squeeze-and-excitations of two, 4 projections
    "efficientnet_b0": (81, 32),
    "mnasnet0_5": (52, 0),
    "convnext_tiny": (22, 0),
    "googlenet": (57, 0),
    "resnext50_32x4d": (53, 4),
    "swin_t": (1, 0),
}


@thorough_beyond(1)
@pytest.mark.parametrize("model", some_slow(SWEEP, ("mobilenet_v3_small", "regnet_y_400mf", "swin_t")))
def test_torchvision_families(model: str) -> None:
    options = {"init_weights": False, "aux_logits": False} if model == "googlenet" else {}
    module = models.get_model(model, weights=None, **options).eval()
    total, left_out = SWEEP[model]
    assert sum(isinstance(part, nn.Conv2d) for part in module.modules()) == total
    # Smaller than the real input, to be quick; a grid must stay larger than 1×1.
    prepared = prepare(module, torch.randn(3, 3, 96, 96), Stated(model))
    layers = prepared.layers
    assert prepared.slower == ""
    assert len(layers) == total - left_out
    listed = {layer.path for layer in layers}
    for path, part in module.named_modules():
        if isinstance(part, nn.Conv2d) and path not in listed:
            assert any(word in path for word in ("fc1", "fc2", "downsample", "proj")), path
    assert len({layer.name for layer in layers}) == len(layers)
    for layer in layers:
        assert layer.units == module.get_submodule(layer.path).out_channels
        assert layer.receptive_field is not None
        assert layer.stride is not None


@pytest.mark.slow
def test_inception_through_the_registry_leaves_its_auxiliary_head_out() -> None:
    network = load("torchvision/inception_v3@random")
    assert network.preprocessing.size == (299, 299)
    assert len(network.layers) == 94
    assert not any("Aux" in layer.path for layer in network.layers)


def test_every_form_of_activation_belongs_to_the_response() -> None:
    network = load("tests.networks.samples:activations")
    assert network.traced
    x = torch.randn(2, 3, *network.preprocessing.size)
    with network.recording(network.layers) as record:
        found = list(record(x).responses.values())
    module = network.spec.build(network.spec.weights()).to(memory_format=torch.channels_last)
    f = nn.functional
    with torch.no_grad():
        for number, act in enumerate(
            [f.hardswish, f.silu, torch.tanh, lambda y: y.clamp(min=0), module.prelu, f.silu,
             lambda y: y, lambda y: f.leaky_relu(y, 0.1), lambda y: y]
        ):  # fmt: skip
            y = module.convs[number](x)
            torch.testing.assert_close(found[number], act(y), rtol=1e-5, atol=1e-6, msg=str(number))
            x = y + f.gelu(y) if number == 6 else act(y)


def test_a_convolution_that_runs_twice_is_listed_once_per_call() -> None:
    network = load("tests.networks.samples:twice")
    assert [layer.name for layer in network.layers] == ["shared", "shared.call2"]
    assert {layer.path for layer in network.layers} == {"_shared"}


def test_a_parametrised_convolution_is_traced() -> None:
    network = load("tests.networks.samples:parametrised")
    assert network.traced
    assert [layer.name for layer in network.layers] == ["conv1", "conv2"]
