"""Estimates against runs: processor time, bytes and amounts; what is there already costs nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interpret_core import datasets, networks
from interpret_core.analyses import registry
from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.paces import LEAST, MOST, Measured, Pace, line
from interpret_core.analyses.estimate.request import ANALYSES, EstimateRequest
from interpret_core.analyses.estimate.result import MEASURED, THERE, AnalysisCost, Estimated, shared
from interpret_core.analyses.estimate.timeline import TimedStep, Timeline
from interpret_core.analyses.estimate.witness import Witness
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.errors import Cancelled, DatasetError, ParameterError
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import lent
from interpret_core.store.store import Store
from tests.analyses.ablated import NETWORK, write_noise
from tests.analyses.runs import MIXED
from tests.planted_dataset import Planted, make_planted

BATCH = 8


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """So many images that a sample is a part of them."""
    return make_planted(tmp_path_factory.mktemp("many"), images=96, size=112, annotation=112)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise(tmp_path_factory.mktemp("noise") / "data")


def estimated(store: Store, root: Path, network: str = MIXED, **changes: Any) -> Estimated:
    values: dict[str, Any] = {"analyses": ("survey", "profile"), "batch_size": BATCH, "seconds": 20}
    return registry.compute(EstimateRequest(network, str(root), **(values | changes)), store)


def of(found: Estimated, name: str) -> AnalysisCost:
    return next(cost for cost in found.costs if cost.analysis == name)


def parts(cost: AnalysisCost) -> dict[str, Pace]:
    return {part.part: part.pace for part in cost.parts}


@pytest.mark.thorough
def test_a_profile_takes_what_is_estimated(many: Planted, store: Store, tmp_path: Path) -> None:
    cost = of(estimated(store, many.root), "profile")
    assert cost.state == MEASURED
    assert list(parts(cost)) == ["loading", "thresholds", "IoU", "masks", "chance", "assessment", "rest"]
    request, witness = ProfileRequest(MIXED, str(many.root), batch_size=BATCH), Witness()
    other = Store(tmp_path / "other")
    registry.compute(SurveyRequest(str(many.root)), other)
    with lent(MIXED, networks.load(MIXED)):
        used = time.process_time()
        registry.compute(request, other, Execution("cpu", witness))
        used = time.process_time() - used
    loading = parts(cost)["loading"].processor
    assert 1 / 2.5 < (cost.pace.processor - loading) / used < 2.5
    shards = sum(one.bytes for one in witness.passes)
    assert 0.7 < cost.bytes.temporary / shards < 1.4
    kinds = ("profile", "chance", "assessment", "masks", "largest", "thresholds")
    kept = sum(size.bytes for kind, size in other.usage().items() if kind in kinds)
    assert 0.7 < cost.bytes.disk / kept < 1.4


@pytest.fixture(scope="module")
def measured(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that knows the paces, and nothing else."""
    store = Store(tmp_path_factory.mktemp("measured"))
    estimated(store, planted.root)
    return store


@pytest.mark.thorough
def test_another_size_is_a_matter_of_arithmetic(
    planted: Planted, measured: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interpret_core.analyses.estimate.trials.Sampling.run", _never)
    small, large = (of(estimated(measured, planted.root, images=n), "profile") for n in (1000, 63_000))
    times = {name: parts(large)[name].middle / pace.middle for name, pace in parts(small).items()}
    assert 4 <= times["IoU"] < 130, "63 times as many images, decoded again at most, in 4 times the shards"
    wider, widest = (
        parts(of(estimated(measured, planted.root, images=n), "profile"))["IoU"].middle
        for n in (126_000, 189_000)
    )
    assert widest - wider == pytest.approx(wider - parts(large)["IoU"].middle), "no more shards than 64"
    assert times["chance"] <= 2.01, "at most 2,000 images are sampled"
    half = of(estimated(measured, planted.root, images=1000, permutations=50), "profile")
    assert parts(half)["chance"].middle == pytest.approx(parts(small)["chance"].middle * 51 / 101)
    wide = of(estimated(measured, planted.root, images=1000, concepts=1197), "profile")
    for name in ("memory", "disk", "temporary"):
        assert getattr(wide.bytes, name) > getattr(small.bytes, name)
        assert getattr(large.bytes, name) > getattr(small.bytes, name)


def _never(*_: Any) -> None:
    raise AssertionError("a sample was measured again")


@pytest.mark.thorough
def test_only_what_is_missing_counts(
    planted: Planted, measured: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = of(estimated(measured, planted.root), "profile")
    request = ProfileRequest(MIXED, str(planted.root), batch_size=BATCH, permutations=5)
    registry.compute(request, measured)
    rest = of(estimated(measured, planted.root), "profile")
    assert set(parts(rest)) <= {"loading", "masks", "chance", "rest"}
    assert parts(rest)["chance"].middle > 0
    assert rest.bytes.disk < whole.bytes.disk
    monkeypatch.setattr("interpret_core.analyses.estimate.trials.Sampling.run", _never)
    there = estimated(measured, planted.root, permutations=5)
    assert [cost.state for cost in there.costs] == [THERE, THERE]
    other = of(estimated(measured, planted.root, images=40), "profile")
    assert other.state == MEASURED, "another data set has nothing in the store"


@pytest.mark.thorough
def test_workers_share_the_passes(planted: Planted, store: Store) -> None:
    four = Extent(100, 10, 1.0, 4, 4)
    assert shared(Pace(8.0, 6.0, 9.0, 16.0), four) == Pace(8 / 3.52, 1.5, 3.0, 16.0)
    assert shared(Pace(8.0), replace(four, workers=1)) == Pace(8.0)
    found = of(estimated(store, planted.root, workers=4, analyses=("survey",), seconds=1), "survey")
    assert (found.state, found.bytes.traffic) == (MEASURED, found.bytes.temporary)


@pytest.mark.thorough
def test_all_analyses_of_a_data_set_with_classes(noise: Path, store: Store) -> None:
    found = estimated(store, noise, NETWORK, analyses="all", seconds=2)
    assert [cost.analysis for cost in found.costs] == list(ANALYSES)
    assert {cost.state for cost in found.costs} == {MEASURED}
    assert all(0 < cost.pace.low < cost.pace.middle < cost.pace.high for cost in found.costs)
    assert of(found, "image-labels").amount == "66 units on 46 images"
    assert of(found, "relevance").amount == "15 images of 3 classes"
    assert of(found, "ablation").amount == "67 settings on 31 images"
    assert of(found, "effects").amount == "66 units on 31 images"
    assert of(found, "evaluation").amount == "31 images of 3 classes"
    rows = list(registry.find("estimate").load().rows(found))
    assert [row["analysis"] for row in rows if row["part"] == "all"] == list(ANALYSES)
    twice = estimated(store, noise, NETWORK, analyses=("effects",), images=2 * len(_open(noise)))
    ratio = parts(of(twice, "effects"))["silencing"].middle / parts(of(found, "effects"))["silencing"].middle
    assert ratio == pytest.approx(2)


def _open(root: Path) -> datasets.Dataset:
    return datasets.open_dataset(str(root))


def test_what_cannot_be_computed_says_why(planted: Planted, store: Store) -> None:
    cost = of(estimated(store, planted.root, analyses=("relevance",)), "relevance")
    assert cost.state not in (MEASURED, THERE)
    assert [row["seconds"] for row in cost.rows()] == [None]


@pytest.mark.thorough
def test_it_can_be_stopped(planted: Planted, store: Store) -> None:
    request = EstimateRequest(MIXED, str(planted.root), ("profile",))
    stages: list[str] = []
    how = Execution("cpu", tell=lambda stage, *_: stages.append(stage), cancelled=lambda: len(stages) > 4)
    with pytest.raises(Cancelled):
        registry.compute(request, store, how)
    assert any(stage.startswith("measuring a sample") for stage in stages)
    assert not store.json_keys("sample/")


@pytest.mark.parametrize(
    "wrong", [{"images": 0}, {"workers": 0}, {"analyses": ("agreement",)}, {"seconds": 0}]
)
def test_wrong_requests(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        EstimateRequest("a", "b", **wrong)


def test_an_excerpt_is_a_data_set_of_its_own(noise: Path) -> None:
    whole = _open(noise)
    with datasets.excerpt(whole, [0, 3, 7]) as name:
        some = datasets.open_dataset(name)
        assert [record.image for record in some.records] == [whole.records[i].image for i in (0, 3, 7)]
        assert some.digest != whole.digest
        assert (some.read_image(1) == whole.read_image(3)).all()
        assert len(datasets.read_classes(some).of_image) == 3
    with pytest.raises(DatasetError):
        datasets.open_dataset(name)


def test_two_sizes_tell_what_is_always_there() -> None:
    once, each = line((8, Pace(30.0, 30.0, 30.0, 2.0)), (24, Pace(8.0, 8.0, 8.0, 4.0)))
    assert (once.processor, each.processor) == (pytest.approx(1.0), pytest.approx(0.125))
    assert (once.middle, each.middle) == (pytest.approx(2.0), pytest.approx(0.25)), "whoever else was at work"
    once, each = line((8, Pace(4.0)), (24, Pace(8.0)))
    assert (once.middle, each.middle) == (pytest.approx(2.0), pytest.approx(0.25))
    once, each = line((8, Pace(5.0)), (24, Pace(4.0)), least=0.6)
    assert (once.middle, each.middle) == (pytest.approx(1.6), pytest.approx(0.1)), "steps never cost nothing"


def test_paces_and_their_intervals() -> None:
    steps = [TimedStep("a", 2, wall, wall / 2) for wall in (2.0, 4.0, 9.0)]
    pace = Pace.of(steps)
    assert (pace.middle, pace.low, pace.high, pace.processor) == (2.0, 1.0, 4.5, 1.25)
    assert replace(pace, low=2.0, high=2.0).widened() == Pace(2.0, 2 * LEAST, 2 * MOST, 1.25)
    measured = Measured(3, 4, {"a": pace}, {"b": 5.0})
    assert Measured.from_json(measured.to_json()) == measured


def test_a_timeline_counts_what_is_told() -> None:
    line_of = Timeline()
    for stage, done in (("first", 0), ("first", 8), ("first", 12), ("second", 20)):
        line_of.tell(stage, done, 30)
    line_of.tell_part("survey", 16, 16)
    line_of.tell("second", 30, 30)
    assert [(step.stage, step.done) for step in line_of.steps] == [
        ("first", 8),
        ("first", 4),
        ("second", 8),
        ("survey", 16),
        ("second", 10),
    ]
