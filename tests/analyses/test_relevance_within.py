"""Relevance within a bound on the time: the same as without one, and what there was no time for is said."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from interpret_core.analyses import registry
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.analyses.relevance.report import description, report
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.within import OutOfTimeError, run_within
from interpret_core.errors import Cancelled, ParameterError
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.related import asked, write_objects
from tests.slow import slow

LOOKS = (6, 20, 50, 120)  # at the clock, until the time is over


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of balls and four of boxes."""
    root = write_objects(tmp_path_factory.mktemp("objects") / "data", per_class=8)
    table = root / "classes.csv"
    balls = [line for line in table.read_text().splitlines() if line.endswith(",ball")]
    table.write_text(
        "\n".join(line for line in table.read_text().splitlines() if line not in balls[:2]) + "\n"
    )
    return root


@pytest.fixture(scope="module")
def request_(root: Path) -> RelevanceRequest:
    """So few gradients to begin with that some paths need more, and some more than there are."""
    return asked(root, points=2, most_points=16, tolerance=0.01)


def bounded(request: RelevanceRequest, folder: Path, looks: int) -> Related:
    """By a clock that goes on by a second whenever somebody looks."""
    with Store(folder, shipped=()) as store:
        return run_within(request, store, Execution("cpu"), looks, count().__next__)


@pytest.mark.thorough
def test_with_time_enough_every_class_is_as_fine_as_it_gets(
    request_: RelevanceRequest, tmp_path: Path
) -> None:
    found = bounded(request_, tmp_path / "bounded", 10**6)
    assert sorted(found.classes) == ["ball", "box"]
    assert found.left_out == ()
    with Store(tmp_path / "whole", shipped=()) as store:
        whole = run_relevance(request_, store, Execution("cpu"))
    for name, one in found.classes.items():
        for array, values in whole.classes[name].arrays.items():
            np.testing.assert_array_equal(one.arrays[array], values, array)


@pytest.mark.thorough
@pytest.mark.parametrize("several", [LOOKS[:2], slow(LOOKS)])
def test_what_is_given_is_that_of_a_request_without_a_bound(
    request_: RelevanceRequest, tmp_path: Path, several: tuple[int, ...]
) -> None:
    fineness: list[tuple[int, ...]] = []
    for looks in several:
        try:
            found = bounded(request_, tmp_path / str(looks), looks)
        except OutOfTimeError:
            fineness.append((0, 0))
            continue
        points = {name: one.metadata["most_points"] for name, one in found.classes.items()}
        fineness.append(tuple(points.get(name, 0) for name in ("ball", "box")))
        with Store(tmp_path / f"again-{looks}", shipped=()) as store:
            for name, most in points.items():
                alone = replace(request_, classes=(name,), most_points=most)
                again = run_relevance(alone, store, Execution("cpu")).classes[name]
                np.testing.assert_array_equal(
                    again.arrays["relevance"], found.classes[name].arrays["relevance"]
                )
        late = {"ball", "box"} - set(points)
        assert dict(found.left_out) == dict.fromkeys(late, f"no time left within {looks} s")
    first = next(one for one in fineness if any(one))
    assert first[1] > 0, "the class with most images comes first"
    assert fineness == sorted(fineness), "more time gives no less"
    assert len(set(fineness)) > 1, "and sometimes more"


@pytest.mark.thorough
def test_it_says_what_there_was_no_time_for(request_: RelevanceRequest, tmp_path: Path) -> None:
    seen = set()
    for looks in LOOKS[:2]:
        try:
            found = bounded(request_, tmp_path / str(looks), looks)
        except OutOfTimeError:
            continue
        lines = [line for line in report(found, verbose=False) if isinstance(line, str)]
        early = {name for name, one in found.classes.items() if one.metadata["most_points"] < 16}
        coarse = {name for name in early if found.classes[name].flagged.any()}
        told = [line for line in lines if line.startswith("no time for finer paths: ")]
        assert bool(told) == bool(coarse)
        assert all(name in told[0] for name in coarse)
        written = {one["class"]: one.get("most_points") for one in description(found)["classes"]}
        assert {name for name, most in written.items() if most is not None} == early
        seen.add(bool(coarse))
    assert seen >= {True}


def test_what_is_stored_in_full_takes_no_time(request_: RelevanceRequest, tmp_path: Path) -> None:
    with Store(tmp_path / "cache", shipped=()) as store:
        run_relevance(request_, store, Execution("cpu"))
    found = bounded(request_, tmp_path / "cache", 30)
    assert found.computed == ()
    assert {one.metadata["most_points"] for one in found.classes.values()} == {16}


def test_without_a_tolerance_nothing_is_tried_twice(request_: RelevanceRequest, tmp_path: Path) -> None:
    found = bounded(replace(request_, tolerance=0.0), tmp_path / "cache", 10**6)
    assert {one.metadata["most_points"] for one in found.classes.values()} == {16}
    with Store(tmp_path / "cache", shipped=()) as store:
        assert len(list(store.keys("relevance/"))) == 2


@pytest.mark.thorough
def test_a_large_request_begins_with_a_look_at_every_class(
    request_: RelevanceRequest, tmp_path: Path
) -> None:
    """A quarter of the gradients to begin with; never the end, also where its paths are complete."""
    large = replace(request_, points=16, most_points=32, tolerance=0.5)
    with Store(tmp_path / "early", shipped=()) as store:
        look = replace(large, points=4, most_points=4)
        run_relevance(look, store, Execution("cpu"))
    early = bounded(large, tmp_path / "early", 2)
    assert {one.metadata["most_points"] for one in early.classes.values()} == {4}
    assert early.computed == ()
    (told,) = [line for line in report(early, verbose=False) if "no time for finer" in str(line)]
    for name, one in early.classes.items():
        assert f"{name} (4 gradients, residual {np.median(one.residual):.2f})" in str(told)
    assert {one["points"] for one in description(early)["classes"]} == {4}
    found = bounded(large, tmp_path / "cache", 10**6)
    assert {one.metadata["most_points"] for one in found.classes.values()} <= {16, 32}
    with Store(tmp_path / "cache", shipped=()) as store:
        looked = run_relevance(look, store, Execution("cpu"))
    assert looked.computed == ()


def test_whoever_stops_it_is_heard(request_: RelevanceRequest, tmp_path: Path) -> None:
    stopped = Execution("cpu", cancelled=lambda: True)
    with Store(tmp_path / "cache", shipped=()) as store, pytest.raises(Cancelled):
        run_within(request_, store, stopped, 1000)


def test_a_class_without_a_usable_image_is_not_late(
    root: Path, request_: RelevanceRequest, tmp_path: Path
) -> None:
    other = write_objects(tmp_path / "data", per_class=4)
    for picture in (other / "images").glob("ball-*.png"):
        picture.write_bytes(b"no picture")
    found = bounded(replace(request_, dataset=str(other)), tmp_path / "cache", 10**6)
    assert list(found.classes) == ["box"]
    ((name, why),) = found.left_out
    assert name == "ball"
    assert "none of its" in why


def test_no_time_and_no_bound(request_: RelevanceRequest, tmp_path: Path) -> None:
    with pytest.raises(OutOfTimeError, match=r"^1 s were not enough for the relevance of one class of "):
        bounded(request_, tmp_path / "short", 1)
    with Store(tmp_path / "cache", shipped=()) as store:
        with pytest.raises(ParameterError, match="expected more than 0"):
            run_within(request_, store, Execution("cpu"), 0)
        with pytest.raises(ParameterError, match="profile cannot be bounded in time"):
            registry.compute(ProfileRequest(request_.network, request_.dataset), store, seconds=5)
