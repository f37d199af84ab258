"""Whoever computes a run's pieces, and however many: the same bytes; what ends early loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import Cancelled, ParameterError, UserError
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import HERE, Executor, Found, Work, cuts
from interpret_core.runtime.executors.processes import Processes, WorkerDiedError
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard, apart
from interpret_core.store.store import Store
from tests.analyses.runs import digests, request_for
from tests.one_thread import one_thread  # noqa: F401
from tests.planted_dataset import Planted, make_planted


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return make_planted(tmp_path_factory.mktemp("planted"), images=24)


def profiled(request: ProfileRequest, folder: Path, executor: Executor = HERE) -> dict[str, str]:
    with Store(folder) as store, executor:
        run_profile(request, store, Execution(device="cpu", executor=executor, shards=6))
        return digests(request, store)


def workers() -> list[psutil.Process]:
    return spawned(psutil.Process())


def spawned(process: psutil.Process) -> list[psutil.Process]:
    found = []
    for one in process.children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # one that has just ended
            if "spawn_main" in " ".join(one.cmdline()):
                found.append(one)
    return found


@pytest.mark.slow
def test_processes_give_the_same_bytes(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    assert profiled(request, tmp_path / "two", Processes(2, threads=1)) == alone
    assert workers() == []


def killing(store: Store, request: ProfileRequest, executor: Executor, most: int) -> list[int]:
    """A run in which a worker is killed whenever a piece is there, so many times; the killed."""
    killed: list[int] = []

    def tell(stage: str, *_: int) -> None:
        found = workers()
        if stage in ("thresholds", "IoU", "masks") and found and len(killed) < most:
            killed.append(found[0].pid)
            found[0].kill()

    run_profile(request, store, Execution(device="cpu", executor=executor, shards=6, tell=tell))
    return killed


@pytest.mark.thorough
def test_a_worker_that_is_killed_costs_a_piece(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    with Store(tmp_path / "two") as store, Processes(2, threads=1) as executor:
        assert len(killing(store, request, executor, most=1)) == 1
        assert digests(request, store) == alone


@pytest.mark.slow
def test_workers_that_always_die_end_the_run(planted: Planted, tmp_path: Path) -> None:
    with (
        Store(tmp_path / "cache") as store,
        Processes(2, threads=1) as executor,
        pytest.raises(WorkerDiedError, match=r"3 times without an answer; .* finished ones are kept"),
    ):
        killing(store, request_for(planted), executor, most=1000)
    assert workers() == []


@pytest.mark.slow
def test_what_goes_wrong_in_a_worker_is_said_here(tmp_path: Path) -> None:
    planted = make_planted(tmp_path / "planted", images=24)
    (last,) = (planted.root / "images").rglob("*00023.png")

    def tell(stage: str, *_: int) -> None:
        if stage == "thresholds":
            last.write_bytes(b"no picture")

    with (
        Store(tmp_path / "cache") as store,
        Processes(2, threads=1) as executor,
        pytest.raises(UserError, match=r"00023\.png|is another one for a worker"),
    ):
        run_profile(request_for(planted), store, Execution("cpu", executor, shards=6, tell=tell))
    assert workers() == []


@pytest.mark.thorough
def test_who_is_stopped_goes_on_from_what_is_there(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    told: list[str] = []
    with Store(tmp_path / "cache") as store, Processes(2, threads=1) as executor:
        stopped = Execution(
            device="cpu",
            executor=executor,
            shards=6,
            tell=lambda stage, *_: told.append(stage),
            cancelled=lambda: told.count("IoU") >= 2,
        )
        with pytest.raises(Cancelled):
            run_profile(request, store, stopped)
        assert workers() == []
        outcome = run_profile(request, store, Execution(device="cpu", executor=executor, shards=6))
        assert outcome.computed < 18
        assert digests(request, store) == alone


@pytest.mark.thorough
def test_workers_end_with_who_has_started_them(planted: Planted, tmp_path: Path) -> None:
    code = (
        "from interpret_core.runtime.executors.processes import Processes; from pathlib import Path\n"
        "from tests.runtime.test_executors import profiled, request_for\n"
        "from tests.planted_dataset import Planted\n"
        f"import types; planted = types.SimpleNamespace(root=Path({str(planted.root)!r}))\n"
        "request = request_for(planted)\n"
        f"profiled(request, Path({str(tmp_path / 'cache')!r}), Processes(2, threads=1))\n"
    )
    script = tmp_path / "script.py"
    script.write_text("if __name__ == '__main__':\n    " + code.replace("\n", "\n    "))
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen([sys.executable, str(script)], env=environment, cwd=root)
    started = psutil.Process(process.pid)
    end, children = time.monotonic() + 120, []
    while len(children) < 2 and time.monotonic() < end:
        time.sleep(0.1)
        children = spawned(started)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(children) == 2
    _, left = psutil.wait_procs(children, timeout=30)
    assert left == []


@dataclass(frozen=True)
class Nothing:
    """An opening of nothing."""

    name: str = "nothing"
    device: str = "cpu"

    def open(self) -> None:
        return None


def who(_: None, given: int, piece: Shard, reporter: Reporter) -> dict[str, dict[str, np.ndarray]]:
    return {"all": {"numbers": np.add(piece, given), "process": np.full(len(piece), os.getpid())}}


def joined(found: Sequence[Found]) -> Found:
    rows = [one["all"] for one in found]
    return {"all": {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}}


def numbers(
    pieces: Sequence[Shard], executor: Executor
) -> tuple[dict[Shard, list[int]], set[int], list[Shard]]:
    """What each piece gave, who computed, and what was told as done."""
    work, told = Work(Nothing(), who, 100, apart, joined), list[Shard]()
    found = dict(executor.results(work, pieces, Reporter(), told.append))
    by_piece = {piece: one["all"]["numbers"].tolist() for piece, one in found.items()}
    return by_piece, {int(one) for each in found.values() for one in each["all"]["process"]}, told


@pytest.mark.thorough
def test_few_pieces_are_cut_for_everybody_to_have_some() -> None:
    with Processes(2, threads=1) as executor:
        for pieces in ([tuple(range(8))], [(3,)], [(0, 1, 2), (3, 4, 5)]):
            found, processes, told = numbers(pieces, executor)
            assert found == {piece: [100 + number for number in piece] for piece in pieces}
            assert len(processes) == min(2, sum(map(len, pieces)))
            assert os.getpid() not in processes
            assert sorted(told) == sorted((number,) for piece in pieces for number in piece)


def test_no_more_is_cut_than_keeps_everybody_busy() -> None:
    assert [cuts(pieces, 2, each=8) for pieces in (0, 1, 15, 16, 64)] == [16, 16, 2, 1, 1]
    assert apart((4, 5, 6, 7, 8), 2) == [(4, 5, 6), (7, 8)]
    assert apart((4, 5), 9) == [(4,), (5,)]


@pytest.mark.parametrize(("workers", "threads"), [(0, None), (2, 0)])
def test_fewer_than_one_is_refused(workers: int, threads: int | None) -> None:
    with pytest.raises(ParameterError, match="expected at least 1"):
        Processes(workers, threads)
