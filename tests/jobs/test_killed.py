"""kill -9 of the worker, the scheduler, whoever submitted, or all of them: the same bytes all the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interpret_core import jobs
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.jobs import launch
from interpret_core.jobs.settings import RUNNER
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.test_real_photographs import every
from tests.cli.networks import LOG, PAUSE
from tests.jobs.conftest import ROOT, TIMEOUT, eventually, of_folder, schedulers, workers
from tests.planted_dataset import make_planted
from tests.slow import slow

WHO = ("worker", "scheduler", "submitter", "all")
SEEDS = [seed if seed in (0, 3) else slow(seed) for seed in range(16)]
CALLS = 36  # images that the network sees in all: twelve in each of three passes
SERVER = """
import sys, time
from interpret_core import jobs
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.store import Store
store = Store(sys.argv[1], shipped=())
request = ProfileRequest("tests.cli.networks:small", sys.argv[2], min_images=1, permutations=5, batch_size=1)
job = jobs.submit(store, "profile", request.to_json(), owner="ada")
print(job.id, flush=True)
while jobs.find(store, job.id).active:
    time.sleep(0.2)
time.sleep(600)
"""


def digests(cache: Path) -> dict[str, str]:
    """Digest of every record, by key."""
    with Store(cache, shipped=()) as store:
        found = {key: store.get(key) for key in store.keys()}  # noqa: SIM118 - a store is no dict
    assert any(key.startswith("profile/") for key in found)
    assert not any(key.startswith("partial/") for key in found), "finished shards stay behind"
    return {key: record.digest() for key, record in found.items() if record is not None}


def calls(log: Path) -> int:
    """Images that the network has been shown so far."""
    return log.read_text().split().count("1") if log.exists() else 0


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_planted(
        tmp_path_factory.mktemp("pictures") / "planted", images=12, size=32, annotation=16
    ).root


@pytest.fixture(scope="module")
def undisturbed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = tmp_path_factory.mktemp("undisturbed")
    request = ProfileRequest(
        "tests.cli.networks:small", str(pictures), min_images=1, permutations=5, batch_size=1
    )
    with Store(cache, shipped=()) as store:
        run_profile(request, store, Execution())
    return digests(cache)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_bytes_whoever_is_killed(
    seed: int,
    undisturbed: dict[str, str],
    pictures: Path,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(RUNNER)
    monkeypatch.setenv(PAUSE, "0.05")
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    who, moments = WHO[seed % len(WHO)], random.Random(seed)
    command = [sys.executable, "-c", SERVER, str(store.folder), str(pictures)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    identity = server.stdout.readline().strip()
    at = moments.randrange(CALLS)
    eventually(lambda: calls(tmp_path / "log") >= at)
    time.sleep(moments.uniform(0, 0.1))
    for process in {"worker": workers, "scheduler": schedulers, "all": of_folder}.get(who, lambda _: [])(
        store.folder
    ):
        process.kill()
    if who in ("submitter", "all"):
        server.kill()
    job = jobs.wait(store, identity, TIMEOUT)
    assert job is not None
    assert (job.state, job.owners) == ("done", ("ada",)), job.message
    assert job.attempts <= 2
    eventually(lambda: not workers(store.folder))
    print(f"{who} killed at image {at} of {CALLS}; attempts: {job.attempts}")
    assert digests(store.folder) == undisturbed
    server.kill()
    server.communicate()


@pytest.mark.slow
@pytest.mark.skipif("INTERPRET_REAL_DATA" not in os.environ, reason="INTERPRET_REAL_DATA is not set")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_photographs_and_a_trained_network(
    seed: int, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EfficientNet-Lite0; worker, scheduler or both are killed somewhere on the way."""
    monkeypatch.delenv(RUNNER)
    data = str(every(16, tmp_path / "few"))
    request = ProfileRequest("efficientnet-lite0", data, ("conv_stem",), min_images=1, permutations=5)
    with Store(tmp_path / "plain", shipped=()) as plain:
        start = time.monotonic()
        done = jobs.wait(plain, jobs.submit(plain, "profile", request.to_json()).id, 300)
        whole = time.monotonic() - start
        assert done is not None
        assert done.state == "done", done.message
    job = jobs.submit(store, "profile", request.to_json())
    time.sleep(random.Random(seed).uniform(0.2, 0.9) * whole)
    for process in (workers, schedulers, of_folder)[seed](store.folder):
        process.kill()
    found = jobs.wait(store, job.id, 300)
    assert found is not None
    assert found.state == "done", found.message
    eventually(lambda: not workers(store.folder))
    assert digests(store.folder) == digests(tmp_path / "plain")


@pytest.mark.slow
def test_schedulers_that_are_killed_time_and_again_cost_no_work(store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log"
    request = {"run": "count", "steps": 60, "pause": 0.1, "log": str(log)}
    job = jobs.submit(store, "test", request)
    for moment in (random.Random(5).uniform(0, 1.5) for _ in range(6)):
        time.sleep(moment)
        assert len(workers(store.folder)) <= 1
        for process in schedulers(store.folder):
            process.kill()
        jobs.find(store, job.id)
    done = jobs.wait(store, job.id, TIMEOUT)
    assert done is not None
    assert done.state == "done"
    assert log.read_text().count("end") == 1
    assert log.read_text().count("start") == 1
    launch.end_all()
