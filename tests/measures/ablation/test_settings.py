"""States of the sliders and requests: as JSON and back, and what cannot be meant."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.profile.keys import profile_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.keys import relevance_key
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.errors import ParameterError
from interpret_core.measures.ablation.settings import Setting
from interpret_core.store.records import canonical_json

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


def spellings(fraction: float) -> list[object]:
    """What a slider, an address, a table or numpy make of a number."""
    return [
        fraction,
        fraction * 100 / 100,
        fraction / 3 * 3,
        1 - (1 - fraction),
        math.nextafter(fraction, 2) if fraction < 1 else fraction,
        math.nextafter(fraction, -1) if fraction else -0.0,
        np.float64(fraction),
        np.float32(fraction),
        Fraction(str(fraction)),
        float(f"{100 * fraction:.9g}") / 100,
        *([int(fraction)] if fraction in (0, 1) else []),
    ]


@given(some.integers(0, 10**4))
@example(300)
@example(0)
@example(10**4)
def test_a_fraction_is_one_setting_however_it_is_spelled(ten_thousandths: int) -> None:
    fraction = ten_thousandths / 10**4
    plainly = Setting("relevance", "bench", fraction=fraction)
    for spelled in spellings(fraction):
        setting = Setting("relevance", "bench", fraction=spelled)  # type: ignore[arg-type]
        assert setting == plainly
        assert hash(setting) == hash(plainly)
        assert json.dumps(setting.to_json()) == json.dumps(plainly.to_json())
        assert type(setting.fraction) is float
        assert setting.ranking == (fraction > 0)
        assert Setting.from_json(json.loads(json.dumps(setting.to_json()))) == plainly


@given(some.floats(0, 1))
@example(1e-12)
@example(5e-7)
@example(1 - 1e-9)
def test_a_fraction_stays_what_it_is_to_a_millionth(fraction: float) -> None:
    kept = Setting("random", fraction=fraction).fraction
    assert abs(kept - fraction) <= 1e-6
    assert (kept > 0) == (fraction > 1e-9), (
        "more than nothing is one unit at least; 0.3 - 0.1 - 0.2 is nothing"
    )
    assert 0 <= kept <= 1
    assert math.copysign(1, kept) == 1


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    setting = Setting("random", total=np.int64(40), seed=np.int32(3))  # type: ignore[arg-type]
    assert setting == Setting("random", total=40, seed=3)
    assert json.dumps(setting.to_json()) == json.dumps(Setting("random", total=40, seed=3).to_json())


QUANTILES = (0.005, 5e-3, 1 - 0.995, 0.1 * 0.05, np.float64(0.005), np.float32(0.005), Fraction(1, 200))


def test_one_number_has_one_key() -> None:
    digests = ("n", "d", ["conv1"])
    keys = {profile_keys(ProfileRequest("a", "b", quantile=one), *digests).run for one in QUANTILES}  # type: ignore[arg-type]
    assert len(keys) == 1
    assert profile_keys(ProfileRequest("a", "b", quantile=0.0051), *digests).run not in keys
    for equal in (
        (0, 0.0, -0.0, np.float32(0)),
        (1, 1.0, np.int64(1)),
        (0.05, 5e-2, 0.1 / 2, np.float32(0.05)),
    ):
        asked = [RelevanceRequest("a", "b", tolerance=one) for one in equal]  # type: ignore[arg-type]
        assert len({relevance_key(one, ("n", "d"), "bench", [1], [2]) for one in asked}) == 1
        assert len({canonical_json(one.to_json()) for one in asked}) == 1
    other = RelevanceRequest("a", "b", tolerance=0.051)
    assert relevance_key(other, ("n", "d"), "bench", [1], [2]) != relevance_key(
        asked[0], ("n", "d"), "bench", [1], [2]
    )


@given(some.floats(0, 1, exclude_min=True, exclude_max=True))
@example(math.nextafter(1, 0))
@example(5e-324)
def test_any_quantile_can_be_asked_for(quantile: float) -> None:
    request = ProfileRequest("a", "b", quantile=quantile)
    assert 0 < request.quantile < 1
    assert math.isclose(request.quantile, quantile, rel_tol=1e-6)
    again = ProfileRequest.from_json(json.loads(json.dumps(request.to_json())))
    assert again == request


@pytest.mark.parametrize("name", ["images", "points", "most_points"])
def test_yes_is_no_number(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is True"):
        RelevanceRequest("a", "b", **{name: True})


@pytest.mark.parametrize("tolerance", [-1e-9, math.inf, math.nan, True, "0.05", None])
def test_a_tolerance_that_is_none(tolerance: object) -> None:
    with pytest.raises(ParameterError, match="tolerance is"):
        RelevanceRequest("a", "b", tolerance=tolerance)  # type: ignore[arg-type]


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
