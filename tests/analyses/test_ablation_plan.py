"""What an ablation amounts to: images in turns, rankings by hand, leave one out, and what cannot be asked."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from interpret_core import networks
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.ranking import NotRanked
from interpret_core.analyses.profile.plan import layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import DatasetError, LayerError, ParameterError
from interpret_core.measures.ablation.selection import allot
from interpret_core.measures.ablation.settings import Setting
from interpret_core.networks import Network
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from tests.analyses.ablated import (
    CLASSES,
    NETWORK,
    SPLITS,
    chosen,
    of_layer,
    planned,
    plant_relevance,
    strongest,
    write_noise,
)


@pytest.fixture(scope="module")
def loaded() -> Network:
    return networks.load(NETWORK)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise(tmp_path_factory.mktemp("noise") / "data")


@pytest.fixture
def plan(root: Path, store: Store, loaded: Network) -> AblationPlan:
    return planned(root, store, loaded)


def split_of(plan: AblationPlan) -> list[str]:
    return [plan.dataset.records[index].split for index in plan.images.tolist()]


def test_the_classes_take_turns(plan: AblationPlan) -> None:
    """Any first n images hold as many of each class as there can be."""
    assert [one.name for one in plan.classes] == list(CLASSES)
    assert plan.population.tolist() == [12, 10, 9]
    assert len(set(plan.images.tolist())) == 31
    assert set(split_of(plan)) == {"val"}
    names = [plan.dataset.records[index].image.partition("-")[0] for index in plan.images.tolist()]
    assert names == [CLASSES[label] for label in plan.labels.tolist()]
    for n in range(32):
        seen = Counter(plan.labels[:n].tolist())
        turn = max(seen.values(), default=0)
        for label, whole in enumerate([12, 10, 9]):
            assert seen[label] >= min(whole, turn - 1)
    of_ball = plan.images[plan.labels == 0]
    assert (np.diff(of_ball) < 0).any()  # by the digest of the names: no order of the table favours any


def test_the_first_and_the_last_layer_are_spared(plan: AblationPlan) -> None:
    plant_relevance(plan)
    assert plan.inner == ("conv2", "conv3", "conv4")
    for setting in (Setting("relevance", "ball", fraction=0.1), Setting("random", fraction=0.1)):
        assert list(plan.selection(setting)) == ["conv2", "conv3", "conv4"]
    everywhere = plan.selection(Setting("random", fraction=0.2, layers="all"))
    assert {name: len(units) for name, units in everywhere.items()} == {
        "conv1": 2, "conv2": 4, "conv3": 4, "conv4": 2, "conv5": 1,
    }  # fmt: skip
    assert list(plan.selection(Setting("random", fraction=0.2, layers=("conv5", "conv2")))) == [
        "conv2",
        "conv5",
    ]
    assert plan.selection(Setting("random", fraction=0.2, layers=())) == {}


@pytest.mark.parametrize("direction", ["top", "bottom"])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.2, 1.0])
def test_the_ranking_is_that_of_the_relevance(plan: AblationPlan, direction: str, fraction: float) -> None:
    for name, scores in plant_relevance(plan).items():
        setting = Setting("relevance", name.upper(), direction, fraction)
        expected = chosen(plan, scores.astype(float).mean(0), fraction, direction)
        assert plan.selection(setting) == expected
        (part,) = plan.parts(setting)
        assert part.selection == expected
        assert part.rows.tolist() == list(range(31))
        assert plan.held_out(name)


def test_hand_picked_units_are_silenced_in_addition(plan: AblationPlan) -> None:
    scores = plant_relevance(plan)["box"]
    ranked = chosen(plan, scores.astype(float).mean(0), 0.1)
    free = next(unit for unit in range(20) if unit not in ranked["conv2"])
    units = (("conv1", 7), ("conv2", free), ("conv2", ranked["conv2"][0]))
    found = plan.selection(Setting("relevance", "box", fraction=0.1, units=units))
    assert found == ranked | {"conv1": (7,), "conv2": tuple(sorted({*ranked["conv2"], free}))}
    assert plan.selection(Setting(units=units)) == {
        "conv1": (7,),
        "conv2": tuple(sorted([free, ranked["conv2"][0]])),
    }
    assert plan.selection(Setting()) == {}


def test_a_total_is_shared_among_the_layers(plan: AblationPlan) -> None:
    scores = plant_relevance(plan)["box"].astype(float).mean(0)
    for total in (0, 1, 7, 52):
        found = plan.selection(Setting("relevance", "box", total=total, fraction=0.5))
        assert sum(map(len, found.values())) == total
        for name, k in zip(plan.inner, allot(total, [20, 20, 12]), strict=True):
            assert found.get(name, ()) == strongest(of_layer(plan, name, scores), k)
    with pytest.raises(ParameterError, match=r"53 units .* 3 layers chosen have only 52"):
        plan.selection(Setting("relevance", "box", total=53))
    assert sum(map(len, plan.selection(Setting("random", total=66, layers="all")).values())) == 66


def test_random_units_are_nested_and_of_the_seed(plan: AblationPlan) -> None:
    fractions = (0.01, 0.1, 0.2, 0.5, 1.0)
    seen = set()
    for seed in range(5):
        steps = [plan.selection(Setting("random", fraction=f, seed=seed)) for f in fractions]
        for smaller, larger in pairwise(steps):
            assert all(set(smaller[name]) <= set(larger[name]) for name in plan.inner)
        assert steps[-1] == {"conv2": tuple(range(20)), "conv3": tuple(range(20)), "conv4": tuple(range(12))}
        assert steps[2]["conv2"] != steps[2]["conv3"]  # layers of one width differ
        seen.add(tuple(sorted(steps[2].items())))
    assert len(seen) == 5
    for changes in ({"of": "ball"}, {"of": "box"}, {"direction": "bottom"}):  # a control knows no class
        assert plan.selection(Setting("random", fraction=0.2, **changes)) == plan.selection(  # type: ignore[arg-type]
            Setting("random", fraction=0.2)
        )


def plant_profiles(plan: AblationPlan, layers: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Profiles of two concepts: layer -> (U, 2) IoU, many of them equal."""
    keys = layer_keys(ProfileRequest(plan.request.network, plan.request.dataset), plan.store)
    found = {}
    for name in layers:
        units = plan.network.layer(name).units
        both = np.random.default_rng(units).integers(0, 7, (units, 2))
        arrays = {
            "intersection": both,
            "active": np.full((units, 1), 50),
            "concept_pixels": np.array([30, 40]),
        }
        concepts = [[1, "sky", "object"], [2, "red-ish", "object"]]
        subjects = {"network": {"name": "asked first"}, "dataset": {"name": "asked first"}}
        metadata = {**subjects, "categories": ["object"], "concepts": concepts}
        plan.store.put(keys.profile[name], Record(arrays, metadata))
        found[name] = both / (50 + np.array([30, 40]) - both)
    return found


def test_iou_ranks_as_the_profile_says(plan: AblationPlan) -> None:
    with pytest.raises(NotRanked, match="profile layer conv1 first") as caught:
        plan.selection(Setting("iou", "sky", fraction=0.1))
    assert (caught.value.missing, caught.value.name) == ("iou", "sky")
    layers = tuple(layer.name for layer in plan.layers)
    plant_profiles(plan, layers[:-1])
    with pytest.raises(NotRanked, match="profile layer conv5"):
        plan.selection(Setting("iou", "sky", fraction=0.1))
    iou = plant_profiles(plan, layers)
    for number, concept in enumerate(("sky", "red-ish")):
        for direction in ("top", "bottom"):
            found = plan.selection(Setting("iou", concept, direction, 0.2))
            expected = {
                name: strongest(iou[name][:, number], k, direction)
                for name, k in (("conv2", 4), ("conv3", 4), ("conv4", 2))
            }
            assert found == expected
    with pytest.raises(ParameterError, match="concept 'skye': did you mean sky"):
        plan.selection(Setting("iou", "skye", fraction=0.1))


@pytest.mark.parametrize(("split", "ranked_on"), [("all", "train"), ("train", "train"), ("val", "all")])
def test_no_image_is_evaluated_with_a_ranking_that_has_seen_it(
    root: Path, store: Store, loaded: Network, split: str, ranked_on: str
) -> None:
    plan = planned(root, store, loaded, split=split, ranked_on=ranked_on)
    for name, scores in plant_relevance(plan).items():
        setting = Setting("relevance", name, "top", 0.1, units=(("conv5", 2),))
        of_row = {int(row): part.selection for part in plan.parts(setting) for row in part.rows}
        assert sorted(of_row) == list(range(len(plan.images)))
        assert sum(len(part.rows) for part in plan.parts(setting)) == len(plan.images)
        assert not plan.held_out(name)
        ranking = plan.ranking.images[name].tolist()
        different = 0
        for row, index in enumerate(plan.images.tolist()):
            kept = [place for place, image in enumerate(ranking) if image != index]
            expected = chosen(plan, scores[kept].astype(float).mean(0), 0.1) | {"conv5": (2,)}
            assert of_row[row] == expected
            different += expected != plan.selection(setting)
        assert different > 0  # leaving one out matters
        assert sum(index in ranking for index in plan.images.tolist()) == len(ranking) or split == "val"
    (part,) = plan.parts(Setting("random", fraction=0.1))  # no image ranks at random
    assert len(part.rows) == len(plan.images)


def test_few_images_of_a_class_rank_and_are_evaluated(tmp_path: Path, store: Store, loaded: Network) -> None:
    """Fewer than four: all of them do both, and each is left out of its own ranking (method §5)."""
    root = write_noise(tmp_path / "data", {"ball": (2, 1), "box": (1, 0), "moon": (4, 3)})
    plan = planned(root, store, loaded)
    assert plan.population.tolist() == [3, 1, 3]
    scores = plant_relevance(plan)
    assert [plan.held_out(name) for name in CLASSES] == [False, False, True]
    assert [plan.rankable(name) for name in CLASSES] == [True, False, True]
    assert [plan.has_rankings(name) for name in CLASSES] == [True, False, True]
    parts = plan.parts(Setting("relevance", "ball", "top", 0.1))
    assert [len(part.rows) for part in parts] == [4, 1, 1, 1]
    for part in parts[1:]:
        (index,) = plan.images[part.rows]
        kept = plan.ranking.images["ball"] != index
        assert kept.sum() == 2
        assert part.selection == chosen(plan, scores["ball"][kept].astype(float).mean(0), 0.1)
    with pytest.raises(ParameterError, match="'box' has a single ranking image") as caught:
        plan.parts(Setting("relevance", "box", "top", 0.1))
    assert "\n" not in str(caught.value)
    assert plan.parts(Setting("relevance", "box", "top", 0.0))[0].selection == {}  # nothing is ranked


@pytest.mark.thorough
def test_one_ranking_image_is_enough_where_it_is_not_evaluated(
    root: Path, store: Store, loaded: Network
) -> None:
    plan = planned(root, store, loaded, images=1)
    plant_relevance(plan)
    assert plan.held_out("ball")
    assert plan.rankable("ball")
    assert len(plan.parts(Setting("relevance", "ball", fraction=0.1))) == 1
    both = planned(root, store, loaded, images=1, split="all")
    assert not both.rankable("ball")


def test_what_is_not_ranked_names_its_class(plan: AblationPlan) -> None:
    assert plan.unranked() == CLASSES
    plant_relevance(plan, ("ball",))
    assert plan.unranked() == ("box", "moon")
    with pytest.raises(NotRanked, match="relevance of 'box'") as caught:
        plan.parts(Setting("relevance", "Box", fraction=0.1))
    assert (caught.value.missing, caught.value.name) == ("relevance", "box")
    assert plan.parts(Setting("relevance", "box", fraction=0.0))[0].selection == {}


@pytest.mark.parametrize(
    ("setting", "error", "words"),
    [
        (Setting("relevance", "bell", fraction=0.1), ParameterError, "class 'bell': did you mean ball"),
        (Setting(units=(("conv9", 0),)), LayerError, "'conv9'"),
        (Setting(units=(("conv4", 12),)), LayerError, "Unit 12 of layer conv4, expected 0 to 11"),
        (Setting(units=(("conv4", -1),)), LayerError, "Unit -1"),
        (Setting("random", fraction=0.1, layers=("conv2", "conv9")), LayerError, "'conv9'"),
    ],
)
def test_what_is_not_there(plan: AblationPlan, setting: Setting, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        plan.parts(setting)
    assert "\n" not in str(caught.value)


def test_a_class_without_images_in_the_split(tmp_path: Path, store: Store, loaded: Network) -> None:
    root = write_noise(tmp_path / "data", {"ball": (4, 2), "box": (5, 0), "moon": (0, 4)})
    plan = planned(root, store, loaded)
    assert [one.name for one in plan.classes] == ["ball", "moon"]
    assert plan.without_image == ("box",)
    assert (plan.number("ball"), plan.number("Moon")) == (0, 1)
    with pytest.raises(ParameterError, match=r"'box' has no image in split 'val'"):
        plan.number("box")
    scores = plant_relevance(plan, ("ball", "box"))
    assert plan.selection(Setting("relevance", "box", fraction=0.1)) == chosen(
        plan, scores["box"].astype(float).mean(0), 0.1
    )  # its units can be silenced all the same
    with pytest.raises(ParameterError, match=r"'moon' has no image in split 'train'"):
        plan.relevance("moon")
    only = write_noise(tmp_path / "only", {"ball": (5, 0)})
    with pytest.raises(DatasetError, match="split 'val'"):
        planned(only, store, loaded)


@pytest.mark.parametrize("count", [1, 2])
def test_images_that_cannot_be_read_are_left_out(
    tmp_path: Path, store: Store, loaded: Network, count: int
) -> None:
    root = write_noise(tmp_path / "data", {"ball": (4, 3), "box": (4, count)})
    for place in range(count):
        (root / "images" / f"box-{4 + place}.png").write_bytes(b"no picture")
    plan = planned(root, store, loaded)
    assert plan.unreadable == tuple(f"box-{4 + place}.png" for place in range(count))
    assert [one.name for one in plan.classes] == ["ball"]
    assert plan.without_image == ("box",)
    assert plan.population.tolist() == [3]
    (root / "images" / "ball-5.png").write_bytes(b"no picture")
    again = planned(root, store, loaded)  # another content, another answer
    assert again.population.tolist() == [2]
    for file in ("ball-4.png", "ball-6.png"):
        (root / "images" / file).write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=rf"can be read \({3 + count} cannot\)"):
        planned(root, store, loaded)


def test_a_class_may_be_a_group_of_outputs(
    root: Path, store: Store, loaded: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(f'[classes."{NETWORK}"]\nball = ["ball", "sun"]\nbox = []\n')
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "mine.toml"))
    plan = planned(root, store, loaded)
    assert plan.outputs == ((0, 3), (2,))
    assert plan.population.tolist() == [SPLITS["ball"][1], SPLITS["moon"][1]]
