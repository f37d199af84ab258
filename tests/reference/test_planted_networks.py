"""What the planted networks' docstrings promise, by plain forward passes and the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from .. import planted_networks as planted
from . import profile, summary

CONCEPTS = [(number, "object") for number in (1, 2, 3, 4)]
RED, GREEN, BLUE, WHITE = range(4)


def run(network: nn.Module, stop: str, images: Tensor) -> np.ndarray:
    """The value after the module named `stop` of a sequential network, nothing later being run."""
    with torch.no_grad():
        for name, module in network.named_children():
            images = module(images)
            if name == stop:
                return images.numpy().copy()
    raise AssertionError(stop)


def study(responses: np.ndarray, scene: planted.Scenes, quantile: float) -> tuple[dict[str, Any], np.ndarray]:
    annotations = [[("object", labels)] for labels in scene.objects]
    size = scene.objects.shape[1:]
    found = profile.profile(responses, annotations, CONCEPTS, ["object"], size=size, quantile=quantile)
    zeros = np.zeros(len(CONCEPTS), int)
    return found, summary.iou(found["intersection"], found["active"], found["concept_pixels"], zeros)


def by_colour(scene: planted.Scenes, black: float, *others: float) -> np.ndarray:
    """(N, H, W): a value for black and for each label number."""
    return np.array([black, *others], np.float32)[scene.objects]


@pytest.fixture
def scene() -> planted.Scenes:
    return planted.scenes()


@pytest.mark.parametrize(("count", "size", "side"), [(8, 16, 4), (5, 224, 32), (1, 16, 4)])
def test_scenes(count: int, size: int, side: int) -> None:
    found = planted.scenes(count, size, side)
    pixels = np.bincount(found.objects.ravel(), minlength=5)
    assert pixels[1:].tolist() == [side**2 * count, side**2 * -(-count // 2), side**2 * -(-count // 3), 1]
    assert found.images.shape == (count, size, size, 3)
    assert not ((found.objects[:, :, -1] > 0) & (found.objects[:, :, -1] < 4)).any()
    assert found.share(1) == side**2 / size**2
    with pytest.raises(ValueError, match="multiple"):
        planted.scenes(1, 18, 4)


@pytest.mark.parametrize("factory", planted.FACTORIES, ids=lambda factory: factory.__name__)
def test_factories(factory: Any, scene: planted.Scenes) -> None:
    network = factory()
    assert not network.training
    last = [module for module in network.modules() if isinstance(module, nn.Conv2d)][-1]
    with torch.no_grad():
        assert network(scene.batch()).shape == (8, last.out_channels)


def test_red_detector(scene: planted.Scenes) -> None:
    responses = run(planted.red_detector(), "relu1", scene.batch())
    assert np.array_equal(responses[:, 0], by_colour(scene, 0, 1, 0, 0, 0))
    found, iou = study(responses, scene, scene.share(1))
    assert found["threshold"].tolist() == [0.5, 0, 0]
    assert found["state"].tolist() == ["live", "tied", "tied"]
    assert found["exceeding"].tolist() == [128, 64, 48]
    assert iou.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    half = planted.Scenes(scene.images, scene.objects[:, ::2, ::2])
    found, iou = study(responses, half, scene.share(1))
    assert iou.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize(("count", "red", "green"), [(1, 1 / 2, 1 / 2), (8, 2 / 3, 1 / 3)])
def test_half_detector(count: int, red: float, green: float) -> None:
    scene = planted.scenes(count)
    responses = run(planted.half_detector(), "relu1", scene.batch())
    found, iou = study(responses, scene, scene.share(1) + scene.share(2))
    assert found["threshold"].tolist() == [0, 0.5]
    assert found["state"].tolist() == ["tied", "live"]
    assert iou.tolist() == [[1, 0, 0, 0], [red, green, 0, 0]]


@pytest.mark.parametrize(("size", "side", "overlap"), [(16, 4, 1 / 3), (32, 8, 6 / 10)])
def test_shifted_detector(size: int, side: int, overlap: float) -> None:
    scene = planted.scenes(8, size, side)
    responses = run(planted.shifted_detector(), "relu1", scene.batch())
    found, iou = study(responses, scene, scene.share(1))
    assert found["state"].tolist() == ["live", "live"]
    assert found["exceeding"].tolist() == [8 * side**2] * 2
    assert iou[:, RED].tolist() == [1, overlap]


def test_odd_units(scene: planted.Scenes) -> None:
    responses = run(planted.odd_units(), "relu1", scene.batch())
    found, iou = study(responses, scene, scene.share(1))
    assert found["state"].tolist() == ["dead", "tied", "tied", "live", "dead"]
    assert found["threshold"].tolist() == [0, 0.5, 0, 0.5, 0]
    assert found["exceeding"].tolist() == [0, 0, 1, 128, 0]
    assert iou.tolist() == [[0] * 4, [0] * 4, [0, 0, 0, 1], [1, 0, 0, 0], [0] * 4]
    found, _ = study(responses, scene, scene.share(4))
    assert (found["threshold"][2], found["state"][2], found["exceeding"][2]) == (0.5, "live", 1)


def test_saturating(scene: planted.Scenes) -> None:
    responses = run(planted.saturating(), "relu1", scene.batch())
    assert np.array_equal(responses[:, 0], by_colour(scene, 0, 6, 2, 0, 2))
    found, iou = study(responses, scene, scene.share(1) / 2)
    assert found["state"].tolist() == ["tied", "tied"]
    assert found["threshold"].tolist() == [2, 0]
    assert found["exceeding"].tolist() == [128, 128]
    assert iou[:, RED].tolist() == [1, 1]
    found, _ = study(responses, scene, scene.share(1))
    assert found["state"].tolist() == ["live", "live"]
    assert found["threshold"].tolist() == [4, 3]


def test_batch_norm(scene: planted.Scenes) -> None:
    network = planted.batch_norm()
    first = run(network, "relu1", scene.batch())
    assert np.array_equal(first[:, 0], by_colour(scene, 0, 0.75, 0, 0, 0))
    assert np.array_equal(first[:, 1], by_colour(scene, 1, 1, 1, 0, 0))
    second = run(network, "relu2", scene.batch())
    assert np.array_equal(second[:, 0], by_colour(scene, 0, 0.75, 0, 0, 0))
    assert np.array_equal(second[:, 1], by_colour(scene, 0.75, 0, 0.75, 0, 0))


def test_residual(scene: planted.Scenes) -> None:
    network = planted.residual()
    block = network.get_submodule("block")
    with torch.no_grad():
        x = torch.from_numpy(run(network, "relu", scene.batch()))
        first = torch.relu(block.bn1(block.conv1(x)))
        branch = block.bn2(block.conv2(first))
        after = block(x.clone())
        output = network(scene.batch())
    assert np.array_equal(first[:, 0].numpy(), by_colour(scene, 0, 1, 0, 0, 0))
    assert np.array_equal(first[:, 1].numpy(), by_colour(scene, 0, 0, 0.5, 0, 0.5))
    assert np.array_equal(branch[:, 0].numpy(), by_colour(scene, 0, -1, 0, 0, 0))
    assert np.array_equal(branch[:, 1].numpy(), by_colour(scene, -0.25, -0.25, 0.75, -0.25, 0.75))
    assert np.array_equal(after[:, 0].numpy(), by_colour(scene, 0, 0, 0, 0, 1))
    assert np.array_equal(after[:, 1].numpy(), by_colour(scene, 0, 0, 1.75, 0, 1.75))
    np.testing.assert_allclose(output.numpy(), after.mean(dim=(2, 3)).numpy(), rtol=1e-6)


def test_untraceable(scene: planted.Scenes) -> None:
    network = planted.untraceable()
    with pytest.raises(TypeError, match="Proxy"):
        torch.fx.symbolic_trace(network)
    area = np.stack([(scene.objects == number).mean(axis=(1, 2)) for number in (1, 2)], axis=1)
    with torch.no_grad():
        dark, bright = network(scene.batch()).numpy(), network(1 - scene.batch()).numpy()
    expected = np.stack([area.sum(axis=1), area[:, 0]], axis=1)
    np.testing.assert_allclose(dark, expected, rtol=1e-6)
    np.testing.assert_allclose(bright, expected, rtol=1e-6)
