"""A run on a real Dask cluster: the same bytes, whoever is lost or late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("distributed")

from interpret_core import jobs
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.errors import UserError
from interpret_core.jobs import launch
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors import cluster
from interpret_core.runtime.executors.choice import SCHEDULER
from interpret_core.runtime.executors.cluster import Cluster, ClusterError
from interpret_core.store.store import Store
from tests.analyses.runs import digests, request_for
from tests.one_thread import one_thread  # noqa: F401
from tests.planted_dataset import Planted, make_planted
from tests.runtime.dask_cluster import ROOT, Machines
from tests.runtime.test_executors import profiled

SHARDS = 6


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return make_planted(tmp_path_factory.mktemp("planted"), images=48)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    folder = tmp_path / "machines"
    folder.mkdir()
    found = Machines(folder)
    yield found
    found.end()


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(planted: Planted, tmp_path: Path, machines: Machines) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    for name in ("one", "two"):
        machines.worker(name)
    assert profiled(request, tmp_path / "both", Cluster(machines.address)) == alone
    both = [machines.log(name) for name in ("one", "two")]
    assert all("Error" not in log for log in both)


@pytest.mark.slow
def test_one_is_lost_and_one_comes_late(planted: Planted, tmp_path: Path, machines: Machines) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    first = machines.worker("first")
    machines.worker("second")
    stages: list[str] = []

    def tell(stage: str, *_: int) -> None:
        stages.append(stage)
        if stages.count("thresholds") == 1 and first.is_running():
            first.kill()
            machines.worker("late")

    with Store(tmp_path / "cache") as store, Cluster(machines.address) as machine:
        run_profile(request, store, Execution("cpu", machine, shards=SHARDS, tell=tell))
        assert digests(request, store) == alone
    assert not first.is_running() or first.status() == "zombie"


@pytest.mark.slow
def test_workers_of_another_kind_are_left_out(
    planted: Planted, tmp_path: Path, machines: Machines, caplog: pytest.LogCaptureFixture
) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    for name in ("one", "two"):
        machines.worker(name)
    with Store(tmp_path / "cache") as store, Cluster(machines.address) as machine:
        machine.kind(torch.device("cpu"))
        machines.worker("other", ATEN_CPU_CAPABILITY="default")
        while "other" not in {
            one["name"] for one in machine._connected().scheduler_info(n_workers=-1)["workers"].values()
        }:
            pass
        run_profile(request, store, Execution("cpu", machine, shards=SHARDS))
        assert digests(request, store) == alone
    assert "is left out" in caplog.text
    assert "capability" in caplog.text


@pytest.mark.thorough
def test_another_data_set_under_the_same_name_is_refused(
    planted: Planted, tmp_path: Path, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_planted(tmp_path / "other", images=8)
    for name, root in (("theirs", other.root), ("own", planted.root)):
        (tmp_path / f"{name}.toml").write_text(f'[datasets]\nplanted = "{root}"\n')
    machines.worker("one", INTERPRET_CONFIG=str(tmp_path / "theirs.toml"))
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "own.toml"))
    request = replace(request_for(planted), dataset="planted")
    with pytest.raises(UserError, match=r"Data set 'planted' is another one for a worker \(digest"):
        profiled(request, tmp_path / "cache", Cluster(machines.address))


@pytest.mark.slow
def test_a_servers_job_runs_there_and_says_where_one_sees_it(
    planted: Planted, tmp_path: Path, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(planted)
    alone = profiled(request, tmp_path / "alone")
    machines.worker("one")
    monkeypatch.setenv(SCHEDULER, machines.address)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Store(tmp_path / "cache", shipped=()) as store:
        job = jobs.submit(store, "profile", request.to_json())
        seen = set[str]()
        while job.active:
            job = jobs.find(store, job.id) or job
            seen.add(job.dashboard)
            time.sleep(0.05)
        assert (job.state, job.message, job.dashboard) == ("done", "", "")
        assert seen == {"", next(one for one in seen if one.startswith("http://127.0.0.1:"))}
        assert digests(request, store) == alone
    launch.end_all()


def test_nobody_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 1.0)
    with pytest.raises(ClusterError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        Cluster("tcp://127.0.0.1:9").kind(torch.device("cpu"))
