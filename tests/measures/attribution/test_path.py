"""The path integral: closed forms, completeness with the right endpoints, refinement where it is needed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interpret_core.analyses.relevance.attribution import _Sweeper
from interpret_core.measures.attribution.path import Rule, integrate
from interpret_core.measures.attribution.sweep import conductance
from interpret_core.measures.attribution.target import Target, as_target
from tests.measures.attribution.networks import MODULES, images, integrated, prepared, residual

TARGET = Target((2,))


class Linear(nn.Module):
    """A convolution and a linear head: G is w · (a − a') whatever the path."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4 * 16 * 20, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(self.conv(x), 1))


def test_a_linear_network_has_its_closed_form() -> None:
    torch.manual_seed(1)
    module = Linear().double().eval().requires_grad_(False)
    pictures, baseline = images(), images(1, seed=5)
    cut, found = integrated(
        prepared(module).cutter, "conv", pictures, baseline, Target((1,), "logit"), Rule(2)
    )
    response, reference = cut.responses["conv"], module.conv(baseline)
    expected = module.head.weight[1].view(1, 4, 16, 20) * (response - reference)
    torch.testing.assert_close(found.attribution, expected, rtol=1e-9, atol=1e-12)
    assert found.points.tolist() == [2, 2, 2]
    np.testing.assert_allclose(found.gap, 0, atol=1e-12)


def steps(sharpness: float, places: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """N paths along which F rises at a place of its own: tail, target and both ends of a 1 × 1 layer."""

    def tail(place: Tensor, rows: Tensor) -> Tensor:
        return torch.sigmoid(sharpness * (place[:, 0, 0, 0] - places[rows])).view(-1, 1)

    ones = torch.ones(len(places), 1, 1, 1, dtype=torch.float64)
    return tail, lambda output: output[:, 0], ones, torch.zeros_like(ones)


def test_refinement_stops_at_the_tolerance_and_spends_points_where_f_changes() -> None:
    places = torch.tensor([0.21, 0.5, 0.74], dtype=torch.float64)
    coarse = integrate(*steps(400.0, places), Rule(16, tolerance=0))
    fine = integrate(*steps(400.0, places), Rule(16, 256, 0.01))
    uniform = integrate(*steps(400.0, places), Rule(int(fine.points.max()), tolerance=0))
    assert coarse.points.tolist() == [16, 16, 16]
    assert np.abs(coarse.gap).max() > 0.2
    assert (np.abs(fine.gap) <= 0.01).all()
    assert np.abs(uniform.gap).max() > np.abs(fine.gap).max()
    assert fine.points.max() < 80


def test_points_never_exceed_the_limit_and_the_rest_is_left_to_be_flagged() -> None:
    places = torch.tensor([0.31], dtype=torch.float64)
    found = integrate(*steps(1e5, places), Rule(16, 40, 0.01))
    assert 16 < found.points[0] <= 40
    assert abs(found.gap[0]) > 0.01


def test_refined_panels_reuse_their_points() -> None:
    """Nested: every place on the path is evaluated once."""
    places = torch.tensor([0.5], dtype=torch.float64)
    tail, target, response, baseline = steps(300.0, places)
    seen: list[float] = []

    def watched(place: Tensor, rows: Tensor) -> Tensor:
        if place.requires_grad:
            seen.extend(place.detach()[:, 0, 0, 0].tolist())
        return tail(place, rows)

    found = integrate(watched, target, response, baseline, Rule(16, 256, 1e-3))
    assert len(seen) == found.points[0] > 16
    assert len(set(np.round(seen, 12))) == len(seen)


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_batches_of_any_size_give_the_same(batch: int) -> None:
    cutter, pictures = prepared(residual()).cutter, images()
    baseline = torch.zeros_like(pictures[:1])
    _, one = integrated(cutter, "conv2", pictures, baseline, TARGET, Rule(16, 64, 1e-3, batch=batch))
    _, other = integrated(cutter, "conv2", pictures, baseline, TARGET, Rule(16, 64, 1e-3, batch=17))
    torch.testing.assert_close(one.attribution, other.attribution, rtol=1e-10, atol=1e-14)
    assert one.points.tolist() == other.points.tolist()


@pytest.mark.parametrize("layer", MODULES)
def test_completeness_with_the_layers_own_endpoints(layer: str) -> None:
    cutter, pictures = prepared(residual()).cutter, images()
    baseline = torch.zeros_like(pictures[:1])
    cut, found = integrated(cutter, layer, pictures, baseline, TARGET, Rule(16, 256, 1e-3))
    scale = np.maximum(np.abs(found.change), 0.01)
    assert (np.abs(found.gap) <= 1e-3 * scale).all()
    # Both ends by hand: the layer at a and at a', all the rest as it is for the image.
    ends = cutter(baseline, [layer]).responses[layer].expand_as(cut.responses[layer])
    rows = torch.arange(len(pictures))
    change = TARGET(cut.output) - TARGET(cut.tail(layer, ends, rows))
    np.testing.assert_allclose(found.change, change.numpy(), rtol=1e-9, atol=1e-15)


def test_the_baseline_images_own_output_is_the_wrong_end_inside_a_branch() -> None:
    cutter, pictures = prepared(residual()).cutter, images()
    baseline = torch.zeros_like(pictures[:1])
    wrong = TARGET(cutter(pictures, []).output) - TARGET(cutter(baseline, []).output)
    for layer, crossed in {"conv1": True, "conv2": False, "conv3": False, "conv4": True}.items():
        assert (layer in cutter.crossed) == crossed
        _, found = integrated(cutter, layer, pictures, baseline, TARGET, Rule(16, 256, 1e-3))
        missed = np.abs(found.change - wrong.numpy()) / np.maximum(np.abs(found.change), 0.01)
        assert (missed < 1e-9).all() if crossed else (missed > 0.05).any()


def test_conductance_is_complete_where_every_path_crosses() -> None:
    module = residual()
    cutter, pictures = prepared(module).cutter, images(1)
    baseline = torch.zeros_like(pictures)
    found = conductance(_Sweeper(cutter), TARGET, pictures, baseline, list(MODULES), Rule(16, 256, 1e-3))
    change = float((TARGET(module(pictures)) - TARGET(module(baseline)))[0])
    for layer, one in zip(MODULES, found, strict=True):
        if layer in cutter.crossed:
            assert abs(float(one.attribution.sum()) - change) <= 1e-3 * max(abs(change), 0.01)
            assert one.change[0] == pytest.approx(change)
        else:
            assert np.isnan(one.gap[0])


def test_a_group_of_outputs_is_one_class() -> None:
    logits = torch.tensor([[1.0, 2.0, -1.0], [0.0, 50.0, 60.0]])
    probabilities = logits.double().softmax(1)
    torch.testing.assert_close(as_target((2, 0), "probability")(logits), probabilities[:, [0, 2]].sum(1))
    torch.testing.assert_close(as_target((0, 1), "logit")(logits), logits.double()[:, :2].exp().sum(1).log())
    torch.testing.assert_close(as_target((1,), "logit")(logits), logits.double()[:, 1])
    with pytest.raises(ValueError, match="outputs"):
        as_target((), "logit")
