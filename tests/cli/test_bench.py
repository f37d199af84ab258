"""`bench`: the numbers of the contract, and that what is timed is what the engine, or captum, does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import ablation_bench, relevance_bench, relevance_timing, workers_bench
from benchmarks.captum_loop import Loop
from benchmarks.listings import listed, named
from benchmarks.profile_bench import find_dataset
from benchmarks.profile_memory import Peak
from benchmarks.profile_timing import Bench, first
from benchmarks.relevance_timing import Turn
from interpret_core import datasets
from interpret_core.analyses.ablation.ablator import Ablator
from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.datasets.classes import read_classes
from interpret_core.provenance import made_with
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter
from interpret_core.store.store import Store
from tests.analyses.ablated import planned, plant_relevance, write_noise
from tests.analyses.related import NETWORK, asked, write_objects
from tests.cli.conftest import Command
from tests.planted_classes import write_classes
from tests.planted_dataset import Planted
from tests.slow import thorough_beyond

ROOT = Path(__file__).resolve().parents[2]
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
    assert numbers["made_with"] == made_with()
    assert "10 images of planted" in done.out
    assert (numbers["tally"], numbers["over_numba"]) == ("numba", None)


def test_torchs_kernels_tell_their_ratio_to_the_compiled_ones(
    command: Command, planted: Planted, tmp_path: Path
) -> None:
    common = ("bench", "profile", "--network", SMALL, "--dataset", planted.root, "--images", 4)
    done = command(
        *common, "--repeats", 1, "--memory-images", 0, "--tally", "torch", "--json", tmp_path / "times.json"
    )
    assert (done.status, done.err) == (0, "")
    numbers = json.loads((tmp_path / "times.json").read_text())
    assert numbers["tally"] == "torch"
    assert numbers["over_numba"] > 0
    assert "times what they take with the compiled ones" in done.out
    wrong = command(*common, "--tally", "gpu")
    assert wrong.status != 0
    assert wrong.err.count("\n") == 1
    assert "tally is 'gpu', expected auto, torch or numba" in wrong.err


@pytest.mark.parametrize("tally", ["numba", "torch"])
def test_what_is_timed_is_what_the_engine_does(
    environment: Path, planted: Planted, tmp_path: Path, tally: str
) -> None:
    bench = Bench.prepared(SMALL, datasets.open_dataset(planted.root), 5, tally=tally)
    assert ("numba" in bench.once()) is (tally == "torch")
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


@pytest.mark.parametrize("listing", [lambda root, to: listed(root, to, 4, 3), None], ids=["first", "named"])
def test_pictures_of_a_plain_folder_listed_several_times(planted: Planted, tmp_path: Path, listing) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    names = [f"a{at}.png" for at in range(4)]
    for at, name in enumerate(names):
        (root / name).write_bytes(Path(planted.root, "images", open_images(planted)[at]).read_bytes())
    write_classes(root, [(name, "cat") for name in names])
    if listing:
        listing(root, tmp_path / "some")
    else:
        named(root, tmp_path / "some", names, 3)
    made = datasets.open_dataset(tmp_path / "some")
    assert [record.image for record in made.records] == [
        f"{turn}/{name}" for turn in range(3) for name in names
    ]
    np.testing.assert_array_equal(made.read_image(5), datasets.open_dataset(root).read_image(1))
    assert len(read_classes(made).images("all")) == 12


def open_images(planted: Planted) -> list[str]:
    return [record.image for record in datasets.open_dataset(planted.root).records]


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


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures of each of two classes."""
    return write_objects(tmp_path_factory.mktemp("sets") / "objects")


def in_memory(objects: Path, class_name: str | None = None, images: int = 6) -> relevance_timing.Bench:
    return relevance_bench.prepared(relevance_bench.Plan(NETWORK, str(objects), class_name, images, 1))


def test_the_numbers_of_the_contract_for_relevance(command: Command, objects: Path, tmp_path: Path) -> None:
    done = command(
        "bench", "relevance", "--network", NETWORK, "--dataset", objects, "--class", "box", "--images", 7,
        "--repeats", 2, "--memory-images", 0, "--json", tmp_path / "times.json",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    numbers = json.loads((tmp_path / "times.json").read_text())
    assert "peak_mb" not in numbers
    assert list(numbers)[:3] == ["speedup_same_points", "speedup_to_5pct", "pairs_within_5pct"]
    ms = numbers["ms"]
    for factor, theirs, ours in (
        ("speedup_same_points", "captum_same_points", "same_points"),
        ("speedup_same_points_channels_last", "captum_same_points_channels_last", "same_points"),
        ("speedup_to_5pct", "captum_to_5pct", "to_5pct"),
    ):
        assert numbers[factor] == pytest.approx(ms[theirs] / ms[ours])
    for runs in ("speedup_same_points_runs", "speedup_to_5pct_runs"):
        assert len(numbers[runs]) == 2
    assert (numbers["class"], numbers["images"], numbers["layers"]) == ("box", 6, 2)
    assert "6 images of class box (7 asked for)" in " ".join(done.out.split())


@thorough_beyond(2)
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("rows", [4, 64])  # fewer than the images, and more
def test_captum_on_the_twin_attributes_as_the_engine(
    environment: Path, objects: Path, channels_last: bool, rows: int
) -> None:
    """The network overwrites a response and uses one ReLU twice: as it is, captum could not hook it."""
    bench = in_memory(objects)
    fixed = replace(bench.attributing.request, tolerance=0)
    ours = replace(bench.attributing, request=fixed)
    cut = bench.network.cutter(bench.images, bench.layers)
    for layer, found in ours.integrated(cut, bench.baseline, bench.layers):
        twin = bench.twins[channels_last]
        expected = twin.attribution(
            layer, bench.attributing.target, bench.images, bench.baseline, Loop(fixed.points, rows)
        )
        torch.testing.assert_close(found.attribution, expected, rtol=1e-4, atol=1e-7)
        assert float(expected.abs().max()) > 1e-3


def test_all_three_compute_the_same_sums(environment: Path, objects: Path) -> None:
    bench = in_memory(objects, "box")
    strict = replace(
        bench.attributing.request, tolerance=1e-9
    )  # two points would be refined, were it allowed
    bench = replace(bench, attributing=replace(bench.attributing, request=strict))
    turns = (*bench.same_points(2), bench.captum(2, channels_last=True))
    for turn in turns:
        assert turn.steps == 2
        assert turn.seconds > 0
        assert turn.total.shape == turn.change.shape == (6, 2)
        assert (turn.points == 2).all()
        np.testing.assert_allclose(turn.total, turns[0].total, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(turn.change, turns[0].change, rtol=1e-6, atol=1e-9)
    assert turns[0].within(strict.tolerance) < 1


def test_what_is_timed_is_what_a_relevance_run_computes(
    environment: Path, objects: Path, tmp_path: Path
) -> None:
    turn = in_memory(objects, "box").adaptive()
    request = asked(objects, classes="box", split="all", images=6)
    with Store(tmp_path / "cache") as store:
        record = run_relevance(request, store, Execution(device="cpu")).classes["box"]
    np.testing.assert_allclose(turn.change, record.arrays["change"], rtol=1e-9)
    np.testing.assert_allclose(turn.total - turn.change, record.arrays["gap"], atol=1e-9)
    np.testing.assert_array_equal(turn.points, record.arrays["points"])
    assert turn.within(0.05) == pytest.approx(1 - float(record.flagged.mean()))


def test_the_share_of_pairs_within() -> None:
    change = np.array([[1.0, -1.0], [0.001, 0.0]])  # below 0.01, a residual is relative to 0.01
    gap = np.array([[0.05, -0.06], [0.0004, -0.0004]])
    turn = Turn(16, 1.0, change + gap, change, np.full((2, 2), 16.0))
    assert turn.within(0.051) == 0.75
    assert turn.within(0.041) == 0.5
    assert turn.within(0.061) == 1


class Reaching:
    """Stands in for images on which captum needs so many points; every turn takes as long as its points."""

    def __init__(self, enough: int) -> None:
        self.enough, self.asked = enough, []

    def captum(self, steps: int) -> Turn:
        self.asked.append(steps)
        gap = np.zeros((10, 2))
        gap[: 1 if steps >= self.enough else 2, 0] = 1  # 19 of 20 pairs are just enough
        return Turn(steps, float(steps), 1 + gap, np.ones((10, 2)), np.full((10, 2), float(steps)))


@pytest.mark.parametrize(
    ("enough", "tried", "found"),
    [(16, [], 16), (60, [32, 64], 64), (256, [32, 64, 128, 256], 256), (1000, [32, 64, 128, 256], 256)],
)
def test_captum_gets_the_fewest_points_that_reach_five_percent(
    enough: int, tried: list[int], found: int
) -> None:
    bench = Reaching(enough)
    first_turn = bench.captum(16)
    bench.asked.clear()
    turns = relevance_bench._searched(bench, first_turn, lambda *_: None)  # type: ignore[arg-type]
    assert bench.asked == tried
    assert turns[-1].steps == found
    assert (turns[-1].within(0.05) >= relevance_bench.ENOUGH) is (enough <= 256)


def test_it_says_which_side_stays_above_five_percent(environment: Path, objects: Path) -> None:
    bench, theirs, ours = in_memory(objects, "box"), Reaching(1000).captum(256), Reaching(0).captum(20)
    plan = relevance_bench.Plan(NETWORK, str(objects), "box", 6, 1)

    def said(adaptive: Turn, captum: Turn) -> str:
        found = relevance_bench._Found([ours], [theirs], [theirs], [adaptive], [captum], {"256": 0.9})
        numbers = relevance_bench._report(bench, found)
        assert numbers["captum_reaches_5pct"] is (captum is ours)
        return " ".join(relevance_bench.remarks(plan, bench, numbers))

    assert "captum fails with 256 points too" in said(ours, theirs)
    assert "Ours stays below" not in said(ours, theirs)
    assert "captum fails" not in said(theirs, ours)
    assert "Ours stays below 95%" in said(theirs, ours)


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_the_images(
    command: Command, objects: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = []

    def listed_and_weighed(root: Path, names: list[str], network: str, class_name: str) -> tuple[Peak, Peak]:
        asked_for.append((root, len(names), network, class_name))
        return weigh(root, names, network, class_name)

    weigh = relevance_bench.peaks
    monkeypatch.setattr(relevance_bench, "peaks", listed_and_weighed)
    done = command(
        "bench", "relevance", "--network", NETWORK, "--dataset", objects, "--class", "box", "--images", 6,
        "--repeats", 1, "--memory-images", 5, "--json", tmp_path / "times.json",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    numbers = json.loads((tmp_path / "times.json").read_text())
    assert asked_for == [(objects, 5, NETWORK, "box")]
    assert numbers["memory_images"] == 5
    assert 0 < numbers["held_mb"] <= numbers["peak_mb"]
    assert numbers["peak_mb_10x"] < 1.1 * numbers["peak_mb"]
    assert "Peak memory of a run over all layers" in " ".join(done.out.split())


@pytest.mark.parametrize("classes", [True, False])
def test_some_images_of_a_class_listed_several_times(objects: Path, tmp_path: Path, classes: bool) -> None:
    root = objects if classes else write_objects(tmp_path / "objects")
    if not classes:
        (root / "classes.csv").unlink()
    whole = datasets.open_dataset(root)
    names = [record.image for record in whole.records[2:5]]
    named(root, tmp_path / "ten", names, 10)
    long = datasets.open_dataset(tmp_path / "ten")
    assert [record.image for record in long.records] == names * 10
    np.testing.assert_array_equal(long.read_image(4), whole.read_image(3))
    if classes:
        assert len(read_classes(long).images("all")) == 30


def test_the_first_class_with_enough_images(environment: Path, tmp_path: Path) -> None:
    root = write_objects(tmp_path / "objects")
    table = (root / "classes.csv").read_text().splitlines()
    gone = next(row for row in table if row.endswith(",ball"))
    (root / "classes.csv").write_text("\n".join(row for row in table if row != gone) + "\n")
    assert in_memory(root, images=6).class_name == "box"
    assert in_memory(root, images=5).class_name == "ball"
    assert in_memory(root, images=9).class_name == "box"  # none has nine; it has the most


def test_without_captum_it_says_what_to_install(
    command: Command, objects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("relevance_bench", "relevance_timing", "captum_loop"):
        monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)
    for name in ("captum", "captum.attr"):
        monkeypatch.setitem(sys.modules, name, None)
    done = command("bench", "relevance", "--network", NETWORK, "--dataset", objects)
    assert done.status == 2
    assert done.line == (
        "Error: captum, which the attributions are timed against, is not installed: "
        "pip install -r requirements-dev.txt."
    )


def test_a_network_that_captum_cannot_hook(command: Command, objects: Path) -> None:
    done = command(
        "bench", "relevance", "--network", "tests.analyses.related:untraceable", "--dataset", objects
    )
    assert done.status == 2
    assert "cannot be traced" in done.line
    assert "time another one" in done.line


ABLATED = "tests.analyses.ablated:network"


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Pictures of three classes, two batches and a bit to evaluate."""
    return write_noise(tmp_path / "noise")


@pytest.mark.thorough
def test_the_numbers_of_the_contract_for_ablation(
    command: Command, environment: Path, noise: Path, tmp_path: Path
) -> None:
    given = ("bench", "ablation", "--network", ABLATED, "--dataset", noise, "--repeats", 2)
    done = command(*given, "--json", tmp_path / "times.json")
    assert (done.status, done.err) == (0, "")
    numbers = json.loads((tmp_path / "times.json").read_text())
    ms = numbers["ms"]
    for factor, above, below in (
        ("over_naive", "naive", "whole"),
        ("over_naive_last_layer", "naive", "last_layer"),
        ("first_over_whole", "first", "whole"),
        ("first_over_naive", "naive", "first"),
    ):
        assert numbers[factor] == pytest.approx(ms[above] / ms[below])
    assert numbers["equal_answers"] is True
    assert (numbers["images"], numbers["layers"], numbers["silenced"]) == (31, 3, 3)
    assert numbers["first_images"] in (16, 31)
    assert len(numbers["over_naive_runs"]) == 2
    assert numbers["grid_over_naive"] is ms["grid"] is numbers["p95_ms"] is None
    assert numbers["first_estimate_ms"] == ms["first"]
    assert "No grid of" in done.out
    with Store(environment / "cache") as store:
        plant_relevance(planned(noise, store))
        run_ablation(AblationRequest(ABLATED, str(noise), ("ball",)), store, Execution(device="cpu"))
    assert command(*given, "--json", tmp_path / "times.json").status == 0
    numbers = json.loads((tmp_path / "times.json").read_text())
    assert numbers["grid_over_naive"] == pytest.approx(numbers["ms"]["naive"] / numbers["ms"]["grid"])
    assert numbers["p50_ms"] == pytest.approx(numbers["ms"]["grid"])
    assert numbers["p95_ms"] >= numbers["p50_ms"]


def test_ablations_are_timed_on_equal_terms(environment: Path, noise: Path, tmp_path: Path) -> None:
    """Naive and ours silence the same units on the same images; every seed picks others."""
    with Store(tmp_path / "empty") as store:
        bench = ablation_bench.Bench.prepared(ablation_bench.Plan(ABLATED, str(noise), 1), store, Reporter())
        settings = [bench.picked(seed, bench.plan.inner) for seed in range(5)]
        assert len(set(settings)) > 1
        ablator = Ablator(bench.plan)
        turns = [bench.ours(ablator, setting) for setting in settings[:2]]
        naive = [bench.naive(setting) for setting in settings[:2]]
        for ours, theirs in zip(turns, naive, strict=True):
            assert ablation_bench._equal(ours.answers, theirs.answers)
            assert 0 < ours.first <= ours.whole
        assert not ablation_bench._equal(turns[0].answers, turns[1].answers)
        layers = {layer for layer, _ in bench.picked(0, bench.plan.inner[-1:]).units}
        assert layers == {bench.plan.inner[-1]}


@pytest.mark.skipif(sys.platform != "linux", reason="what sockets carry is asked of Linux")
def test_what_a_scheduler_carries_is_counted_byte_by_byte() -> None:
    """Also of connections that are closed before the end, and of no other port."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_server(("127.0.0.1", 0)) as other,
        workers_bench.listening(server.getsockname()[1]) as heard,
    ):
        for port, size in ((server, 1000), (other, 5000), (server, 300)):
            with socket.create_connection(port.getsockname()) as client, port.accept()[0] as accepted:
                client.sendall(b"a" * size)
                left = size
                while left:
                    left -= len(accepted.recv(left))
                accepted.sendall(b"b" * 7)
                left = 7
                while left:
                    left -= len(client.recv(left))
                end = time.monotonic() + 10
                while heard() % 1000 not in (7, 314) and time.monotonic() < end:
                    time.sleep(0.01)
        assert heard() == 1000 + 300 + 2 * 7


@pytest.mark.slow
def test_the_numbers_of_the_contract_for_workers(planted: Planted, tmp_path: Path) -> None:
    """In a process of its own: Dask's workers and loops belong to it."""
    asked = ("--network", SMALL, "--dataset", str(planted.root), "--images", "10", "--repeats", "1")
    subprocess.run(
        [sys.executable, "-m", "interpret_core", "bench", "workers", *asked, "--json", "times.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    numbers = json.loads((tmp_path / "times.json").read_text())
    assert list(numbers)[:2] == ["one_over_two", "scheduler_bytes_an_image"]
    seconds = {name: runs[0] for name, runs in numbers["seconds"].items()}
    assert numbers["one_over_two"] == pytest.approx(seconds["1"] / seconds["2"])
    assert numbers["images"] == 10
    assert numbers["heartbeat_bytes_a_second"] > 0
