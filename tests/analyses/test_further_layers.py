"""Profiles, relevances and ablations of layers that are no convolutions, against the same written out."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret_core import datasets
from interpret_core.analyses.ablation.ablator import Ablator
from interpret_core.analyses.ablation.means import mean_responses, ranking_images
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.errors import LayerError
from interpret_core.measures.ablation.settings import Setting
from interpret_core.networks import NetworkParts
from interpret_core.options import ALL
from interpret_core.runtime.subjects import identify, layers_of
from interpret_core.store.store import Store
from tests.analyses.ablated import planned
from tests.analyses.related import NETWORK, asked, network, write_objects
from tests.analyses.runs import lines_of
from tests.reference import profile as reference


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_objects(tmp_path_factory.mktemp("objects") / "data")


def block_output(root: Path) -> np.ndarray:
    """(N, U, h, w): the sum after its activation, by the module's own parts."""
    parts, dataset = network(), datasets.open_dataset(str(root))
    images = parts.preprocessing.batch([dataset.read_image(index) for index in range(len(dataset))])
    with torch.no_grad():
        x = parts.module.first(images).relu()
        found: np.ndarray = (parts.module.second(x) + x).relu().numpy()
    return found


def profiled(root: Path, layers: tuple[str, ...]) -> ProfileRequest:
    return ProfileRequest(NETWORK, str(root), layers, quantile=0.05, min_images=1, permutations=3)


def test_a_blocks_profile_equals_the_reference(root: Path, store: Store) -> None:
    found = find_profiles(run_profile(profiled(root, ("sum",)), store).keys, store)
    (layer,) = found.values()
    dataset = datasets.open_dataset(str(root))
    table = dataset.concepts()
    planes = [dataset.read_annotation(index, table) for index in range(len(dataset))]
    concepts = [(at + 1, "object") for at in range(len(table))]
    annotations = [[("object", plane.astype(int)) for plane in one] for one in planes]
    expected = reference.profile(
        block_output(root),
        annotations,
        concepts,
        ["object"],
        quantile=0.05,
        size=dataset.annotation_size,
        lines=lines_of(layer.profile),
    )
    for field in ("threshold", "exceeding", "intersection", "active_total"):
        np.testing.assert_allclose(layer.profile.arrays[field], expected[field], rtol=1e-6, err_msg=field)
    assert layer.profile.metadata["layer"]["sort"] == "sum"
    assert layer.chance is not None


def test_all_layers_are_the_convolutions_and_share_nothing_with_the_others(root: Path, store: Store) -> None:
    every = run_profile(profiled(root, ALL), store)  # type: ignore[arg-type]
    assert every.keys.layers == ("first", "second")
    both = layer_keys(profiled(root, ("sum", "second")), store)
    assert both.layers == ("second", "sum")
    assert both.profile["second"] == every.keys.profile["second"]
    assert not store.has(both.profile["sum"])


def test_a_layer_without_positions_has_no_profile_and_no_relevance(root: Path, store: Store) -> None:
    with pytest.raises(LayerError, match=r"head of .* has no masks: its units have no positions"):
        run_profile(profiled(root, ("head",)), store)
    with pytest.raises(LayerError, match="has no masks"):
        run_relevance(asked(root, layers=("head",)), store)


def test_what_a_run_noted_is_known_without_loading(root: Path, store: Store) -> None:
    run_profile(profiled(root, ("sum",)), store)
    known = layers_of(identify(NETWORK, store, recent=True), store)
    assert known is not None
    assert (known.usual, [one.name for one in known.further]) == (("first", "second"), ["sum", "head"])
    with pytest.raises(LayerError, match="Unknown layer 'third'"):
        known.chosen(("third",), NETWORK)


def test_relevance_of_a_block(root: Path, store: Store) -> None:
    """The block's output is all that the head reads: G is the gradient of a path in its space, by hand."""
    request = asked(root, layers=("sum",), classes=("ball",), tolerance=0.0)
    found = run_relevance(request, store).classes["ball"]
    assert [shape.name for shape in found.layers] == ["sum"]
    module = network().module.double()
    dataset, preprocessing = datasets.open_dataset(str(root)), network().preprocessing
    for row, index in enumerate(found.images.tolist()):
        picture = dataset.read_image(index)
        ends = []
        for one in (np.zeros_like(picture), picture):
            x = module.first(preprocessing.batch([one]).double()).relu()
            ends.append((module.second(x) + x).relu().detach())
        gradients = torch.zeros_like(ends[0])
        for point in (np.arange(16) + 0.5) / 16:
            place = (ends[0] + point * (ends[1] - ends[0])).requires_grad_()
            score = module.head(place.mean((2, 3))).softmax(1)[0, 0]
            gradients += torch.autograd.grad(score, place)[0] / 16
        attribution = (ends[1] - ends[0]) * gradients
        total = attribution.sum((2, 3))[0].abs().sum()
        assert total > 0
        change = found.arrays["change"][row, 0]
        assert float(attribution.sum()) == pytest.approx(change, rel=0.05)
    alone = run_relevance(asked(root, classes=("ball",)), store).classes["ball"]
    assert [shape.name for shape in alone.layers] == ["first", "second"]


@pytest.mark.parametrize("value", ["zero", "mean"])
def test_units_of_a_block_are_silenced_and_compared_with_random_ones(
    root: Path, store: Store, value: str
) -> None:
    """All of them silenced: every image gets the answer that the head gives to these very numbers."""
    run_profile(ProfileRequest(NETWORK, str(root), min_images=1, permutations=0), store)  # reads the masks
    plan = planned(root, store, network=NETWORK, value=value)
    setting = Setting("random", fraction=1.0, seed=0, layers=("sum",), value=value)
    assert {name: len(units) for name, units in plan.selection(setting).items()} == {"sum": 6}
    means = mean_responses(plan, {"sum"})
    assert means.keys() == {"first", "second", "sum"}
    own = block_output(root)[ranking_images(plan)].mean((0, 2, 3))
    np.testing.assert_allclose(means["sum"], own, rtol=1e-5)
    answers = Ablator(plan).answers(setting)
    left = torch.tensor(means["sum"] if value == "mean" else np.zeros(6), dtype=torch.float32)
    with torch.no_grad():
        expected = network().module.head(left).softmax(0).max().item()
    np.testing.assert_allclose(answers.best_probability, expected, rtol=1e-5)
    with pytest.raises(LayerError, match="cannot be ranked by relevance"):
        plan.selection(Setting("relevance", "ball", "top", 0.5, layers=("sum",)))


def test_modules_that_one_name_states_are_no_layers_of_another(root: Path, store: Store) -> None:
    """Both names mean one network, with one digest and one profile of its convolutions."""
    plain, naming = (identify(f"{__name__}:{name}", store) for name in ("plain", "naming"))
    assert plain.digest == naming.digest
    for name, pool in (("plain", False), ("naming", True), ("plain", False)):
        known = layers_of(identify(f"{__name__}:{name}", store, recent=True), store)
        assert known is not None
        assert ("pool" in known.all) is pool


def plain() -> NetworkParts:
    return NetworkParts(_pooled(), network().preprocessing)


def naming() -> NetworkParts:
    return NetworkParts(_pooled(), network().preprocessing, layers=("pool",))


def _pooled() -> torch.nn.Module:
    torch.manual_seed(2)
    parts = {"conv": torch.nn.Conv2d(3, 4, 3), "pool": torch.nn.MaxPool2d(2), "flat": torch.nn.Flatten()}
    return torch.nn.Sequential(OrderedDict(parts | {"fc": torch.nn.LazyLinear(3)}))
