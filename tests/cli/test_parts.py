"""Runs in parts, joined by `merge`: the same bytes as in one process, and refusals in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from interpret_core.runtime.merger import IDLE
from interpret_core.store import ReadOnlyStore, Record, Store
from tests.cli.conftest import ROOT, Command
from tests.cli.parts import NETWORK, OPTIONS, SHARDS, Rounds, records, results
from tests.one_thread import one_thread  # noqa: F401
from tests.planted_dataset import Planted

ALL = [1, 2, 3]


@pytest.fixture
def rounds(command: Command, planted: Planted, environment: Path) -> Rounds:
    return Rounds(command, planted, environment)


def killed(rounds: Rounds, part: int, stage: str) -> None:
    """A part in a process of its own, killed while it is about to keep the second piece of a pass."""
    arguments = ["profile", "--network", NETWORK, "--dataset", str(rounds.planted.root), *OPTIONS, *SHARDS]
    arguments += ["--part", f"{part}/3", "--cache", str(rounds.cache(part))]
    arguments += ["--merged", str(rounds.folder / "joined")]
    code = (
        "import os, signal, sys\n"
        "from interpret_core.runtime.shards import Shards\n"
        "from interpret_core.cli import main\n"
        "keep, kept = Shards._keep, []\n"
        "def killing(self, stage, *piece):\n"
        "    if kept and stage.name.startswith(sys.argv[1]):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    keep(self, stage, *piece)\n"
        "    kept.extend([stage] if stage.name.startswith(sys.argv[1]) else [])\n"
        "Shards._keep = killing\n"
        "main(sys.argv[2:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, stage, *map(str, arguments)], cwd=ROOT, env=os.environ, timeout=300
    )
    assert done.returncode == -signal.SIGKILL


def damage(folder: Path, key: str) -> Path:
    """Cut a record's file short, as a full disk or a lost machine may; the file."""
    with Store(folder, shipped=()) as store:
        ((filename,),) = store._cabinet._folder.rows(
            "SELECT filename FROM Cache WHERE key = ?", (f"record/{key}",)
        )
    path = folder / "results" / filename
    path.write_bytes(path.read_bytes()[:-100])
    return path


@pytest.mark.thorough
def test_rounds_give_the_bytes_of_one_process(rounds: Rounds) -> None:
    assert rounds.profile().status == 0
    alone = results(rounds.folder / "cache")
    following, turn = ALL, 0
    while following:
        turn += 1
        assert turn < 9
        if turn == 2:  # the first of its pieces is kept, the second under way
            killed(rounds, 2, "count0")
            for part in (1, 3):
                rounds.part(part)
            assert rounds.following() == [2]
            rounds.following([3, 2, 1], "backwards")
            assert "share of count0 is done, 1 of 6" in rounds.part(2).out, "and it goes no further"
        else:
            for part in following:
                rounds.part(part)
        backwards = rounds.following([3, 2, 1], "backwards")
        following = rounds.following()
        assert following == backwards
    joined = records(rounds.folder / "joined")
    assert {key: joined[key] for key in alone} == alone
    assert joined == records(rounds.folder / "backwards")
    assert not [key for key in joined if key.startswith("partial/")]
    read = rounds.profile("--cache", rounds.folder / "joined", shards=())
    assert read.status == 0
    assert "All found in the cache" in read.out


@pytest.mark.thorough
def test_what_was_joined_twice_is_joined_once(rounds: Rounds) -> None:
    rounds.until("count0")
    assert rounds.following() == ALL
    before = records(rounds.folder / "joined")
    again = rounds.merge()
    assert "0 records are new" in again.out
    assert rounds.following([2]) == ALL
    assert records(rounds.folder / "joined") == before


def test_merges_that_bring_nothing_end(rounds: Rounds) -> None:
    rounds.part(1)
    rounds.part(1)
    ended = [rounds.merge([1]).status for _ in range(IDLE)]
    assert ended == [0] * IDLE
    last = rounds.merge([1])
    assert last.status == 2
    assert last.out == ""
    assert "merges in a row have brought nothing new" in last.line
    assert "parts 2,3 wrote" in last.line


@pytest.mark.slow
def test_a_damaged_piece_is_named_and_computed_again(rounds: Rounds) -> None:
    assert rounds.profile().status == 0
    rounds.until("tally")
    with Store(rounds.cache(2), shipped=()) as store:
        key = next(key for key in store.keys("partial/") if "/tally" in key)
    path = damage(rounds.cache(2), key)
    ran = rounds.merge()
    assert f"part-2: {key} (checksum differs)" in ran.out.replace("\n", "")
    assert "1 of 6 pieces of tally are missing" in ran.out
    assert ran.out.splitlines()[-1] == "parts 2"
    assert path.exists(), "the parts' caches are only read"
    following = [2]
    while following:
        for part in following:
            rounds.part(part)
        following = rounds.following()
    assert results(rounds.folder / "joined").items() >= results(rounds.folder / "cache").items()


@pytest.mark.thorough
def test_a_result_that_is_damaged_where_it_was_joined_is_copied_anew(rounds: Rounds) -> None:
    rounds.part(1)
    rounds.part(1)
    rounds.following([1])
    before = records(rounds.folder / "joined")
    (key,) = [key for key in before if key.startswith("survey/")]
    damage(rounds.folder / "joined", key)
    assert "1 records are new" in rounds.merge([1]).out
    assert records(rounds.folder / "joined") == before


@pytest.mark.thorough
def test_a_damaged_index_costs_nothing(rounds: Rounds) -> None:
    rounds.part(1)
    rounds.part(2)
    whole = rounds.following([1, 2])
    index = rounds.cache(1) / "results" / "cache.db"
    index.write_bytes(b"nonsense" * 1000)
    assert rounds.following([2, 1], "other") == whole
    assert records(rounds.folder / "other") == records(rounds.folder / "joined")
    assert index.read_bytes() == b"nonsense" * 1000, "the parts' caches are only read"


@pytest.mark.slow
def test_other_kinds_of_processes_are_refused(rounds: Rounds) -> None:
    rounds.until("count0")
    assert rounds.following() == ALL
    rounds.part(1)
    torch.set_num_threads(2)
    assert "share of count0" in rounds.part(2).out, "it begins anew, and adds to nobody's counts"
    before = records(rounds.folder / "joined")
    for order in ([1, 2], [2, 1]):
        ran = rounds.merge(order)
        assert ran.status == 2
        assert "part 2/3 was computed by another kind of process than part 1/3: threads 2 in" in ran.line
    assert records(rounds.folder / "joined") == before


@pytest.mark.slow
def test_parts_with_workers_give_the_same_bytes(rounds: Rounds) -> None:
    assert rounds.profile().status == 0
    following = [1, 2]
    while following:
        for part in following:
            torch.set_num_threads(part)  # machines with another number of cores
            rounds.part(part, 2, "--workers", len(os.sched_getaffinity(0)))
        following = rounds.following([1, 2])
    assert results(rounds.folder / "joined").items() >= results(rounds.folder / "cache").items()


@pytest.mark.slow
def test_parts_of_another_number_or_cut_are_refused(rounds: Rounds) -> None:
    rounds.part(1)
    ran = rounds.profile("--part", "2/4", "--cache", rounds.cache(2))
    assert ran.status == 0
    assert "1/3 and 2/4" in rounds.merge([1, 2]).line
    rounds.until("count0")
    ran = rounds.profile(
        *("--part", "2/3", "--cache", rounds.folder / "part-4", "--merged", rounds.folder / "joined"),
        shards=("--shards", 4),
    )
    assert "share of count0" in ran.out
    assert "other pieces; give all the same --shards" in rounds.merge([1, 4]).line


def test_two_results_under_one_key_are_refused(rounds: Rounds) -> None:
    rounds.part(1)
    rounds.part(1)
    with Store(rounds.cache(1), shipped=()) as store:
        (key,) = store.keys("survey/")
        record = store.get(key)
        assert record is not None
    with Store(rounds.folder / "joined", shipped=()) as store:
        store.put(key, Record(record.arrays, {"another": True}))
    ran = rounds.merge([1])
    assert ran.status == 2
    assert key in ran.line
    assert "different kinds" in ran.line


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/", "-1/3", "1/3/3", "²/3"])
def test_what_is_no_part_is_refused(rounds: Rounds, text: str) -> None:
    ran = rounds.profile("--part", text)
    assert ran.status == 2
    assert f"--part is {text!r}, but expected a part and how many there are" in ran.line


def test_options_that_do_not_go_together_are_refused(rounds: Rounds) -> None:
    scheduler = rounds.profile("--part", "1/3", "--scheduler", "tcp://127.0.0.1:9")
    assert (scheduler.status, "expected one of them" in scheduler.line) == (2, True)
    alone = rounds.profile("--merged", rounds.folder / "joined")
    assert (alone.status, "without --part" in alone.line) == (2, True)
    same = rounds.profile("--part", "1/3", "--cache", rounds.cache(1), "--merged", rounds.cache(1))
    assert (same.status, "are one folder" in same.line) == (2, True)
    into = rounds.command("merge", rounds.cache(1), "--into", rounds.cache(1))
    assert (into.status, "merged into itself" in into.line) == (2, True)
    nothing = rounds.command("merge", rounds.cache(1), "--into", rounds.folder / "joined")
    assert (nothing.status, "No part has noted anything" in nothing.line) == (2, True)


@pytest.mark.thorough
def test_what_was_joined_is_read_and_not_copied(rounds: Rounds) -> None:
    rounds.until("tally")
    rounds.following()
    before = {path: path.stat().st_mtime_ns for path in (rounds.folder / "joined").rglob("*.val")}
    rounds.part(1)
    with Store(rounds.cache(1), shipped=()) as own, ReadOnlyStore(rounds.folder / "joined") as joined:
        counted = [key for key in joined.keys("partial/") if "/count0" in key]
        there = [key for key in counted if own.has(key)]
    assert len(counted) == 12
    assert len(there) == 4, "two pieces of two layers"
    after = {path: path.stat().st_mtime_ns for path in (rounds.folder / "joined").rglob("*.val")}
    assert after == before
