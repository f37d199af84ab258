"""Joining stored profiles and relevances: concept, class and layer, and what cannot be joined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from interpret_core.analyses.agreement.compute import agreement, shared_units
from interpret_core.analyses.agreement.request import AgreementSettings
from interpret_core.analyses.agreement.result import COLUMNS, left_out_cells, rows
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import ParameterError
from interpret_core.measures.agreement import agree, combine
from interpret_core.measures.shared_units import share_units

LAYERS = {"conv1": 20, "conv2": 40}
CONCEPTS = (
    ("wood", "material"),
    ("Park_bench", "object"),
    ("cat", "part"),
    ("cat", "object"),
    ("sky", "object"),
)
CATEGORIES = ("object", "part", "material")
BENCH, CAT = 1, 3  # the concepts of the classes below; "cat" is a part as well
CLASSES = ("park  bench", "cat")
OBJECTS = {"park  bench": [[1, "Park_bench"]], "cat": [[3, "cat (object)"]], "sky": [[4, "sky"]], "wood": []}


def whole(part: str, digest: str = "") -> dict[str, Any]:
    return {"name": part, "title": part, "digest": digest or part * 5, "evidence": "demo", "note": ""}


def profile(layer: str, **changes: Any) -> LayerProfile:
    """Concept and mask cover 1,000 pixels each; what they have in common ranks the units."""
    units = LAYERS[layer]
    random = np.random.default_rng(units)
    intersection = np.stack([random.permutation(units) for _ in CONCEPTS], 1).astype(np.int64)
    metadata = {
        "network": whole("network"),
        "dataset": whole("dataset"),
        "layer": {"name": layer},
        "quantile": 0.005,
        "categories": list(changes.pop("categories", CATEGORIES)),
        "concepts": [[number, *concept] for number, concept in enumerate(changes.pop("concepts", CONCEPTS))],
    }
    arrays = {
        "threshold": np.zeros(units, np.float32),
        "intersection": intersection,
        "active": np.full((units, 3), 1000, np.int64),
        "concept_pixels": np.full(len(CONCEPTS), 1000, np.int64),
        "concept_images": np.ones(len(CONCEPTS), np.int64),  # fewer than any min_images
    }
    return LayerProfile(arrays, metadata | changes)


def profiles(*layers: str, **changes: Any) -> dict[str, LayerProfile]:
    return {layer: profile(layer, **changes) for layer in layers or LAYERS}


def relevance(name: str, **changes: Any) -> ClassRelevance:
    """Two images; the relevance is their mean."""
    layers = changes.pop("layers", LAYERS)
    random = np.random.default_rng(len(name))
    metadata = {
        "network": whole("network"),
        "dataset": whole("dataset"),
        "class": name,
        "method": "layer-ig",
        "baseline": "black",
        "output": "probability",
        "split": "train",
        "tolerance": 0.05,
        "objects": OBJECTS[name],
        "objects_apart": True,
        "layers": [[layer, units, [4, 4]] for layer, units in layers.items()],
    }
    units = sum(layers.values())
    arrays = {
        "images": np.array([3, 8]),
        "relevance": random.random((2, units)).astype(np.float32),
        "positive": np.ones(units),
        "negative": np.zeros(units),
        "total": np.ones(units),
        "mask_pixels": np.ones(2, np.int64),
        "change": np.ones((2, len(layers))),
        "gap": np.zeros((2, len(layers))),
        "points": np.ones((2, len(layers)), np.int32),
    }
    return ClassRelevance(arrays, metadata | changes)


def relevances(*names: str, **changes: Any) -> dict[str, ClassRelevance]:
    return {name: relevance(name, **changes) for name in names or CLASSES}


def test_the_join() -> None:
    """IoU of the object of the class's name, in every layer, beside the mean relevance of that layer."""
    settings = AgreementSettings(0.1, permutations=200, seed=4)
    given, classes = profiles(), relevances()
    found = agreement(given, classes, settings)
    assert (found.layers, found.classes, found.concepts) == (
        tuple(LAYERS),
        CLASSES,
        ("Park_bench", "cat (object)"),
    )
    layers, start = [], 0
    for name, units in LAYERS.items():
        both = given[name].arrays["intersection"][:, [BENCH, CAT]]
        columns = [classes[one].arrays["relevance"][:, start : start + units] for one in CLASSES]
        mean = np.stack([column.astype(np.float64).mean(0) for column in columns], 1)
        layers.append(agree(both / (2000 - both), mean, 0.1))
        start += units
        np.testing.assert_array_equal(found.layer(name).error, layers[-1].error)
        np.testing.assert_array_equal(found.layer(name).spearman, layers[-1].spearman)
    expected = combine(layers, 200, 4)
    assert (found.network.error, found.network.error_sd) == (expected.error, expected.error_sd)
    assert found.network.p_value == expected.p_value
    assert found.metadata["images"] == dict.fromkeys(CLASSES, 2)
    assert (found.metadata["quantile"], found.metadata["method"]) == (0.005, "layer-ig")
    assert found.left_out == ()


def test_only_the_layers_that_are_profiled() -> None:
    found = agreement(profiles("conv2"), relevances(), AgreementSettings(permutations=0))
    assert found.layers == ("conv2",)
    assert found.layer("conv2").units == 40
    assert math.isnan(found.network.p_value)
    with pytest.raises(KeyError):
        found.layer("conv1")


def test_a_class_without_an_object_is_left_out() -> None:
    found = agreement(profiles(), relevances("wood", "cat"))
    assert found.classes == ("cat",)
    assert found.left_out == (("wood", "no object of the data set has this name"),)
    with pytest.raises(ParameterError, match=r"No class can be compared.*wood: no object"):
        agreement(profiles(), relevances("wood"))
    with pytest.raises(ParameterError, match="No class can be compared"):
        agreement(profiles(), {})


def test_an_object_of_two_labels_is_their_union() -> None:
    """As counted for one concept that has the pixels of both."""
    several = {"objects": [[3, "cat (object)"], [4, "sky"]]}
    given = profiles()
    found = agreement(given, relevances("cat", **several), AgreementSettings(permutations=0))
    assert found.concepts == ("cat (object) + sky",)
    for layer, one in given.items():
        both = one.arrays["intersection"][:, [3, 4]].sum(1)
        np.testing.assert_array_equal(found.layer(layer).iou[:, 0], both / (1000 + 2000 - both))


def test_labels_that_may_share_pixels_are_left_out() -> None:
    several = {"objects": [[3, "cat (object)"], [4, "sky"]], "objects_apart": False}
    found = agreement(profiles(), relevances("sky") | relevances("cat", **several))
    assert found.classes == ("sky",)
    ((name, why),) = found.left_out
    assert name == "cat"
    assert why == "its labels cat (object), sky may share pixels, so their IoU is not known"


def test_a_profile_without_objects() -> None:
    concepts = [(name, "part") for name, _ in CONCEPTS]
    with pytest.raises(ParameterError, match="does not compare with the category object"):
        agreement(profiles(categories=("part",), concepts=concepts), relevances())


@pytest.mark.parametrize(
    ("given", "classes", "words"),
    [
        ({}, relevances(), "No layer is given"),
        (profiles(network=whole("network", "b" * 40)), relevances(), "different networks, .*bbbbbbbb"),
        (profiles(), relevances(dataset=whole("dataset", "c" * 40)), "different datasets"),
        (profiles(), relevances("cat") | relevances("sky", network=whole("other")), "different networks"),
        (profiles(), relevances(layers={"conv1": 20, "conv2": 41}), "40 units in the profile and 41"),
        (profiles(), relevances(layers={"conv1": 20}), "40 units in the profile and none"),
    ],
)
def test_what_does_not_belong_together(given: Any, classes: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        agreement(given, classes)


@pytest.mark.parametrize(
    "changes", [{"top": 0}, {"top": 2.0}, {"permutations": -1}, {"permutations": 0.5}, {"seed": -1}]
)
def test_settings_out_of_range(changes: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(changes))):
        AgreementSettings(**changes)


def test_a_row_per_kept_cell_and_one_for_the_network() -> None:
    given = profiles()
    given["conv1"].arrays["intersection"][:, CAT] = 0
    found = agreement(given, relevances(), AgreementSettings(0.1, permutations=99))
    table = list(rows(found))
    assert all(tuple(row) == COLUMNS for row in table)
    cells = [("conv1", CLASSES[0]), ("conv2", CLASSES[0]), ("conv2", "cat"), ("*", "*")]
    assert [(row["layer"], row["class"]) for row in table] == cells
    assert left_out_cells(found) == [("conv1", "cat", "fewer than k units overlap the concept")]
    kept, summary = table[:-1], table[-1]
    assert [row["k"] for row in table] == [2, 4, 4, None]
    assert summary["error"] == pytest.approx(sum(row["error"] for row in kept) / 3)
    assert summary["chance"] == pytest.approx(100 * 2 * 0.1 * 0.9)
    means = [kept[0]["error"], (kept[1]["error"] + kept[2]["error"]) / 2]
    assert summary["error_sd"] == pytest.approx(abs(means[0] - means[1]) / 2)
    assert summary["overlap"] == pytest.approx(sum(row["overlap"] for row in kept) / 3)
    assert summary["spearman"] == pytest.approx(sum(row["spearman"] for row in kept) / 3)
    for row in kept:
        assert row["error"] == pytest.approx(100 * 2 * row["k"] * (1 - row["overlap"]) / LAYERS[row["layer"]])
        assert row["error_sd"] is None


def test_nothing_to_tell_is_none() -> None:
    given = profiles("conv1")
    given["conv1"].arrays["intersection"][:] = 0
    (summary,) = rows(agreement(given, relevances()))
    assert summary["layer"] == "*"
    assert {value for name, value in summary.items() if name not in ("layer", "class")} == {None}


def test_shared_units_of_the_same_relevances() -> None:
    classes = relevances()
    found = shared_units(classes, ["conv2"], 0.1)
    values = np.stack([one.layer("conv2").relevance for one in classes.values()], 1)
    expected = share_units([values], 0.1)
    assert found.counts == (4,)
    assert np.array_equal(found.members[0], expected.members[0])
    assert found.whole.jaccard[0, 1] == expected.whole.jaccard[0, 1]
    for given, layers in (({}, ["conv2"]), (classes, [])):
        with pytest.raises(ParameterError, match="expected one of each"):
            shared_units(given, layers)
