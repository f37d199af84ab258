"""Labels that share a name: a class's object is all of them, as one label in their place would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interpret_core import networks
from interpret_core.analyses.ablation.ablator import Ablator
from interpret_core.analyses.ablation.plan import AblationPlan, ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.ablation.table import target_of
from interpret_core.analyses.agreement.compute import agreement
from interpret_core.analyses.agreement.request import AgreementSettings
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.classes.known import ClassPlan, class_plan
from interpret_core.classes.outputs import distinct
from interpret_core.datasets import open_dataset, survey
from interpret_core.errors import ParameterError
from interpret_core.measures.ablation.settings import Setting
from interpret_core.store.store import Store
from tests.planted_names import IMAGES, NETWORK, Named

CATS = range(0, IMAGES, 3)


def planned(root: Path) -> ClassPlan:
    dataset = open_dataset(root)
    return class_plan(dataset, networks.find(NETWORK), survey(dataset, dataset.concepts()))


def profiles(root: Path, store: Store) -> dict[str, LayerProfile]:
    request = ProfileRequest(NETWORK, str(root), min_images=1, permutations=0, quantile=0.05)
    found = find_profiles(run_profile(request, store).keys, store)
    return {name: one.profile for name, one in found.items()}


@pytest.fixture
def split(tmp_path: Path) -> Path:
    return Named().write(tmp_path / "split")


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    return Named(split=False).write(tmp_path / "merged")


def test_a_profile_tells_them_apart(split: Path, merged: Path, store: Store) -> None:
    wanted = profiles(merged, store)
    for name, one in profiles(split, store).items():
        assert one.concept_names == ("cat (1)", "dog", "bus", "cat (9)")
        assert wanted[name].concept_names == ("cat", "dog", "bus")
        np.testing.assert_array_equal(one.iou_with((0, 3)), wanted[name].iou[:, 0])
        np.testing.assert_array_equal(one.iou_with((1,)), one.iou[:, 1])


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("both", [True, False])
def test_a_class_has_all_images_and_all_labels(tmp_path: Path, listed: bool, both: bool) -> None:
    plan = planned(Named(both=both, listed=listed).write(tmp_path / "set"))
    cat = plan.find("cat")
    assert cat.concepts == (0, 3)
    assert [one.name for one in plan.classes] == ["bus", "cat", "dog"]
    assert plan.left_out == ()
    np.testing.assert_array_equal(cat.images, CATS)


def test_pixels_of_the_union_count_once(tmp_path: Path) -> None:
    """A second map repeats two thirds of a cat under its other number: the cat is as large as before."""
    once = planned(Named(listed=False).write(tmp_path / "once"))
    twice = planned(Named(maps=2, listed=False).write(tmp_path / "twice"))
    np.testing.assert_array_equal(once.find("cat").images, twice.find("cat").images)
    root = Named(maps=2, listed=False).write(tmp_path / "small")
    dataset = open_dataset(root)
    found = survey(dataset, dataset.concepts())
    from interpret_core.classes.known import _Objects

    pixels = _Objects(dataset)._pixels((0, 3), found)
    assert pixels[CATS].tolist() == [36] * len(CATS)
    assert pixels.sum() == 36 * len(CATS)


@pytest.mark.parametrize("maps", [1, 2])
def test_relevance_is_summed_inside_all_of_them(tmp_path: Path, store: Store, maps: int) -> None:
    found = {}
    for split in (True, False):
        root = Named(split=split, maps=maps).write(tmp_path / str(split))
        related = run_relevance(RelevanceRequest(NETWORK, str(root), ("cat",)), store)
        found[split] = related.classes["cat"]
    ours, wanted = found[True], found[False]
    assert ours.metadata["left_out"] == []
    assert ours.metadata["image_names"] == wanted.metadata["image_names"]
    assert ours.metadata["objects"] == [[1, "cat (1)"], [9, "cat (9)"]]
    assert wanted.metadata["objects"] == [[1, "cat"]]
    assert ours.metadata["objects_apart"] is (maps == 1)
    for name, values in wanted.arrays.items():
        np.testing.assert_array_equal(ours.arrays[name], values, err_msg=name)


def test_what_is_left_out_has_a_true_reason(split: Path, store: Store) -> None:
    """A picture in classes.csv whose mask shows no cat at all, whichever number."""
    lines = (split / "classes.csv").read_text().replace("1.png,dog", "1.png,cat")
    (split / "classes.csv").write_text(lines)
    related = run_relevance(RelevanceRequest(NETWORK, str(split), ("cat",)), store)
    assert related.classes["cat"].metadata["left_out"] == [["1.png", "no pixel is annotated as cat"]]


@pytest.mark.thorough
def test_agreement_uses_the_union(split: Path, merged: Path, store: Store) -> None:
    found = {}
    for root in (split, merged):
        related = run_relevance(RelevanceRequest(NETWORK, str(root)), store)
        settings = AgreementSettings(0.2, permutations=50)
        found[root] = agreement(profiles(root, store), related.classes, settings)
    ours, wanted = found[split], found[merged]
    assert ours.concepts == ("bus", "cat (1) + cat (9)", "dog")
    assert ours.left_out == wanted.left_out == ()
    for one, other in zip(ours.network.layers, wanted.network.layers, strict=True):
        np.testing.assert_array_equal(one.iou, other.iou)
        np.testing.assert_array_equal(one.error, other.error)


def test_labels_that_may_share_pixels_have_no_known_union(tmp_path: Path, store: Store) -> None:
    root = Named(maps=2).write(tmp_path / "set")
    related = run_relevance(RelevanceRequest(NETWORK, str(root)), store)
    found = agreement(profiles(root, store), related.classes, AgreementSettings(0.2, permutations=0))
    assert found.classes == ("bus", "dog")
    assert found.left_out == (
        ("cat", "its labels cat (1), cat (9) may share pixels, so their IoU is not known"),
    )


def ablation(root: Path, store: Store) -> AblationPlan:
    run_profile(ProfileRequest(NETWORK, str(root), permutations=0), store)
    return ablation_plan(AblationRequest(NETWORK, str(root)), store, networks.load(NETWORK))


def test_ranking_by_iou_with_a_class_s_object(split: Path, merged: Path, store: Store) -> None:
    ours, wanted = ablation(split, store), ablation(merged, store)
    setting = Setting("iou", "cat", fraction=0.3, layers="all")
    assert ours.selection(setting) == wanted.selection(setting)
    for name in ("cat (1)", "cat (9)"):
        one = Setting("iou", name, fraction=0.3, layers="all")
        assert ours.selection(one)
        assert target_of(ours, one) == target_of(ours, setting) == 1
    for name in ("cow", "cat (2)"):
        with pytest.raises(ParameterError, match="Unknown concept"):
            ours.selection(Setting("iou", name, fraction=0.3, layers="all"))
    np.testing.assert_array_equal(Ablator(ours).answers(setting).best, Ablator(wanted).answers(setting).best)


def test_a_name_in_two_categories(tmp_path: Path, store: Store) -> None:
    root = Named(split=False, part=True).write(tmp_path / "set")
    one = next(iter(profiles(root, store).values()))
    assert one.concept_names == ("cat (object)", "dog", "bus", "cat (part)")
    plan = ablation(root, store)
    assert plan.ranking.class_plan.find("cat").concepts == (0,)
    own, part = (Setting("iou", f"cat ({kind})", fraction=0.3, layers="all") for kind in ("object", "part"))
    assert plan.selection(Setting("iou", "cat", fraction=0.3, layers="all")) == plan.selection(own)
    assert (target_of(plan, own), target_of(plan, part)) == (1, None)


def test_ranking_by_a_union_that_is_not_known_is_refused(tmp_path: Path, store: Store) -> None:
    plan = ablation(Named(maps=2).write(tmp_path / "set"), store)
    with pytest.raises(ParameterError, match=r"cat \(1\), cat \(9\) of 'cat' may share pixels"):
        plan.selection(Setting("iou", "cat", fraction=0.3, layers="all"))
    assert plan.selection(Setting("iou", "cat (9)", fraction=0.3, layers="all"))


def test_evaluation_has_the_same_images(tmp_path: Path, store: Store) -> None:
    found = []
    for split in (True, False):
        root = Named(split=split, listed=False).write(tmp_path / str(split))
        found.append(run_evaluation(EvaluationRequest(NETWORK, str(root)), store))
    assert found[0].classes == found[1].classes == ("bus", "cat", "dog")
    np.testing.assert_array_equal(found[0].evaluation.confusion, found[1].evaluation.confusion)
    assert found[0].metadata["left_out"] == []


def test_cocos_longer_names_are_one_object_too(tmp_path: Path) -> None:
    """A label of the very name comes first; without one, all that COCO made longer are the object."""
    root = Named().write(tmp_path / "set")
    for names, concepts in (
        (("cat-merged", "cat"), (3,)),
        (("cat-merged", "cat-other"), (0, 3)),
        (("Cat", "cat"), (0, 3)),
    ):
        text = f"number,name,category\n1,{names[0]},object\n2,dog,object\n3,bus,object\n9,{names[1]},object\n"
        (root / "label.csv").write_text(text)
        assert planned(root).find("cat").concepts == concepts


def test_outputs_of_one_name_are_told_apart_by_number() -> None:
    assert distinct(("crane", "dog", "crane", "bus")) == ("crane (0)", "dog", "crane (2)", "bus")
