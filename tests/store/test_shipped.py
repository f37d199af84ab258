"""Results that come with the program: used where they fit, copied once, ignored where they do not."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

from interpret_core import demo
from interpret_core.errors import StoreError, UserError
from interpret_core.store.bundle.cargo import Cargo, ship
from interpret_core.store.bundle.shipped import MANIFEST, Shipped
from interpret_core.store.records import Record
from interpret_core.store.store import Store

KEYS = ("chance/b1", "later/kind/c2", "profile/a0")
CARGO = Cargo({"demo/alexnet": "11" * 32}, {"demo": "22" * 32})


def record(number):
    return Record({"a": np.arange(20_000) * number}, {"number": number})


@pytest.fixture
def shipped(tmp_path):
    """A folder with three records of different kinds and a list of layers."""
    with Store(tmp_path / "made", shipped=()) as store:
        for number, key in enumerate(KEYS):
            store.put(key, record(number))
        store.put("partial/x/tally", record(9))
        store.put_json("layers/n", ["conv1", "conv2"])
        store.put_json("job/1", {"state": "done"})
        store.put_json("partial/x", {"profile": []})
        ship(store, tmp_path / "shipped", CARGO)
    return tmp_path / "shipped"


@pytest.fixture
def store(tmp_path, shipped):
    with Store(tmp_path / "cache", shipped=(shipped,)) as opened:
        yield opened


def test_every_kind_of_result_is_shipped_and_no_unfinished_work(shipped):
    manifest = json.loads((shipped / MANIFEST).read_text())
    assert tuple(manifest["records"]) == KEYS
    assert manifest["states"] == {"layers/n": ["conv1", "conv2"]}
    assert manifest["networks"] == CARGO.networks
    files = {path.relative_to(shipped).as_posix() for path in shipped.rglob("*.xz")}
    assert files == {f"{key}.xz" for key in KEYS}
    for key, entry in manifest["records"].items():
        assert entry["size"] == (shipped / f"{key}.xz").stat().st_size
        assert entry["digest"] == record(KEYS.index(key)).digest()


def test_prefixes_choose_and_an_empty_store_is_an_error(tmp_path):
    with Store(tmp_path / "made", shipped=()) as made:
        with pytest.raises(UserError, match="no result to ship"):
            ship(made, tmp_path / "shipped", CARGO)
        for number, key in enumerate(KEYS):
            made.put(key, record(number))
        chosen = Cargo({}, {}, prefixes=("profile/", "later/"))
        assert list(ship(made, tmp_path / "shipped", chosen)["records"]) == ["later/kind/c2", "profile/a0"]
        assert not (tmp_path / "shipped" / "chance").exists()


def test_shipping_again_changes_no_byte(tmp_path, shipped):
    before = {path: path.read_bytes() for path in shipped.rglob("*.*")}
    with Store(tmp_path / "made", shipped=()) as made:
        ship(made, shipped, CARGO)
    assert {path: path.read_bytes() for path in shipped.rglob("*.*")} == before


def test_a_shipped_record_is_stored_when_it_is_asked_for(store):
    assert store.keys() == []
    assert store.has("profile/a0")
    assert store.keys() == [], "asking whether it is there copies nothing"
    assert store.get("profile/a0").to_bytes() == record(2).to_bytes()
    assert store.keys() == ["profile/a0"]
    assert store.get_json("layers/n") == ["conv1", "conv2"]
    assert not store.has("profile/a1")
    assert store.get("profile/a1") is None
    assert store.compute("chance/b1", pytest.fail).metadata == {"number": 0}


def test_what_was_computed_here_stays(store, shipped):
    store.put("profile/a0", record(77))
    store.put_json("layers/n", ["other"])
    assert store.get("profile/a0").metadata == {"number": 77}
    assert store.get_json("layers/n") == ["other"]
    # The same where somebody stores it between the look and the copy.
    look = store._cabinet.look
    store._cabinet.look = lambda *_: None
    assert store.get("profile/a0").metadata == {"number": 2}
    store._cabinet.look = look
    assert store.get("profile/a0").metadata == {"number": 77}


def test_a_damaged_entry_of_the_cache_is_mended_from_what_was_shipped(store):
    store.get("profile/a0")
    (file,) = (path for path in (store.folder / "results").glob("??/??/*.val"))
    file.write_bytes(file.read_bytes()[:-9])
    assert store.get("profile/a0").to_bytes() == record(2).to_bytes()
    assert [report.key for report in store.damaged] == ["profile/a0"]


def test_a_pickled_store_knows_what_is_shipped(store):
    with pickle.loads(pickle.dumps(store)) as again:
        assert again.get("profile/a0").metadata == {"number": 2}


@pytest.mark.parametrize("damage", ["cut", "gone", "swapped", "forged"])
def test_a_damaged_shipped_record_is_left_aside_and_reported(tmp_path, shipped, caplog, damage):
    file, manifest = shipped / "profile/a0.xz", shipped / MANIFEST
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-5])
    elif damage == "gone":
        file.unlink()
    elif damage == "swapped":
        file.write_bytes((shipped / "chance/b1.xz").read_bytes())
    else:  # the checksum of the file fits, that of its content does not
        told = json.loads(manifest.read_text())
        told["records"]["profile/a0"]["digest"] = "0" * 64
        manifest.write_text(json.dumps(told))
    reports = []
    with Store(tmp_path / "cache", shipped=(shipped,), on_damage=reports.append) as store:
        assert store.get("profile/a0") is None
        assert not store.has("profile/a0")
        assert store.get("profile/a0") is None
        assert store.compute("profile/a0", lambda: record(5)).metadata == {"number": 5}
        assert store.get("chance/b1") is not None, "the others are used"
        assert [report.key for report in reports] == ["profile/a0"] == [one.key for one in store.damaged]
    assert caplog.text.count("is damaged") == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told | {"schema": 2},
        lambda told: told | {"format": 99},
        lambda told: told | {"records": {"../../etc/passwd": next(iter(told["records"].values()))}},
        lambda told: told | {"records": []},
        lambda told: told | {"states": None},
        lambda told: {key: value for key, value in told.items() if key != "networks"},
        lambda told: [told],
        lambda told: None,
    ],
)
def test_a_manifest_of_another_kind_is_ignored_with_a_line_that_says_why(tmp_path, shipped, caplog, change):
    told = change(json.loads((shipped / MANIFEST).read_text()))
    (shipped / MANIFEST).write_text(json.dumps(told) if told is not None else "{")
    with Store(tmp_path / "cache", shipped=(shipped,)) as store:
        assert not any(store.has(key) or store.get(key) for key in KEYS)
        assert store.get_json("layers/n") is None
        assert not store.damaged
    assert caplog.text.count("Shipped results are not used") == 1
    if told and "schema" in told and told["schema"] == 2:
        assert "schema 2, expected 1 and" in caplog.text


def test_no_folder_is_no_result_and_no_complaint(tmp_path, caplog):
    with Store(tmp_path / "cache", shipped=(tmp_path / "nowhere",)) as store:
        assert not store.has("profile/a0")
    assert not caplog.records


def test_other_weights_or_pictures_are_told_once(shipped, caplog):
    one = Shipped(shipped)
    one.compare("networks", "mine", "33" * 32)
    one.compare("networks", "demo/alexnet", "11" * 32)
    assert not caplog.records
    for _ in range(3):
        one.compare("networks", "demo/alexnet", "33" * 32)
        one.compare("datasets", "demo", "44" * 32)
    assert [line.args[0] for line in caplog.records] == ["demo/alexnet", "demo"]
    assert "results are computed instead" in caplog.text


def test_a_full_disk_does_not_keep_anyone_from_seeing_it(tmp_path, shipped, caplog, monkeypatch):
    with Store(tmp_path / "cache", shipped=(shipped,), size_limit=100_000) as store:
        assert store.get("profile/a0").metadata == {"number": 2}
        assert store.keys() == []
    with Store(tmp_path / "cache", shipped=(shipped,)) as store:

        def full(*_):
            raise StoreError("The disk is full.")

        monkeypatch.setattr(store._cabinet, "add", full)
        with caplog.at_level(logging.WARNING):
            assert store.get("profile/a0").metadata == {"number": 2}
        assert "used without being stored: The disk is full." in caplog.text


def test_the_demo_is_what_a_store_knows_unless_it_is_hidden(tmp_path, shipped, monkeypatch):
    monkeypatch.setattr(demo, "RESULTS", shipped)
    monkeypatch.setattr(demo, "DATASET", shipped)
    monkeypatch.delenv("INTERPRET_DEMO", raising=False)
    with Store(tmp_path / "cache") as store:
        assert store.has("profile/a0")
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    with Store(tmp_path / "cache") as store:
        assert not store.has("profile/a0")


RACE = """
import sys, time
from interpret_core.store import Store
folder, shipped, start, keys = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]
with Store(folder, shipped=(shipped,)) as store:
    time.sleep(max(0, start - time.time()))
    for key in keys:
        print(store.get(key).digest(), len(store.damaged))
"""


@pytest.mark.thorough
def test_processes_that_race_get_the_same_and_leave_one_copy(tmp_path, shipped):
    start = time.time() + 1.5
    command = [sys.executable, "-c", RACE, str(tmp_path / "cache"), str(shipped), str(start), *KEYS]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {racer.communicate(timeout=60)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert answers == {"".join(f"{record(number).digest()} 0\n" for number in range(3))}
    with Store(tmp_path / "cache", shipped=()) as store:
        assert store.keys() == list(KEYS)
        check = store.check()
    assert check.ok
    assert check.entries == 3
    assert len(list((tmp_path / "cache/results").glob("??/??/*.val"))) == 3
