"""Which pieces a part has, and what it waits for."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret_core.errors import ParameterError, StoreError
from interpret_core.runtime.executors.base import HERE
from interpret_core.runtime.executors.choice import chosen
from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.runtime.executors.processes import Processes
from interpret_core.runtime.executors.share import SharedExecutor
from interpret_core.runtime.rounds import (
    ROUND,
    Note,
    Pass,
    Postponed,
    RoundDoneError,
    Share,
    note_alone,
    noted,
)
from interpret_core.store import ReadOnlyStore, Record, Store
from tests.slow import slow

RECORD = Record({"numbers": np.arange(4)})


def waiting(name: str = "count0-abc", records: tuple[str, ...] = ("profile/x",)) -> Pass:
    return Pass(f"partial/run/kind/{name}", ("0-1", "2-3"), ("one", "two"), records)


@pytest.mark.parametrize("of", [1, 2, 3, 16])
def test_every_piece_has_one_owner(of: int) -> None:
    executors = [SharedExecutor(Share(part, of), HERE) for part in range(1, of + 1)]
    for number in range(40):
        assert sum(one.own(number) for one in executors) == 1
    assert all(HERE.own(number) for number in range(4))


def test_a_round_ends_where_others_have_something_to_do() -> None:
    shared, alone = SharedExecutor(Share(1, 3), HERE), SharedExecutor(Share(1, 1), HERE)
    assert shared.round_ends(2, 6, last=False)
    assert shared.round_ends(0, 4, last=True)
    assert shared.round_ends(2, 2, last=False), "it was late, and the others begin with the next pass, too"
    assert not shared.round_ends(2, 2, last=True), "it puts the results together"
    assert not shared.round_ends(0, 0, last=False)
    assert not alone.round_ends(6, 6, last=False)
    assert not HERE.round_ends(6, 6, last=False)


def test_a_part_is_chosen_with_its_workers() -> None:
    executor = chosen(workers=2, part="2/3")
    assert isinstance(executor, SharedExecutor)
    assert (executor.share, str(executor.share)) == (Share(2, 3), "2/3")
    with pytest.raises(ParameterError, match="at least 1"):
        chosen(workers=0, part="2/3")


def test_a_part_computes_with_its_workers_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with SharedExecutor(Share(1, 2), Processes(1, threads=1)) as executor:
            assert torch.get_num_threads() == 1
            assert isinstance(executor, SharedExecutor)
            assert executor.asked is None
            assert executor.kind(torch.device("cpu")).threads == 1
            assert executor.asked == ProcessorKind.here(torch.device("cpu"), 1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_pass_misses_what_is_needed_and_not_there(tmp_path: Path) -> None:
    one = waiting()
    assert (one.run, one.title) == ("partial/run", "count0")
    with Store(tmp_path / "cache", shipped=()) as store:
        assert one.missing(store) == [0, 1]
        store.put(f"{one.under}/2-3/one", RECORD)
        assert one.missing(store) == [0, 1], "a piece is there when all its layers are"
        store.put(f"{one.under}/2-3/two", RECORD)
        assert one.missing(store) == [0]
        store.put("profile/x", RECORD)
        assert one.missing(store) == []


def test_results_that_need_no_other_wait_together() -> None:
    postponed = Postponed()
    with postponed:
        raise RoundDoneError([waiting()], 2)
    with postponed:
        pass
    with postponed:
        raise RoundDoneError([waiting("tally-abc")], 1)
    with pytest.raises(RoundDoneError, match=r"count0, tally is done, 3 of 4 pieces") as raised:
        postponed.end()
    assert len(raised.value.passes) == 2
    with pytest.raises(ZeroDivisionError), postponed:
        raise ZeroDivisionError
    Postponed().end()


def test_notes_come_back_as_they_were(tmp_path: Path) -> None:
    kind = ProcessorKind.here(torch.device("cpu"), 1)
    notes = [
        Note(Share(2, 3), "profile x y", (waiting(), waiting("tally")), kind),
        Note(Share(2, 3), "profile x y", (), None, ("profile/x",)),
    ]
    with Store(tmp_path / "cache", shipped=()) as store:
        for number, note in enumerate(notes):
            note_alone(store, f"{ROUND}{number}", note)
            assert store.json_keys(ROUND) == [f"{ROUND}{number}"]
            assert noted(store, f"{ROUND}{number}") == {2: note}
        store.put_json(f"{ROUND}x", {"1": {"share": {}}})
        with pytest.raises(StoreError, match="the same version for all parts"):
            noted(store, f"{ROUND}x")


def test_what_lies_beneath_is_read_and_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "beneath", shipped=()) as store:
        store.put("partial/x", RECORD)
        store.put("profile/y", RECORD)
        store.put_json("identity/z", "digest")
    beneath = ReadOnlyStore(tmp_path / "beneath")
    with Store(tmp_path / "own", shipped=(), beneath=beneath) as store:
        again = pickle.loads(pickle.dumps(store))
        for one in (store, again):
            assert one.present(["partial/x", "profile/y", "profile/none"]) == {"partial/x", "profile/y"}
            found = one.get("partial/x")
            assert found is not None
            assert found.digest() == RECORD.digest()
            assert one.get_json("identity/z") == "digest"
        assert store.keys() == []
        store.put("partial/x", Record({"numbers": np.arange(5)}))
        own = store.get("partial/x")
        assert own is not None
        assert len(own["numbers"]) == 5
        store.delete("partial/x")
        assert store.has("partial/x")
    for write in (
        lambda: beneath.put("partial/w", RECORD),
        lambda: beneath.delete("partial/x"),
        beneath.check,
    ):
        with pytest.raises(StoreError, match="only read"):
            write()


def test_what_is_damaged_in_a_folder_that_is_only_read_stays(tmp_path: Path) -> None:
    with Store(tmp_path / "cache", shipped=()) as store:
        store.put("profile/y", RECORD)
    (path,) = (tmp_path / "cache" / "results").rglob("*.val")
    path.write_bytes(path.read_bytes()[:-1])
    with ReadOnlyStore(tmp_path / "cache") as only:
        assert only.get("profile/y") is None
        assert not only.has("profile/y")
        assert [one.key for one in only.damaged] == ["profile/y"]
    assert path.exists()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "begun",
    [slow("torch.set_num_threads(1); kind.ProcessorKind.here(torch.device('cpu'))"), "kind.compute_with(1)"],
)
def test_the_start_of_numba_leaves_torch_its_threads(begun: str) -> None:
    code = (
        "import numba, numpy as np, torch\n"
        "from interpret_core.runtime.executors import kind\n"
        f"{begun}\n"
        "@numba.njit(parallel=True)\n"
        "def added(a):\n"
        "    total = 0\n"
        "    for i in numba.prange(len(a)):\n"
        "        total += a[i]\n"
        "    return total\n"
        "assert added(np.arange(1000)) == 499500\n"
        "print(torch.get_num_threads())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
