"""captum as the oracle: same quadrature, float64, a network with residuals, BatchNorm and pooling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.attr import LayerConductance, LayerIntegratedGradients
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor, nn

from interpret_core.analyses.relevance.attribution import _Sweeper
from interpret_core.measures.attribution.path import Rule
from interpret_core.measures.attribution.sweep import swept
from interpret_core.measures.attribution.target import Target
from tests.measures.attribution.networks import MODULES, images, integrated, prepared, residual

CLASS = 2
PROBABILITY, LOGIT = Target((CLASS,)), Target((CLASS,), "logit")


def probability(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """What captum differentiates: the probabilities instead of the logits."""
    return lambda pictures: module(pictures).softmax(1)


@pytest.mark.parametrize("layer", MODULES)
@pytest.mark.parametrize("target", [PROBABILITY, LOGIT], ids=["probability", "logit"])
def test_layer_integrated_gradients(layer: str, target: Target) -> None:
    module, pictures = residual(), images()
    # Not one colour: where a picture's responses are 0, the path would tie within windows of the pooling, and
    # rounding would choose whose the gradient is.
    baseline = 0.3 * images(1, seed=4) - 0.4
    forward = module if target is LOGIT else probability(module)
    oracle = LayerIntegratedGradients(forward, module.get_submodule(MODULES[layer]))
    expected = oracle.attribute(
        pictures, baseline.expand_as(pictures), CLASS, n_steps=20, method="riemann_middle"
    )
    _, found = integrated(
        prepared(module).cutter, layer, pictures, baseline, target, Rule(20, tolerance=0, batch=7)
    )
    torch.testing.assert_close(found.attribution, expected, rtol=1e-6, atol=1e-12)
    assert float(expected.detach().abs().max()) > 1e-5


def test_the_network_with_in_place_operations_is_attributed_like_its_twin() -> None:
    pictures, baseline = images(), torch.zeros_like(images(1))
    rule = Rule(16, tolerance=0)
    for layer in MODULES:
        one, other = (
            integrated(prepared(residual(inplace)).cutter, layer, pictures, baseline, PROBABILITY, rule)[1]
            for inplace in (False, True)
        )
        torch.testing.assert_close(one.attribution, other.attribution, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer", MODULES)
def test_conductance_under_captums_rule(layer: str) -> None:
    module, pictures = residual(), images(2)
    baseline = torch.full_like(pictures[:1], 0.2)
    oracle = LayerConductance(probability(module), module.get_submodule(MODULES[layer]))
    expected = oracle.attribute(
        pictures, baseline.expand_as(pictures), CLASS, n_steps=24, method="gausslegendre"
    )
    # Its sum: the gradient at each of n + 1 nodes but the last, times the change up to the next one.
    nodes = np.array(approximation_parameters("gausslegendre")[1](25))
    sweeper = _Sweeper(prepared(module).cutter)
    for at in range(2):
        ends = (pictures[at : at + 1], baseline)
        (found,) = swept(sweeper, PROBABILITY, ends, [layer], (nodes, nodes[:-1]), batch=5)
        torch.testing.assert_close(found, expected[at : at + 1].detach(), rtol=1e-6, atol=1e-12)
    assert float(expected.detach().abs().max()) > 1e-5
