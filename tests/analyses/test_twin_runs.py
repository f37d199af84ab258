"""Whole runs by torch's kernels give the records of the compiled ones, byte by byte."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from interpret_core import datasets
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.material import ahead
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import Cancelled, ParameterError
from interpret_core.measures.dissection.counts import Counts
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.twin import compiled
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import COLOURS, MIXED, digests, request_for
from tests.analyses.test_real_photographs import every
from tests.planted_dataset import Planted
from tests.slow import slow, thorough_beyond

COMPILED = (
    (Counts, "add"),
    (Tally, "add"),
    (compiled, "encode"),
    (compiled, "add_to_histogram"),
)


@contextmanager
def no_numba() -> Generator[None, None, None]:
    """What torch shall do is not done by the compiled kernels."""

    def none(*_: object) -> None:
        raise AssertionError("a compiled kernel was called")

    with pytest.MonkeyPatch.context() as patch:
        for place, name in COMPILED:
            patch.setattr(place, name, none)
        yield


def same(request: ProfileRequest, folder: Path) -> None:
    """Both ways from nothing, on a card where there is one: profiles, chance levels and assessments."""
    one, other = Store(folder / "numba"), Store(folder / "torch")
    run_profile(request, one, Execution(tally="numba"))
    with no_numba():
        run_profile(request, other, Execution(tally="torch"))
    expected = digests(request, one)
    assert expected
    assert digests(request, other) == expected


@thorough_beyond(1)
@pytest.mark.parametrize(
    ("network", "positions", "quantile"),
    [(MIXED, "anchored", 0.02), (MIXED, "stretched", 0.3), slow(COLOURS, "anchored", 0.005)],
)
def test_planted_runs(
    planted: Planted, tmp_path: Path, network: str, positions: str, quantile: float
) -> None:
    """One of the pictures is damaged."""
    copy = tmp_path / "damaged"
    shutil.copytree(planted.root, copy)
    broken = copy / "images" / datasets.open_dataset(str(copy)).records[5].image
    broken.write_bytes(broken.read_bytes()[:200])
    request = request_for(planted, network, positions=positions, quantile=quantile)
    same(replace(request, dataset=str(copy)), tmp_path)


@pytest.mark.thorough
@pytest.mark.real
@pytest.mark.skipif("INTERPRET_REAL_DATA" not in os.environ, reason="INTERPRET_REAL_DATA is not set")
@pytest.mark.parametrize(
    ("network", "layers", "step"),
    [
        ("efficientnet-lite0", ("blocks.4.depthwise_conv", "blocks.15.project_conv"), 20),
        slow("efficientnet-lite0", ("all",), 4),
        slow("torchvision/resnet18@random", ("all",), 8),
    ],
)
def test_photographs(tmp_path: Path, network: str, layers: tuple[str, ...], step: int) -> None:
    photographs = every(step, tmp_path / "photographs")
    same(ProfileRequest(network, str(photographs), layers, min_images=1, permutations=3), tmp_path)


@pytest.mark.thorough
def test_one_goes_on_where_the_other_stopped(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted)
    undisturbed, disturbed = Store(tmp_path / "one"), Store(tmp_path / "two")
    whole = run_profile(request, undisturbed, Execution(device="cpu", shards=4))
    steps = iter(range(12))
    with pytest.raises(Cancelled):
        run_profile(
            request,
            disturbed,
            Execution(device="cpu", shards=4, tally="torch", cancelled=lambda: next(steps, None) is None),
        )
    rest = run_profile(request, disturbed, Execution(device="cpu", shards=4, tally="numba"))
    assert 0 < rest.computed < whole.computed
    assert digests(request, undisturbed) == digests(request, disturbed)


def test_a_wrong_word_is_one_line(planted: Planted, store: Store) -> None:
    with pytest.raises(ParameterError, match="tally is 'cuda'"):
        run_profile(request_for(planted), store, Execution(device="cpu", tally="cuda"))


def test_batches_are_made_one_ahead_and_in_order() -> None:
    """Batch after next is not begun before the next is asked for: so much memory, and no more."""
    made: list[int] = []
    done = threading.Event()

    def batches() -> Generator[int, None, None]:
        try:
            for number in range(5):
                made.append(number)
                yield number
        finally:
            done.set()

    found = ahead(batches())
    for number in range(3):
        assert next(found) == number
        assert len(made) <= number + 2
    found.close()  # type: ignore[attr-defined]
    assert done.wait(5)
    assert made == [0, 1, 2, 3]
    assert list(ahead(batches())) == [0, 1, 2, 3, 4]


def test_what_fails_ahead_fails_where_it_is_due() -> None:
    def batches() -> Generator[int, None, None]:
        yield 1
        raise ValueError("the second")

    found = ahead(batches())
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second"):
        next(found)
