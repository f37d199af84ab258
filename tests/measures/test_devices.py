"""Devices without float64 (Apple's): sums, means and probabilities are taken on the CPU."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from interpret_core.measures.attribution.path import Averaged, credited
from interpret_core.measures.attribution.units import unit_sums
from interpret_core.networks.arithmetic import double, in_reach
from interpret_core.networks.heads import LOGITS, PROBABILITIES, SIGMOID, Head

ROOT = Path(__file__).resolve().parents[2]


class Elsewhere(torch.Tensor):
    """A tensor that says it lies on mps, and fails as such a one does where it is made float64."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("mps")

    def cpu(self) -> torch.Tensor:  # type: ignore[override]
        return self.as_subclass(torch.Tensor)  # type: ignore[return-value]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, Elsewhere) and result.dtype is torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return result


def elsewhere(values: torch.Tensor) -> torch.Tensor:
    return values.as_subclass(Elsewhere)  # type: ignore[return-value]


def test_such_a_tensor_fails_by_itself() -> None:
    with pytest.raises(TypeError, match="float64"):
        elsewhere(torch.ones(3)).double()
    assert type(in_reach(elsewhere(torch.ones(3)))) is torch.Tensor
    assert double(elsewhere(torch.ones(3))).dtype is torch.float64
    ones = torch.ones(3)
    assert in_reach(ones) is ones


@pytest.mark.parametrize(
    "head", [Head(LOGITS), Head(PROBABILITIES, exclusive=False), Head(SIGMOID, exclusive=False)]
)
def test_probabilities_and_their_gradients(head: Head) -> None:
    outputs = torch.rand(4, 5, generator=torch.Generator().manual_seed(0)) * 0.9
    for what in (head.probability, head.logit):
        here, there = outputs.clone().requires_grad_(), outputs.clone().requires_grad_()
        expected, found = what(here, [0, 2]), what(elsewhere(there), [0, 2])
        assert torch.equal(expected, found)
        expected.sum().backward()
        found.sum().backward()
        assert torch.equal(here.grad, there.grad)  # type: ignore[arg-type]


def test_relevance() -> None:
    values = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    masks = np.random.default_rng(0).random((2, 8, 8)) < 0.4
    for one, other in zip(unit_sums(values, masks), unit_sums(elsewhere(values), masks), strict=True):
        np.testing.assert_array_equal(one, other)
    path = Averaged(values, np.ones(2), np.array([16, 16], np.int32))
    np.testing.assert_array_equal(
        credited(elsewhere(values), values, path).gap, credited(values, values, path).gap
    )


@pytest.mark.thorough
def test_nobody_makes_tensors_double_past_these_functions() -> None:
    """The one place aside, `.double()` is called of nothing, and float64 named in what stays on the CPU."""
    found = []
    for path in (ROOT / "interpret_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "double"
            ):
                found.append(path.name)
    assert found == ["arithmetic.py"]
