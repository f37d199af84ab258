"""Every analysis on an accelerator finds what it finds on the processor, to three digits; the same twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interpret_core.analyses import registry
from interpret_core.analyses.ablation.request import AblateRequest, AblationRequest
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.measures.dissection.twin import places
from interpret_core.networks.devices import find_device
from interpret_core.options import Request
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import digests

CARD = find_device("auto")
NETWORK, DATA, CLASSES = "demo/alexnet", "demo", ("bench", "refrigerator", "car")
PROFILE = ProfileRequest(NETWORK, DATA, ("conv1", "conv5"), permutations=5)
REQUESTS = (
    PROFILE,
    RelevanceRequest(NETWORK, DATA, CLASSES, images=6, layers=("conv1", "conv5")),
    RelevanceRequest("demo/resnet18", DATA, CLASSES[:1], images=4, method="conductance"),
    EvaluationRequest(NETWORK, DATA),
    AblateRequest(NETWORK, DATA, "bench", images=6, layers="conv5"),
    EffectsRequest(NETWORK, DATA),
    AblationRequest(NETWORK, DATA, CLASSES[:1], images=6),
)

pytestmark = [
    pytest.mark.skipif(CARD.type == "cpu", reason="no accelerator is here"),
    pytest.mark.usefixtures("demo_shown"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: f"{one.analysis}-{one.network}")
def test_analyses(request_: Request, tmp_path: Path) -> None:
    """Numbers agree to three digits in 99 of 100 cells: a bit may move a threshold, and with it a pixel."""
    cells = [list(_cells(request_, tmp_path / device, device)) for device in ("cpu", CARD.type)]
    here, there = (np.array(numbers, np.float64) for numbers, _ in cells)
    assert here.shape == there.shape
    assert len(here)
    near = np.isclose(here, there, rtol=1e-3, atol=1e-3, equal_nan=True)
    assert near.mean() > 0.99, (here[~near][:9], there[~near][:9])
    words = [found for _, found in cells]
    assert np.mean([one == other for one, other in zip(*words, strict=True)]) > 0.98


def _cells(request: Request, folder: Path, device: str) -> tuple[list[float], list[str]]:
    """Numbers and words of a table."""
    analysis = registry.find(request.analysis).load()
    numbers: list[float] = []
    words: list[str] = []
    with Store(folder, shipped=()) as store:
        found = registry.compute(request, store, Execution(device))
        for row in analysis.rows(found):
            for cell in row.values() if isinstance(row, dict) else row:
                _sort_in(cell, numbers, words)
    return numbers, words


def _sort_in(cell: Any, numbers: list[float], words: list[str]) -> None:
    if isinstance(cell, bool | str) or cell is None:
        words.append(str(cell))
    else:
        numbers.append(float(cell))


def test_the_same_twice(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        with Store(tmp_path / name, shipped=()) as store:
            registry.compute(PROFILE, store, Execution(CARD.type))
            found.append(digests(PROFILE, store))
    assert found[0] == found[1]


@pytest.mark.parametrize("batch_size", [7, 64])
def test_pieces_of_any_size(batch_size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by both kernels, of the same responses."""
    monkeypatch.setattr(places, "MOST_ROOM", 50_000)
    request = ProfileRequest(NETWORK, DATA, ("conv3",), permutations=2, batch_size=batch_size)
    found = []
    for tally in ("numba", "torch"):
        with Store(tmp_path / tally, shipped=()) as store:
            registry.compute(request, store, Execution(CARD.type, tally=tally))
            found.append(digests(request, store))
    assert found[0] == found[1]
