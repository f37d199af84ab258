"""Relevance, ablations, effects and evaluation by several processes: the bytes of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from interpret_core.analyses import registry
from interpret_core.errors import Cancelled, NonFiniteError
from interpret_core.networks import NetworkParts
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import HERE, Executor
from interpret_core.runtime.executors.processes import Processes
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.analyses.ablated import network, write_noise
from tests.one_thread import one_thread  # noqa: F401
from tests.runtime.spread import SPLITS, requests, spread
from tests.runtime.test_executors import workers
from tests.slow import slow

REST = ("ablate", "effects", "evaluation")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise(tmp_path_factory.mktemp("noise") / "data", SPLITS)


def killing(stages: tuple[str, ...]) -> Callable[[str, int, int], None]:
    """Told of progress, kills a worker the first time that each stage is under way."""
    killed: set[str] = set()

    def tell(stage: str, *_: int) -> None:
        there = workers()
        if stage in stages and stage not in killed and len(there) == 2:
            killed.add(stage)
            there[0].kill()

    tell.killed = killed  # type: ignore[attr-defined]
    return tell


@pytest.mark.thorough
def test_two_processes_give_the_bytes_of_one_also_where_one_is_killed(root: Path, tmp_path: Path) -> None:
    asked = [requests(root)["grid"]]
    tell = killing(("controls",))
    alone = spread(asked, tmp_path / "alone")
    with Processes(2, threads=1) as executor:
        assert spread(asked, tmp_path / "two", executor, tell) == alone
    assert tell.killed == {"controls"}  # type: ignore[attr-defined]
    kinds = {key.split("/")[0] for key in alone}
    assert {"relevance", "ablation", "responses", "survey"} >= kinds >= {"relevance", "ablation", "responses"}


@pytest.mark.slow
def test_the_other_analyses_too(root: Path, tmp_path: Path) -> None:
    asked = [requests(root)[name] for name in REST]
    tell = killing(("estimating all units", "evaluating", "ball"))
    alone = spread(asked, tmp_path / "alone")
    with Processes(2, threads=1) as executor:
        assert spread(asked, tmp_path / "two", executor, tell) == alone
    assert {"estimating all units", "evaluating"} <= tell.killed  # type: ignore[attr-defined]
    assert {"answers", "effects", "evaluation"} <= {key.split("/")[0] for key in alone}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "kind", "others"),
    [
        ("evaluation", "evaluation", HERE),
        slow("evaluation", "evaluation", Processes(2, threads=1)),
        slow("relevance", "relevance", Processes(2, threads=1)),
        slow("effects", "effects", HERE),
        slow("ablate", "answers", Processes(2, threads=1)),
    ],
)
def test_who_is_stopped_goes_on_with_any_process_of_the_same_kind(
    root: Path, tmp_path: Path, name: str, kind: str, others: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = requests(root)[name]
    with Store(tmp_path / "cache") as store:
        stopped = Execution("cpu", cancelled=lambda: bool(store.keys(f"partial/{kind}")))
        with pytest.raises(Cancelled):
            registry.compute(request, store, stopped)
        kept = store.keys("partial/")
        touched: list[str] = []
        original = Store.put

        def put(self: Store, key: str, record: Record) -> None:
            touched.append(key)
            original(self, key, record)

        monkeypatch.setattr(Store, "put", put)
        with others as executor:
            registry.compute(request, store, Execution("cpu", executor))
    assert not set(kept) & set(touched), "what was there is not computed again"
    assert spread([request], tmp_path / "cache") == spread([request], tmp_path / "other")


def test_parts_of_processes_of_another_kind_are_left_alone(root: Path, tmp_path: Path) -> None:
    request = requests(root)["evaluation"]
    steps: list[int] = []

    def stopping(store: Store, most: int) -> set[str]:
        steps.clear()
        told = Execution(
            "cpu", tell=lambda _s, done, _t: steps.append(done), cancelled=lambda: len(steps) > most
        )
        with pytest.raises(Cancelled):
            registry.compute(request, store, told)
        return {key.split("/")[2] for key in store.keys("partial/")}

    with Store(tmp_path / "cache") as store:
        first = stopping(store, 4)
        torch.set_num_threads(2)
        both = stopping(store, 4)
        assert len(first) == 1
        assert len(both) == 2, "each kind has its own"


@pytest.mark.slow
def test_nan_is_told_with_its_image_by_whoever_computes(root: Path, tmp_path: Path) -> None:
    request = replace(requests(root)["evaluation"], network="tests.runtime.test_spread:poisoned")
    with (
        Store(tmp_path / "cache") as store,
        Processes(2, threads=1) as executor,
        pytest.raises(NonFiniteError, match=r"is NaN or infinite on image \w+-\d+\.png; expected finite"),
    ):
        registry.compute(request, store, Execution("cpu", executor))


def poisoned() -> NetworkParts:
    """Its output is NaN."""
    parts = network()
    with torch.no_grad():
        parts.module.fc.bias[0] = float("nan")
    return parts
