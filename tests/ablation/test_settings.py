"""States of the sliders and requests: as JSON and back, and what cannot be meant."""

from __future__ import annotations

import json

import numpy as np
import pytest

from interpret_core.ablation.settings import Setting
from interpret_core.errors import ParameterError
from interpret_core.results.requests import AblationRequest, RelevanceRequest

SETTINGS = (
    Setting(),
    Setting("relevance", "bench", "bottom", 0.03, value="mean"),
    Setting("iou", "sky", fraction=1.0, layers=("conv2", "conv4")),
    Setting("random", total=40, seed=3, layers="all"),
    Setting("random", fraction=0.1, layers="conv2"),
    Setting("hand", units=(("conv3", 7), ("conv2", 41))),
    Setting(units=[["layer1.0.conv2", 0]]),  # type: ignore[arg-type]
)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_survives_json(setting: Setting) -> None:
    again = Setting.from_json(json.loads(json.dumps(setting.to_json())))
    assert again == setting
    assert hash(again) == hash(setting)
    assert Setting.from_json({**setting.to_json(), "unknown": 1}) == setting


def test_one_meaning_has_one_spelling() -> None:
    picked = (("conv3", 7), ("conv2", 41), ("conv3", 7))
    assert Setting(units=picked).units == (("conv2", 41), ("conv3", 7))
    assert Setting(units=((np.str_("conv2"), np.int64(41)),)).units == (("conv2", 41),)
    assert json.dumps(Setting(units=(("conv2", np.int64(41)),)).to_json())  # plain numbers
    assert Setting(layers="conv2") == Setting(layers=["conv2"])  # type: ignore[arg-type]
    assert Setting.from_json({}) == Setting()


@pytest.mark.parametrize(
    ("setting", "ranking", "intact"),
    [
        (Setting(), False, True),
        (Setting(fraction=0.5), False, True),  # hand-picked units only, and none is picked
        (Setting(units=(("a", 1),)), False, False),
        (Setting("random"), False, True),
        (Setting("random", fraction=0.01), True, False),
        (Setting("random", fraction=0.5, total=0), False, True),
        (Setting("random", total=1), True, False),
        (Setting("random", units=(("a", 1),)), False, False),
        (Setting("relevance", "bench"), False, True),
    ],
)
def test_what_silences_nothing(setting: Setting, ranking: bool, intact: bool) -> None:
    assert setting.ranking is ranking
    assert setting.intact is intact


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"by": "magic"}, "'magic'"),
        ({"by": []}, "Unknown by"),
        ({"direction": "up"}, "'up'"),
        ({"value": "median"}, "'median'"),
        ({"fraction": -0.1}, "-0.1"),
        ({"fraction": 3}, "fraction is 3"),
        ({"fraction": float("nan")}, "nan"),
        ({"fraction": "0.1"}, "'0.1'"),
        ({"fraction": None}, "None"),
        ({"fraction": True}, "True"),
        ({"total": -1}, "total is -1"),
        ({"total": 2.5}, "total is 2.5"),
        ({"total": True}, "total is True"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "seed is None"),
        ({"seed": "one"}, "seed is 'one'"),
        ({"by": "relevance"}, "no class is named"),
        ({"by": "iou", "of": ""}, "no concept is named"),
        ({"by": "relevance", "of": 7}, "of is 7"),
        ({"of": None}, "of is None"),
        ({"layers": 3}, "layers is 3"),
        ({"layers": [3]}, r"layers is \[3\]"),
        ({"units": 5}, "units is 5"),
        ({"units": "conv2:3"}, "units is 'conv2:3'"),
        ({"units": [["conv2"]]}, "pairs"),
        ({"units": [["conv2", "x"]]}, "pairs"),
        ({"units": [["conv2", 1.5]]}, "pairs"),
        ({"units": [[2, 3]]}, "pairs"),
        ({"units": [["conv2", 1, 2]]}, "pairs"),
    ],
)
def test_what_cannot_be_meant(entries: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        Setting.from_json(entries)
    assert "\n" not in str(caught.value)


def test_a_request_survives_json() -> None:
    request = AblationRequest(
        "a", "b", ("cat", "bus"), "all", "val", 3, "conductance", "blur", "logit", "mean"
    )
    assert AblationRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    assert AblationRequest.from_json({"network": "a", "dataset": "b", "later": 1}) == AblationRequest(
        "a", "b"
    )
    assert AblationRequest("a", "b", "cat, bus").classes == ("cat", "bus")


def test_the_ranking_is_that_of_the_relevance_pages() -> None:
    assert AblationRequest("a", "b", "cat").relevance() == RelevanceRequest("a", "b")
    changed = {"method": "conductance", "baseline": "mean", "output": "logit", "images": 4}
    asked = AblationRequest("a", "b", ranked_on="all", **changed).relevance()  # type: ignore[arg-type]
    assert asked == RelevanceRequest("a", "b", split="all", **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"split": "test"}, "'test'"),
        ({"ranked_on": "tran"}, "'tran'"),
        ({"value": "median"}, "'median'"),
        ({"method": "lime"}, "'lime'"),
        ({"baseline": "white"}, "'white'"),
        ({"output": "loss"}, "'loss'"),
        ({"images": 0}, "images is 0"),
        ({"images": "ten"}, "images is 'ten'"),
        ({"classes": " , "}, "No class is named"),
    ],
)
def test_a_request_that_cannot_be_meant(entries: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        AblationRequest.from_json({"network": "a", "dataset": "b", **entries})
    assert "\n" not in str(caught.value)
