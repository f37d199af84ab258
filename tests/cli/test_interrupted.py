"""kill -9, Ctrl-C and SIGTERM in the middle: the same command goes on, to the same bytes."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from interpret_core.store.store import Store
from tests.cli.conftest import Command, ended, started
from tests.cli.networks import LOG, PAUSE
from tests.planted_dataset import Planted
from tests.slow import slow

BATCH, BATCHES = 4, 3  # of twelve images; no other call of the network sees four
PASSES = 3  # count, tally, masks: one shard per batch each
AT = 5  # the call in which the process is stopped: the second batch of the tally


def arguments(planted: Planted, cache: Path) -> tuple[object, ...]:
    return (
        "profile", "--network", "tests.cli.networks:small", "--dataset", planted.root, "--cache", cache,
        "--batch-size", BATCH, "--shards", BATCHES, "--min-images", 1, "--permutations", 5, "--device", "cpu",
    )  # fmt: skip


def calls(log: Path) -> int:
    """Batches of the passes that the network has begun so far."""
    return log.read_text().split().count(str(BATCH)) if log.exists() else 0


def digests(cache: Path) -> dict[str, str]:
    """Digest of every result, by key."""
    with Store(cache) as store:
        assert not store.keys("partial"), "finished shards stay behind"
        found = {key: store.get(key) for key in (*store.keys("profile"), *store.keys("chance"))}
    return {key: record.digest() for key, record in found.items() if record is not None}


def interrupted(process: subprocess.Popen[str], log: Path, number: int, at: int = AT) -> None:
    """Send a signal while the network looks at its `at`-th batch."""
    until(lambda: calls(log) >= at or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    process.send_signal(number)


def until(true: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def undisturbed(command: Command, planted: Planted, tmp_path: Path) -> dict[str, str]:
    done = command(*arguments(planted, tmp_path / "undisturbed"))
    assert done.status == 0, done.err
    return digests(tmp_path / "undisturbed")


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGKILL, slow(signal.SIGINT), slow(signal.SIGTERM)])
def test_finished_shards_are_kept(undisturbed, command, planted, tmp_path, monkeypatch, number):
    log, cache = tmp_path / "log", tmp_path / "interrupted"
    monkeypatch.setenv(LOG, str(log))
    monkeypatch.setenv(PAUSE, "0.4")
    process = started(*arguments(planted, cache))
    interrupted(process, log, number)
    stopped = ended(process)
    before = calls(log)
    if number == signal.SIGKILL:
        assert stopped.status == -signal.SIGKILL
    else:
        assert stopped.status == 130
        assert stopped.line.startswith("Stopped. Finished parts are kept")
    assert before == AT
    finished = AT - 1  # the batch in hand goes through at Ctrl-C, but its shard is not kept
    monkeypatch.setenv(PAUSE, "0")
    log.unlink()
    again = command(*arguments(planted, cache))
    assert again.status == 0, again.err
    assert calls(log) == PASSES * BATCHES - finished
    assert f"{PASSES * BATCHES - finished} shards computed" in again.out
    told = next(line for line in again.out.splitlines() if "shards computed" in line)
    whole, *parts = (float(one) for one in re.findall(r"([\d.]+) s\b", told))
    assert whole == pytest.approx(sum(parts), abs=0.05 * (1 + len(parts)))
    assert digests(cache) == undisturbed


@pytest.mark.thorough
@pytest.mark.parametrize("order", ["2,0,1", "0,1,2"])
def test_the_order_of_shards_changes_nothing(undisturbed, command, planted, tmp_path, order):
    done = command(*arguments(planted, tmp_path / "other"), "--shard-order", order)
    assert done.status == 0, done.err
    assert digests(tmp_path / "other") == undisturbed


@pytest.mark.parametrize("shards", [1, 2])
def test_the_number_of_shards_changes_nothing(undisturbed, command, planted, tmp_path, shards):
    done = command(*arguments(planted, tmp_path / "other"), "--shards", shards)
    assert done.status == 0, done.err
    assert digests(tmp_path / "other") == undisturbed


def listens(pid: int) -> bool:
    """Whether a process has a handler of its own for SIGTERM: from then on the command line is in charge."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc to see the handler")
def test_ctrl_c_before_the_computation(environment: Path, planted: Planted) -> None:
    """While libraries load there is nothing to lose, so it stops at once."""
    process = started("bench", "profile", "--dataset", planted.root)
    until(lambda: listens(process.pid))
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    # Where the signal meets Python code run by a library's C code, the interpreter ends itself by it: a shell
    # calls both 130.
    assert stopped.status in (130, -signal.SIGINT)
    assert "Traceback" not in stopped.err
    assert stopped.line.startswith("Stopped.")
