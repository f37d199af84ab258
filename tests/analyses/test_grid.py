"""The grid: every point against a literal evaluation, resumed, kept apart from other rankings, complete."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from interpret_core import networks
from interpret_core.analyses import registry
from interpret_core.analyses.ablation.grid import (
    CONTROLS,
    Grid,
    class_points,
    control_points,
    find_grid,
    grid_cost,
    grid_keys,
    missing_points,
    run_ablation,
)
from interpret_core.analyses.ablation.means import mean_responses
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.ranking import NotRanked
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.errors import Cancelled, ParameterError, StoreError
from interpret_core.measures.ablation.answers import answer
from interpret_core.measures.ablation.selection import FRACTIONS, SEEDS
from interpret_core.measures.ablation.settings import Setting
from interpret_core.networks import Network
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.silencer import Silencer
from interpret_core.store.store import Store
from tests.analyses.ablated import (
    CLASSES,
    NETWORK,
    chosen,
    elsewhere,
    literal,
    pictures,
    planned,
    plant_relevance,
    write_noise,
)
from tests.reference import evaluation as reference
from tests.slow import thorough_beyond

POINTS = 3 * 2 * 6 + 1 + 5 * 6


@pytest.fixture(scope="module")
def loaded() -> Network:
    return networks.load(NETWORK)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise(tmp_path_factory.mktemp("noise") / "data")


@pytest.fixture
def plan(root: Path, store: Store, loaded: Network) -> AblationPlan:
    found = planned(root, store, loaded)
    plant_relevance(found)
    return found


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Images of every batch that went through the network."""
    batches: list[int] = []
    original = Silencer.evaluate

    def evaluate(self, rows, selection, means):  # type: ignore[no-untyped-def]
        batches.append(len(rows))
        return original(self, rows, selection, means)

    monkeypatch.setattr(Silencer, "evaluate", evaluate)
    return batches


def same(one: Grid, other: Grid, settings: list[Setting]) -> None:
    for setting in settings:
        first, second = one.answers(setting), other.answers(setting)
        assert first is not None
        assert second is not None
        for name, values in first.to_arrays().items():
            np.testing.assert_array_equal(second.to_arrays()[name], values)


def all_points(value: str = "zero") -> list[Setting]:
    return [*control_points(value), *(point for name in CLASSES for point in class_points(name, value))]


@thorough_beyond(1)
@pytest.mark.parametrize("value", ["zero", "mean"])
def test_every_point_equals_a_literal_evaluation(
    root: Path, store: Store, loaded: Network, value: str
) -> None:
    plan = planned(root, store, loaded, value=value)
    scores = plant_relevance(plan)
    grid = run_ablation(plan.request, store)
    assert grid.classes == CLASSES
    assert grid.controls
    batch, labels = pictures(plan), plan.labels
    means = mean_responses(plan) if value == "mean" else {}

    def check(setting: Setting, units: dict[str, tuple[int, ...]]) -> None:
        logits = literal(batch, {name: (each, means.get(name, 0.0)) for name, each in units.items()})
        expected = answer(logits.numpy(), labels, plan.outputs)
        found, counts = grid.answers(setting), grid.evaluation(setting)
        assert found is not None
        assert counts is not None
        assert found.best.tolist() == logits.argmax(1).tolist()
        np.testing.assert_allclose(found.probability, expected.probability, atol=1e-5)
        np.testing.assert_allclose(found.best_probability, expected.best_probability, atol=1e-5)
        outputs = [list(group) for group in plan.outputs]
        assert counts.confusion.tolist() == reference.confusion(logits.tolist(), labels.tolist(), outputs)

    check(Setting(), {})
    for name in CLASSES:
        for direction in ("top", "bottom"):
            for fraction in (0.01, 0.02, 0.03, 0.05, 0.1, 0.2):
                units = chosen(plan, scores[name].astype(float).mean(0), fraction, direction)
                check(Setting("relevance", name, direction, fraction, value=value), units)
    for seed in range(5):
        for fraction in (0.01, 0.1, 0.2):
            orders = [
                np.random.default_rng([seed, layer.index]).permutation(layer.units) for layer in plan.layers
            ]
            units = {
                layer.name: tuple(orders[layer.index][: max(1, math.floor(fraction * layer.units + 0.5))])
                for layer in plan.layers[1:-1]
            }
            check(Setting("random", fraction=fraction, seed=seed, value=value), units)
    assert sum(grid.answers(point) is not None for point in all_points(value)) == POINTS


def test_the_steps_are_those_of_the_method() -> None:
    assert [point.fraction for point in class_points("ball", "zero")] == [*FRACTIONS[1:]] * 2
    assert [point.direction for point in class_points("ball", "zero")] == ["top"] * 6 + ["bottom"] * 6
    assert len(set(all_points())) == POINTS
    assert SEEDS == 5
    assert all(point.layers == "inner" and not point.units for point in all_points())


def test_points_are_found_however_they_are_written(plan: AblationPlan) -> None:
    grid = run_ablation(plan.request, plan.store)
    for written in (
        Setting("relevance", "ball"),
        Setting("random", fraction=0.0, seed=3),
        Setting(value="mean"),
    ):
        assert grid.answers(written) is grid.answers(Setting())
    controls = [grid.answers(Setting("random", of=of, direction=d, fraction=0.1, seed=2))
                for of in ("", "ball", "box") for d in ("top", "bottom")]  # fmt: skip
    assert controls[0] is not None
    assert all(one is controls[0] for one in controls)  # a control belongs to no class
    for other in (
        Setting("relevance", "ball", fraction=0.04),
        Setting("relevance", "ball", fraction=0.1, units=(("conv2", 1),)),
        Setting("relevance", "ball", fraction=0.1, layers="all"),
        Setting("relevance", "ball", fraction=0.1, value="mean"),
        Setting("relevance", "ball", total=3),
        Setting("random", fraction=0.1, seed=5),
        Setting(units=(("conv2", 1),)),
    ):
        assert grid.answers(other) is None
        assert grid.evaluation(other) is None
    spread = grid.random(0.1)
    assert len(spread) == 5
    assert len({one.probability_sum.tobytes() for one in spread}) == 5
    assert {one.probability_sum.tobytes() for one in grid.random(0.0)} == {
        grid.evaluation(Setting()).probability_sum.tobytes()  # type: ignore[union-attr]
    }


def different_units(plan: AblationPlan, points: list[Setting]) -> int:
    """How many of the points silence other units than all the others."""
    return len({tuple(sorted(plan.selection(point).items())) for point in points})


@pytest.mark.thorough
def test_a_run_that_was_cut_off_goes_on_and_gives_the_same(
    plan: AblationPlan, tmp_path: Path, evaluated: list[int]
) -> None:
    whole_plan = elsewhere(plan, Store(tmp_path / "other"))
    plant_relevance(whole_plan)
    whole = run_ablation(plan.request, whole_plan.store)
    by_class = [different_units(plan, class_points(name, "zero")) for name in CLASSES]
    needed = 31 * (different_units(plan, control_points("zero")) + sum(by_class))
    assert sum(evaluated) == needed < 31 * POINTS  # equal units are evaluated once
    evaluated.clear()
    told: list[tuple[str, int, int]] = []

    def tell(*now: object) -> None:
        told.append(now)  # type: ignore[arg-type]

    # in the middle of box's second batch, of 15 images, whose first setting is done
    stop = 31 * (31 + 12) + 12 * 16 + 15
    with pytest.raises(Cancelled):
        run_ablation(
            plan.request, plan.store, Execution(tell=tell, cancelled=lambda: told[-1][1:2] >= (stop,))
        )
    done = sum(evaluated)
    assert 0 < done < needed
    assert set(missing_points(plan)) == {"box", "moon"}
    cut = find_grid(plan)
    assert (cut.classes, cut.controls) == (("ball",), True)
    assert cut.answers(Setting("relevance", "box", fraction=0.01)) is None
    assert len(plan.store.keys("partial/")) == 1  # box's first batch
    evaluated.clear()
    told.clear()
    grid = run_ablation(plan.request, plan.store, Execution(tell=tell))
    lost = done + sum(evaluated) - needed
    assert 15 <= lost <= 15 * by_class[1]  # what was done of the batch that was under way
    same(grid, whole, all_points())
    assert told[-1][1] == told[-1][2] == 31 * 24
    assert plan.store.keys("partial/") == []
    evaluated.clear()
    same(run_ablation(plan.request, plan.store), whole, all_points())
    assert evaluated == []


def test_a_full_disk_loses_no_finished_part(
    plan: AblationPlan, evaluated: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Store.put

    def put(self: Store, key: str, record: object) -> None:
        if key.startswith("ablation/"):
            raise StoreError("The disk is full: make room.")
        original(self, key, record)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "put", put)
    with pytest.raises(StoreError):
        run_ablation(plan.request, plan.store)
    monkeypatch.setattr(Store, "put", original)
    done = sum(evaluated)
    run_ablation(plan.request, plan.store)
    assert sum(evaluated) == done + 31 * sum(different_units(plan, class_points(n, "zero")) for n in CLASSES)


def test_what_is_missing_and_what_it_costs(plan: AblationPlan) -> None:
    assert list(missing_points(plan)) == [CONTROLS, *CLASSES]
    assert grid_cost(plan).words == f"takes {POINTS} settings on 31 images"
    only = planned(plan.dataset.root, plan.store, plan.network, classes=("box",))
    assert list(missing_points(only)) == [CONTROLS, "box"]
    grid = run_ablation(only.request, plan.store)
    assert grid.classes == ("box",)
    assert list(missing_points(plan)) == ["ball", "moon"]
    assert missing_points(only) == {}
    assert grid_cost(only).words == ""
    assert grid_cost(plan).words == "takes 24 settings on 31 images"
    for name, key in grid_keys(plan).items():
        assert plan.store.has(key) == (name in ("", "box"))


def test_the_key_holds_what_changes_the_answer(root: Path, store: Store, loaded: Network) -> None:
    plain = grid_keys(planned(root, store, loaded))
    assert len(set(plain.values())) == 4
    assert grid_keys(planned(root, store, loaded, classes=("moon", "ball"))) == {
        name: plain[name] for name in ("", "ball", "moon")
    }
    ranking = [
        {"method": "conductance"},
        {"baseline": "blur"},
        {"output": "logit"},
        {"images": 2},
        {"ranked_on": "all"},
    ]
    for changes in ranking:  # another ranking: other points, the same controls
        found = grid_keys(planned(root, store, loaded, **changes))
        assert found[CONTROLS] == plain[CONTROLS]
        assert not {found[name] for name in CLASSES} & set(plain.values())
    for changes in ({"split": "all"}, {"split": "train"}, {"value": "mean"}):
        assert not set(grid_keys(planned(root, store, loaded, **changes)).values()) & set(plain.values())


def test_means_of_other_images_are_other_points(root: Path, store: Store, loaded: Network) -> None:
    """box has 5 ranking images whether 5 or 6 are asked for, but ball's sixth moves the mean."""
    five, six = (planned(root, store, loaded, images=n, value="mean") for n in (5, 6))
    assert five.ranking.keys["box"] == six.ranking.keys["box"]
    assert grid_keys(five)["box"] != grid_keys(six)["box"]
    assert grid_keys(five)[CONTROLS] != grid_keys(six)[CONTROLS]
    zero = [grid_keys(planned(root, store, loaded, images=n)) for n in (5, 6)]
    assert zero[0]["box"] == zero[1]["box"]
    assert zero[0][CONTROLS] == zero[1][CONTROLS]


@pytest.mark.thorough
def test_points_of_another_ranking_are_not_taken(root: Path, store: Store, loaded: Network) -> None:
    first, second = planned(root, store, loaded), planned(root, store, loaded, images=2)
    plant_relevance(first)
    plant_relevance(second)
    one = run_ablation(first.request, store)
    before = find_grid(second)
    assert (before.classes, before.controls) == ((), True)
    two = run_ablation(second.request, store)
    scores = plant_relevance(second)["ball"].astype(float).mean(0)
    setting = Setting("relevance", "ball", "top", 0.2)
    expected = literal(
        pictures(second), {name: (units, 0.0) for name, units in chosen(second, scores, 0.2).items()}
    )
    found = two.answers(setting)
    assert found is not None
    assert found.best.tolist() == expected.argmax(1).tolist()
    assert (one.answers(setting).probability != found.probability).any()  # type: ignore[union-attr]


def test_where_images_rank_and_are_evaluated_each_is_left_out(
    root: Path, store: Store, loaded: Network
) -> None:
    plan = planned(root, store, loaded, split="all", classes=("ball",))
    scores = plant_relevance(plan)["ball"]
    grid = run_ablation(plan.request, store)
    found = grid.answers(Setting("relevance", "ball", "top", 0.1))
    assert found is not None
    ranking = plan.ranking.images["ball"]
    for row, index in enumerate(plan.images.tolist()):
        units = chosen(plan, scores[ranking != index].astype(float).mean(0), 0.1)
        logits = literal(pictures(plan, np.array([row])), {name: (each, 0.0) for name, each in units.items()})
        expected = answer(logits.numpy(), plan.labels[[row]], plan.outputs)
        assert found.best[row] == expected.best[0]
        assert found.probability[row] == pytest.approx(expected.probability[0], abs=1e-5)


def test_a_class_that_cannot_be_ranked_does_not_stop_the_others(
    tmp_path: Path, store: Store, loaded: Network
) -> None:
    root = write_noise(tmp_path / "data", {"ball": (4, 3), "box": (1, 0), "moon": (0, 4)})
    plan = planned(root, store, loaded)
    plant_relevance(plan, ("ball", "box"))
    grid = run_ablation(plan.request, store)
    assert (grid.classes, grid.controls) == (("ball",), True)
    assert missing_points(plan) == {}
    with pytest.raises(ParameterError, match="'box' has a single ranking image"):
        run_ablation(planned(root, store, loaded, classes=("ball", "box")).request, store)
    with pytest.raises(ParameterError, match="'moon' has no image in split 'train'"):
        run_ablation(planned(root, store, loaded, classes="moon").request, store)


def test_nothing_is_computed_before_all_rankings_are_there(
    root: Path, store: Store, loaded: Network, evaluated: list[int]
) -> None:
    plan = planned(root, store, loaded)
    plant_relevance(plan, ("ball", "box"))
    with pytest.raises(NotRanked, match="relevance of 'moon'"):
        run_ablation(plan.request, store)
    assert evaluated == []


@pytest.mark.thorough
def test_what_is_needed_first_is_told_as_a_part(root: Path, store: Store, loaded: Network) -> None:
    """Its end is not the end of all: nobody knows yet how long the rest takes."""
    plan = planned(root, store, loaded, classes=("ball",), images=2)
    whole: list[tuple[str, int, int]] = []
    part: list[tuple[str, int, int]] = []
    asked = Execution(tell=lambda *now: whole.append(now), tell_part=lambda *now: part.append(now))
    registry.compute(plan.request, store, asked)
    ranking = 2 * len(loaded.layers)
    assert part[-1][1:] == (ranking, ranking), "two images in every layer, for the ranking"
    counted = [now for now in whole if now[2]]
    assert {(stage, total) for stage, _, total in counted} == {("controls", 43 * 31), ("ball", 43 * 31)}
    assert counted[-1][1] == 43 * 31


def test_from_pictures_to_a_grid_as_a_job(root: Path, store: Store, loaded: Network) -> None:
    """With the relevance as it is computed, not planted."""
    plan = planned(root, store, loaded, classes=("ball",), images=2)
    related = run_relevance(plan.request.relevance(), store).classes["ball"]
    told: list[tuple[str, int, int]] = []
    registry.compute(plan.request, store, Execution(tell=lambda *now: told.append(now)))
    assert {stage for stage, _, _ in told} == {"reading the data set's digest", "controls", "ball"}
    assert told[-1][1] == told[-1][2] == 43 * 31
    found = find_grid(plan).answers(Setting("relevance", "ball", "bottom", 0.2))
    assert found is not None
    means = np.concatenate([related.layer(layer.name).relevance for layer in plan.layers])
    units = chosen(plan, means, 0.2, "bottom")
    logits = literal(pictures(plan), {name: (each, 0.0) for name, each in units.items()})
    assert found.best.tolist() == logits.argmax(1).tolist()
