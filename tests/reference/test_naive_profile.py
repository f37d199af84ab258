"""The benchmark's baseline counts what the reference counts, so that only time and memory differ."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.naive_profile import naive_profile

from .. import planted_networks as planted
from . import profile, summary

CATEGORIES = ("object", "part")
CONCEPTS = [(1, "object"), (2, "object"), (1, "part"), (2, "part")]


def random_case(seed: int) -> tuple[Tensor, np.ndarray, list[profile.Annotation]]:
    """Responses on 4×4 in steps of 1/8 (a resampling to 8×8 or 2×2 is then exact), annotations on 8×8."""
    generator = np.random.default_rng(seed)
    responses = generator.integers(0, 200, (6, 5, 4, 4)) / 8
    responses[:, 0] = 0
    responses[:, 1] = 3
    responses[:, 2] = np.minimum(responses[:, 2], 6)
    responses[:, 3] *= generator.random((6, 4, 4)) < 0.05
    labels = generator.integers(0, 3, (6, 2, 8, 8))
    labels[2, 1] = 0
    labels[4] = 0
    annotations: list[profile.Annotation] = [[("object", maps[0]), ("part", maps[1])] for maps in labels]
    labels = labels.copy()
    labels[:, 1] += 2 * (labels[:, 1] > 0)
    return torch.from_numpy(responses.astype(np.float32)), labels, annotations


@pytest.mark.parametrize("quantile", [0.001, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_baseline_equals_the_reference(seed: int, quantile: float) -> None:
    responses, labels, annotations = random_case(seed)
    layers = iter([[responses[:4], 2 * responses[:4]], [responses[4:], 2 * responses[4:]]])
    batches = [torch.zeros(4, 3, 8, 8), torch.zeros(2, 3, 8, 8)]
    cuts, both, active = naive_profile(
        lambda batch: next(layers), batches, labels, quantile, (8, 8), 4, np.array([0, 0, 1, 1])
    )
    for layer, scale in enumerate((1, 2)):
        expected = profile.profile(
            scale * responses.numpy(), annotations, CONCEPTS, CATEGORIES, size=(8, 8), quantile=quantile
        )
        assert np.array_equal(cuts[layer], expected["threshold"])
        assert np.array_equal(both[layer], expected["intersection"])
        assert np.array_equal(active[layer], expected["active"])


def test_baseline_on_a_planted_network() -> None:
    scene = planted.scenes()
    network = planted.red_detector()
    cuts, both, active = naive_profile(
        lambda batch: [network[:2](batch)], scene.batch(), scene.objects[:, None], scene.share(1), (16, 16), 4
    )
    pixels = np.bincount(scene.objects.ravel(), minlength=5)[1:]
    assert cuts[0].tolist() == [0.5, 0, 0]
    assert summary.iou(both[0], active[0], pixels, np.zeros(4, int))[0].tolist() == [1, 0, 0, 0]
