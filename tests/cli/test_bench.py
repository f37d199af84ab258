"""`bench profile`: the numbers of the contract, and that what is timed is what the engine does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.profile_bench import find_dataset
from benchmarks.profile_memory import listed
from benchmarks.profile_timing import Bench, first
from interpret_core import datasets
from interpret_core.engine import Execution, run_profile
from interpret_core.results import Store
from interpret_core.results.profiles import find_profiles
from interpret_core.results.requests import ProfileRequest
from tests.cli.conftest import Command
from tests.planted_dataset import Planted

SMALL = "tests.cli.networks:small"


def test_the_numbers_of_the_contract(command: Command, planted: Planted, tmp_path: Path) -> None:
    done = command(
        "bench", "profile", "--network", SMALL, "--dataset", planted.root, "--images", 10, "--batch-size", 4,
        "--repeats", 2, "--memory-images", 0, "--json", tmp_path / "times.json",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    numbers = json.loads((tmp_path / "times.json").read_text())
    assert list(numbers)[:3] == ["over_forward", "over_naive", "forward_ms"]
    assert {"peak_mb", "peak_mb_10x"} <= set(numbers)
    assert numbers["over_forward"] == pytest.approx(numbers["ours_ms"] / numbers["forward_ms"])
    assert numbers["over_naive"] == pytest.approx(numbers["naive_ms"] / numbers["ours_ms"])
    assert len(numbers["over_forward_runs"]) == 2
    assert set(numbers["stages_ms"]) == {"decode", "thresholds", "iou", "histograms", "masks", "chance"}
    assert all(spent > 0 for name, spent in numbers["stages_ms"].items() if name != "histograms")
    assert sum(numbers["shares"].values()) == pytest.approx(1)
    assert numbers["images"] == 10
    assert "10 images of planted" in done.out


def test_what_is_timed_is_what_the_engine_does(environment: Path, planted: Planted, tmp_path: Path) -> None:
    bench = Bench.prepared(SMALL, datasets.open_dataset(planted.root), 5)
    bench.once()
    request = ProfileRequest(SMALL, str(planted.root), batch_size=5, permutations=0)
    with Store(tmp_path / "cache") as store:
        outcome = run_profile(request, store, Execution(device="cpu"))
        found = find_profiles(outcome.keys, store)
    assert list(found) == bench.layers == ["conv1", "conv2"]
    for name, layer in found.items():
        for array in ("threshold", "state", "exceeding", "intersection", "active", "histogram", "colour_sum"):
            expected = layer.profile.arrays[array]
            np.testing.assert_array_equal(bench.last["arrays"][name][array], expected, err_msg=array)


def test_first_images_only(planted: Planted) -> None:
    whole = datasets.open_dataset(planted.root)
    assert len(first(whole, 5)) == 5
    assert len(whole) == 12
    assert first(whole, 100) is whole


def test_a_longer_list_of_the_same_images(planted: Planted, tmp_path: Path) -> None:
    listed(planted.root, tmp_path / "ten", 3, 10)
    long = datasets.open_dataset(tmp_path / "ten")
    assert len(long) == 30
    np.testing.assert_array_equal(long.read_image(4), datasets.open_dataset(planted.root).read_image(1))


def test_where_the_data_set_comes_from(environment: Path, planted: Planted, monkeypatch) -> None:
    real = environment / "real"
    real.mkdir()
    (real / "coco_broden").symlink_to(planted.root)
    monkeypatch.setenv("INTERPRET_REAL_DATA", str(real))
    assert len(find_dataset(None)) == 12
    (environment / "unitscope.toml").write_text('[datasets]\ngone = "nowhere"\nhere = "planted"\n')
    assert find_dataset(None).name == "planted"  # where the link leads: photographs first
    monkeypatch.delenv("INTERPRET_REAL_DATA")
    assert find_dataset(None).name == "here"
    assert find_dataset(str(planted.root)).name == "planted"
