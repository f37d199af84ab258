"""Units silenced: against the same network written out, shared by threads, broken off half-way, failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret_core import networks
from interpret_core.analyses.ablation.ablator import Ablator
from interpret_core.analyses.ablation.means import mean_responses
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.errors import DatasetError, NonFiniteError
from interpret_core.measures.ablation.answers import Answers, answer
from interpret_core.measures.ablation.settings import Setting
from interpret_core.networks import Network, Silence
from interpret_core.runtime import silenced
from interpret_core.store.store import Store
from tests.analyses import ablated
from tests.analyses.ablated import (
    LINEAR,
    MIXED,
    NETWORK,
    SPLITS,
    chosen,
    elsewhere,
    literal,
    pictures,
    planned,
    plant_relevance,
    write_noise,
)
from tests.networks.samples import tensors_digest
from tests.planted_classes import Picture, write_pictures
from tests.slow import thorough_beyond


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


class Counted(Ablator):
    """Notes how many images each batch has."""

    def __init__(self, plan: AblationPlan, **changes: int) -> None:
        super().__init__(plan, **changes)
        self.batches: list[int] = []

    def evaluate(self, rows, selection, means):  # type: ignore[no-untyped-def]
        self.batches.append(len(rows))
        return super().evaluate(rows, selection, means)


@pytest.fixture
def prefixes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Layers of the runs that were halted."""
    made: list[str] = []
    original = Network.prefix

    def prefix(self: Network, images: torch.Tensor, layer: str) -> object:
        made.append(layer)
        return original(self, images, layer)

    monkeypatch.setattr(Network, "prefix", prefix)
    return made


def equal(found: Answers, expected: Answers) -> None:
    for name, values in expected.to_arrays().items():
        np.testing.assert_array_equal(found.to_arrays()[name], values)


def alike(found: Answers, logits: torch.Tensor, plan: AblationPlan) -> None:
    """The same predictions, probabilities to 1e-5."""
    expected = answer(logits.numpy(), plan.labels, plan.outputs)
    np.testing.assert_array_equal(found.best, expected.best)
    np.testing.assert_allclose(found.best_probability, expected.best_probability, atol=1e-5)
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-5)


def state(network: Network) -> tuple[object, ...]:
    """All that an ablation could leave behind in a shared network: bits, modes, hooks."""
    found: list[object] = []
    for module in (network._runner._usual._graph.module, network._resumer._module):  # type: ignore[attr-defined]
        parts = list(module.modules())
        hooks = [(m._forward_hooks, m._forward_pre_hooks, m._backward_hooks) for m in parts]
        assert not any(any(each) for each in hooks)
        found += [tensors_digest(module), tuple(part.training for part in parts)]
    return tuple(found)


@pytest.mark.parametrize("name", ["network", "untraceable"])
def test_ablating_nothing_changes_no_bit(root: Path, store: Store, name: str) -> None:
    plan = planned(root, store, network=f"tests.analyses.ablated:{name}")
    network, batch = plan.network, pictures(plan)
    module = getattr(ablated, name)().module
    with torch.no_grad():
        intact = module(batch.clone())
    nothing = Silence([])
    with network.ablating({}) as run, network.ablating({"conv2": nothing, "conv5": nothing}) as empty:
        assert torch.equal(run(batch.clone()), intact)
        for layer in network.layers:
            prefix = network.prefix(batch.clone(), layer.name)
            for _ in range(2):
                assert torch.equal(run(prefix), intact)
            assert torch.equal(empty(prefix), intact) or layer.name != "conv1"
    ablator = Ablator(plan)
    for setting in (Setting(), Setting("random"), Setting("relevance", "ball"), Setting(value="mean")):
        found = ablator.answers(setting)
        alike(found, intact, plan)
        assert len(plan.store.keys("answers/")) == 1  # nothing silenced is nothing silenced
    rows = np.arange(16)
    with torch.no_grad():
        part = module(pictures(plan, rows))
    equal(ablator.evaluate(rows, {}, {}), answer(part.numpy(), plan.labels[rows], plan.outputs))


def test_a_layer_without_units_is_a_layer_of_zeros(plan: AblationPlan) -> None:
    """Also of the residual branch: the sum keeps what came around it."""
    ablator = Ablator(plan)
    batch = pictures(plan)
    seen = []
    for layer in plan.layers:
        every = tuple(range(layer.units))
        setting = Setting(units=tuple((layer.name, unit) for unit in every))
        expected = literal(batch, {layer.name: (every, 0.0)})
        alike(ablator.answers(setting), expected, plan)
        seen.append(expected)
    module = ablated.network().module
    with torch.no_grad():  # conv3's branch gone: the block hands on its input
        x = module.bn2(module.conv2(module.conv1(batch).relu())).relu()
        x = module.conv5(module.conv4(x).relu()).relu()
        torch.testing.assert_close(seen[2], module.fc(x.mean((2, 3))))
    assert (seen[4] == seen[4][0]).all()  # nothing is left of the picture


@thorough_beyond(2)
@pytest.mark.parametrize("value", ["zero", "mean"])
@pytest.mark.parametrize("direction", ["top", "bottom"])
def test_units_of_several_layers_against_the_network_written_out(
    plan: AblationPlan, value: str, direction: str
) -> None:
    scores = plant_relevance(plan)["ball"].astype(float).mean(0)
    units = chosen(plan, scores, 0.2, direction) | {"conv1": (5,)}
    means = mean_responses(plan) if value == "mean" else dict.fromkeys(units, 0.0)
    expected = literal(pictures(plan), {name: (each, means[name]) for name, each in units.items()})
    setting = Setting("relevance", "ball", direction, 0.2, units=(("conv1", 5),), value=value)
    alike(Ablator(plan).answers(setting), expected, plan)
    assert (expected.argmax(1) != literal(pictures(plan)).argmax(1)).any()


def test_the_mean_is_over_ranking_images_and_positions(plan: AblationPlan) -> None:
    module = ablated.network().module
    images = [index for name in SPLITS for index in plan.ranking.images[name].tolist()]
    assert len(images) == sum(rank for rank, _ in SPLITS.values())
    batch = plan.network.preprocessing.batch([plan.dataset.read_image(index) for index in images])
    with torch.no_grad():
        first = module.conv1(batch).relu()
        second = module.bn2(module.conv2(first)).relu()
        third = module.bn3(module.conv3(second))
        fourth = module.conv4((third + second).relu()).relu()
        fifth = module.conv5(fourth).relu()
    found = mean_responses(plan)
    for name, response in zip(found, (first, second, third, fourth, fifth), strict=True):
        values = response.double().permute(1, 0, 2, 3).flatten(1).mean(1).numpy()
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6)
    assert (found["conv3"] < 0).any()  # a branch may be negative on average


def test_another_choice_of_ranking_images_has_other_means(
    root: Path, store: Store, loaded: Network, plan: AblationPlan
) -> None:
    setting = Setting(units=(("conv2", 3),), value="mean")
    fewer = planned(root, store, loaded, images=2)
    first, second = Ablator(plan).answers(setting), Ablator(fewer).answers(setting)
    means = mean_responses(fewer)
    alike(second, literal(pictures(plan), {"conv2": ((3,), means["conv2"])}), plan)
    assert (first.probability != second.probability).any()


def test_ranking_images_that_cannot_be_read_are_left_out_of_the_means(
    tmp_path: Path, store: Store, loaded: Network
) -> None:
    splits = {"ball": (4, 1), "box": (3, 2)}
    whole, part = write_noise(tmp_path / "whole", splits), write_noise(tmp_path / "part", splits)
    (part / "images" / "ball-1.png").write_bytes(b"no picture")
    (whole / "classes.csv").write_text((whole / "classes.csv").read_text().replace("ball-1.png,ball\n", ""))
    expected, found = (mean_responses(planned(each, store, loaded)) for each in (whole, part))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-7)
    for name in ("ball-0", "ball-2", "ball-3", "box-0", "box-1", "box-2"):
        (part / "images" / f"{name}.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="None of the 7 ranking images"):
        mean_responses(planned(part, store, loaded))


def test_a_linear_network_loses_exactly_the_arithmetic_amount(tmp_path: Path, store: Store) -> None:
    splits = [Picture(colour, name, split) for split in ("train", "val") for colour, name in (
        ("red", "ball"), ("green", "box"), ("blue", "moon"), ("white", "moon"), ("red", "moon"),
    ) for _ in range(2)]  # fmt: skip
    root = write_pictures(tmp_path / "data", splits)
    plan = planned(root, store, network="tests.analyses.ablated:linear")
    colours = pictures(plan).mean((2, 3))  # each 0 or 1
    ablator = Ablator(plan)
    for units in ((), (3,), (0, 2), (0, 1, 2, 3)):
        lost = sum((colours @ MIXED[unit])[:, None] * LINEAR[:, unit] for unit in units)
        expected = colours @ MIXED.T @ LINEAR.T - lost
        with plan.network.ablating({plan.layers[1].name: Silence(units)}) as run:
            assert torch.equal(run(pictures(plan)), expected)
        setting = Setting(units=tuple((plan.layers[1].name, unit) for unit in units))
        equal(ablator.answers(setting), answer(expected.numpy(), plan.labels, plan.outputs))


def test_estimates_grow_to_the_whole(plan: AblationPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silenced, "BATCH", 4)
    setting = Setting("random", fraction=0.2)
    found = list(Ablator(plan).estimates(setting, pace=0.0))
    assert [len(one.rows) for one in found] == [4, 8, 12, 16, 20, 24, 28, 31]
    assert [one.complete for one in found] == [False] * 7 + [True]
    whole = found[-1].answers
    for one in found:
        assert one.total == 31
        assert one.rows.tolist() == list(range(len(one.rows)))
        equal(one.answers, whole[one.rows])
        seen = np.bincount(plan.labels[one.rows], minlength=3)
        turn = seen.max()
        assert (seen >= np.minimum(plan.population, turn - 1)).all()
    again = list(Ablator(plan).estimates(setting, pace=0.0))  # kept: at once, and all of it
    assert [len(one.rows) for one in again] == [31]
    equal(again[0].answers, whole)
    calm = list(Ablator(plan).estimates(Setting("random", fraction=0.2, seed=1), pace=60.0))
    assert [one.complete for one in calm] == [True]


def test_left_out_images_take_their_turn(
    root: Path, store: Store, loaded: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that are evaluated with a ranking of their own do not wait until all others are done."""
    monkeypatch.setattr(silenced, "BATCH", 4)
    plan = planned(root, store, loaded, split="train")
    plant_relevance(plan)
    setting = Setting("relevance", "ball", fraction=0.2)
    found = list(Ablator(plan).estimates(setting, pace=0.0))
    assert found[-1].complete
    for one in found:
        assert (np.diff(one.rows) > 0).all()
        equal(one.answers, found[-1].answers[one.rows])
    assert all((plan.labels[one.rows] == 0).any() for one in found[1:])
    for part in plan.parts(setting):
        batch = {name: (units, 0.0) for name, units in part.selection.items()}
        logits = literal(pictures(plan, part.rows), batch).numpy()
        expected = answer(logits, plan.labels[part.rows], plan.outputs)
        np.testing.assert_allclose(found[-1].answers[part.rows].probability, expected.probability, atol=1e-5)


def test_two_users_do_not_see_each_other(
    root: Path, store: Store, tmp_path: Path, loaded: Network, plan: AblationPlan
) -> None:
    """One Ablator, other units, the same moment: what each would get alone, bit for bit."""
    settings = [
        Setting(),
        Setting(units=(("conv2", 1), ("conv2", 5), ("conv4", 2))),
        Setting("relevance", "ball", "top", 0.2),
        Setting("relevance", "box", "bottom", 0.2, value="mean"),
        Setting(units=tuple(("conv4", unit) for unit in range(12))),
        Setting("random", fraction=0.2, seed=4, layers="all"),
    ]
    alone = [Ablator(plan).answers(setting) for setting in settings]
    before = state(loaded)
    shared = Counted(elsewhere(plan, Store(tmp_path / "other")), memory=400_000)  # too little for all
    plant_relevance(shared.plan)
    wrong: list[object] = []
    start = threading.Barrier(len(settings))

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(3):
                at = (number + turn) % len(settings)
                parts = shared.plan.parts(settings[at])
                means = mean_responses(shared.plan) if settings[at].value == "mean" else {}
                for rows in (np.arange(16), np.arange(16, 31)):
                    equal(shared.evaluate(rows, parts[0].selection, means), alone[at][rows])
                equal(shared.answers(settings[at]), alone[at])
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(settings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert state(loaded) == before
    assert len({one.probability.tobytes() for one in alone}) == len(settings)
    assert len(shared.batches) >= 36


def test_an_abandoned_computation_stops_and_leaves_nothing(
    plan: AblationPlan, loaded: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silenced, "BATCH", 4)
    intact = Ablator(plan).answers(Setting())
    before, kept = state(loaded), plan.store.keys("answers/")
    ablator = Counted(plan)
    under_way = ablator.estimates(Setting(units=(("conv2", 1), ("conv3", 2))), pace=0.0)
    next(under_way)
    next(under_way)
    under_way.close()  # type: ignore[attr-defined]
    assert ablator.batches == [4, 4]
    assert plan.store.keys("answers/") == kept  # half an answer is none
    assert state(loaded) == before
    for rows in (np.arange(4), np.arange(4, 8)):
        equal(ablator.evaluate(rows, {}, {}), intact[rows])


def test_a_failed_ablation_leaves_nothing(root: Path, store: Store) -> None:
    plan = planned(root, store, network="tests.analyses.ablated:dividing")
    ablator = Ablator(plan)
    intact = ablator.answers(Setting())
    before = state(plan.network)
    all_units = tuple(("conv2", unit) for unit in range(20))
    first = plan.dataset.records[int(plan.images[0])].image
    with pytest.raises(NonFiniteError, match=f"NaN or infinite on image {first}"):
        ablator.answers(Setting(units=all_units))
    assert len(plan.store.keys("answers/")) == 1
    assert state(plan.network) == before
    for start in (0, 16):
        rows = np.arange(start, min(start + 16, 31))
        equal(ablator.evaluate(rows, {}, {}), intact[rows])
    assert ablator.answers(Setting(units=all_units[1:])).best.shape == (31,)


def test_an_untraceable_network_gives_the_same(
    root: Path, store: Store, plan: AblationPlan, tmp_path: Path
) -> None:
    slower = planned(root, Store(tmp_path / "other"), network="tests.analyses.ablated:untraceable")
    assert not slower.network.traced
    ablator = Ablator(slower)
    for units in ({}, {"conv2": (3, 4), "conv4": (0,)}, {"conv5": (1,)}):
        setting = Setting(units=tuple((name, unit) for name, each in units.items() for unit in each))
        expected = literal(pictures(plan) - 0.25, {name: (each, 0.0) for name, each in units.items()})
        alike(ablator.answers(setting), expected, slower)


def run_through(ablator: Ablator, layer: str, value: int = 0) -> Answers:
    return ablator.answers(Setting(units=((layer, value),)))


def test_what_lies_before_the_first_silenced_layer_is_computed_once(
    plan: AblationPlan, prefixes: list[str]
) -> None:
    ablator = Ablator(plan)
    for unit in range(3):
        run_through(ablator, "conv3", unit)
    assert prefixes == ["conv3", "conv3"]  # two batches
    ablator.answers(Setting(units=(("conv3", 5), ("conv5", 1))))
    assert len(prefixes) == 2
    run_through(ablator, "conv4")
    assert prefixes[2:] == ["conv4", "conv4"]


@pytest.mark.thorough
def test_prefixes_stay_within_the_memory(plan: AblationPlan, prefixes: list[str], tmp_path: Path) -> None:
    expected = {layer.name: run_through(Ablator(plan), layer.name) for layer in plan.layers}
    batches = [
        plan.network.prefix(pictures(plan, rows), "conv3").bytes
        for rows in (np.arange(16), np.arange(16, 31))
    ]
    two_batches = sum(batches)
    for number, memory in enumerate((0, 1000, batches[0], two_batches, 2 * two_batches)):
        ablator = Ablator(elsewhere(plan, Store(tmp_path / str(number))), memory=memory)
        for layer in (*plan.layers, *plan.layers[::-1]):
            equal(run_through(ablator, layer.name), expected[layer.name])
            assert ablator._kept._size() <= memory
    ablator = Ablator(elsewhere(plan, Store(tmp_path / "last")), memory=two_batches)
    run_through(ablator, "conv3")
    run_through(ablator, "conv4")  # makes room for itself
    prefixes.clear()
    run_through(ablator, "conv4", 1)
    run_through(ablator, "conv3", 1)
    assert prefixes == ["conv3", "conv3"]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
