"""Attributions layer by layer: paths at fronts give what paths at the responses themselves give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from interpret_core.analyses.relevance import attribution as attributing
from interpret_core.analyses.relevance.attribution import Attributing
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.measures.attribution import gradient
from interpret_core.measures.attribution.path import integrate
from interpret_core.measures.attribution.target import Target
from interpret_core.networks.graph.cuts import INPUT, Cutter
from tests.measures.attribution.networks import MODULES, images, prepared, residual
from tests.slow import thorough_beyond

NAMES = [INPUT, *MODULES]
BLACK = RelevanceRequest("n", "d", tolerance=1e-3)


def asked(cutter: Cutter, request: RelevanceRequest) -> Attributing:
    """Attributions of a cutter's layers."""
    network: Any = SimpleNamespace(cutter=cutter, device=torch.device("cpu"))
    return Attributing(network, Target((2,)), request)


@thorough_beyond(1)
@pytest.mark.parametrize("memory", [gradient.CPU_MEMORY, 200_000])
@pytest.mark.parametrize("baseline", ["black", "blur"])
def test_a_path_at_the_front_gives_what_the_layers_own_path_gives(
    memory: int, baseline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a baseline of its own for every image, and with room for one image at a time."""
    monkeypatch.setattr(gradient, "CPU_MEMORY", memory)
    cutter, pictures = prepared(residual()).cutter, images()
    request = RelevanceRequest("n", "d", baseline=baseline, tolerance=1e-3)
    reference = images(3, seed=8) if baseline == "blur" else torch.full_like(pictures, -0.2)
    ours, cut = asked(cutter, request), cutter(pictures, NAMES)
    ends = cutter(reference, NAMES)
    refined = 0
    for name, found in ours.integrated(cut, reference, NAMES):
        response, start = cut.responses[name], ends.responses[name]
        expected = integrate(partial(cut.tail, name), ours.target, response, start, ours.rule(name))
        torch.testing.assert_close(found.attribution, expected.attribution, rtol=1e-8, atol=1e-13)
        np.testing.assert_allclose(found.change, expected.change, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(found.gap, expected.gap, rtol=1e-6, atol=1e-12)
        assert found.points.tolist() == expected.points.tolist()
        refined += int(found.points.max()) > request.points
    assert refined >= 2


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Rows of every evaluation on a path, the two ends included."""
    rows: list[int] = []
    average = attributing.average

    def watched(tail: Any, *arguments: Any) -> Any:
        def seen(responses: Tensor, numbers: Tensor) -> Tensor:
            rows.append(len(numbers))
            return tail(responses, numbers)

        return average(seen, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(attributing, "average", watched)
        yield rows


def test_layers_with_one_path_are_evaluated_once_and_known_ends_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cutter, pictures = prepared(residual()).cutter, images()
    assert cutter.paths["conv2"] == cutter.paths["conv3"] == "conv3"
    fixed = RelevanceRequest("n", "d", points=5, tolerance=0)
    with counted(monkeypatch) as rows:
        cut = cutter(pictures, NAMES)
        found = dict(asked(cutter, fixed).integrated(cut, torch.zeros_like(pictures), NAMES))
    paths = 4  # the pixels, conv1, the block's two layers together, conv4
    around = 3  # images whose baseline runs anew, since the skip connection goes around the block's layers
    assert sum(rows) == 3 * 5 * paths + around
    assert list(found) == NAMES
    assert all((one.points == 5).all() for one in found.values())


@pytest.mark.parametrize("memory", [60_000, 400_000, gradient.CPU_MEMORY])
def test_what_is_computed_at_once_fits_into_memory(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more rows than their bytes allow, and all that they allow: a row at a time would be slow."""
    monkeypatch.setattr(gradient, "CPU_MEMORY", memory)
    cutter, pictures = prepared(residual()).cutter, images()
    fixed = RelevanceRequest("n", "d", points=16, tolerance=0)
    for name in NAMES:
        with counted(monkeypatch) as rows:
            list(
                asked(cutter, fixed).integrated(cutter(pictures, [name]), torch.zeros_like(pictures), [name])
            )
        fits = max(1, memory // (gradient.KEPT * cutter.tail_bytes[name]))
        assert max(rows) <= fits
        assert max(rows) >= min(fits, fixed.points)


def test_rows_at_once() -> None:
    """A CPU takes no more than it computes swiftly, and never more than its memory; a GPU fills its own."""
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    for row in (1, 10**5, 10**6, 3 * 10**6, 10**7, 3 * 10**7, 10**9):
        rows = gradient.rows_at_once(row, cpu)
        assert 1 <= rows <= gradient.MOST_ROWS
        assert rows == 1 or rows * gradient.KEPT * row <= gradient.CPU_MEMORY
        assert rows <= gradient.SWIFT_ROWS or rows * gradient.KEPT * row <= gradient.SWIFT_BYTES
        assert rows <= gradient.rows_at_once(row, gpu)
    assert gradient.rows_at_once(10**7, cpu) == gradient.SWIFT_ROWS < gradient.rows_at_once(10**7, gpu)


def test_a_single_layer_of_several_with_one_path() -> None:
    """The page asks for one layer at a time: the layer that lends its name to the path is not there."""
    cutter, pictures = prepared(residual()).cutter, images()
    reference = torch.zeros_like(pictures)
    together = dict(asked(cutter, BLACK).integrated(cutter(pictures, NAMES), reference, NAMES))
    for name in NAMES:
        ((_, alone),) = asked(cutter, BLACK).integrated(cutter(pictures, [name]), reference, [name])
        torch.testing.assert_close(alone.attribution, together[name].attribution, rtol=1e-9, atol=1e-14)
