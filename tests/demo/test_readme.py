"""What the README concludes from the demo is what the demo's results say."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.tables import losses
from interpret_core import demo, networks
from interpret_core.analyses.ablation.grid import find_grid
from interpret_core.analyses.ablation.plan import ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest, Settings
from interpret_core.analyses.profile.summary import summarise
from interpret_core.measures.ablation.settings import Setting
from interpret_core.measures.assessment.words import Assessment
from interpret_core.runtime.execution import Execution
from interpret_core.store.bundle.shipped import MANIFEST
from interpret_core.store.store import Store

pytestmark = [
    pytest.mark.usefixtures("demo_shown"),
    pytest.mark.skipif(not (demo.RESULTS / MANIFEST).is_file(), reason="demo/results is not made yet"),
]
TEXT = " ".join((Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8").split())
NETWORK, UNIT, NEEDED = f"{demo.PREFIX}alexnet", 55, "refrigerator"


def layers(cache, *names):
    """Summaries of AlexNet's layers, from what is shipped."""
    with Store(cache) as store:
        done = run_profile(ProfileRequest(NETWORK, demo.NAME, names), store, Execution(device="cpu"))
        found = find_profiles(done.keys, store).values()
    assert not done.computed
    return [summarise(one.profile, one.chance, Settings(), one.assessment) for one in found]


def test_a_unit_that_is_called_a_rug_responds_to_a_shade_of_blue(tmp_path):
    (conv1,) = layers(tmp_path / "cache", "conv1")
    profile, best = conv1.profile, conv1.best_concept[UNIT]
    assert profile.concept_names[best] == "rug"
    assert conv1.detector[UNIT]
    assert conv1.significant[UNIT]
    assert conv1.said(UNIT) is Assessment.COLOUR
    shade = profile.shade_iou[UNIT].argmax()
    assert profile.metadata["shade_names"][shade].startswith("blue")
    active = profile.arrays["active_total"][UNIT]
    held = [profile.arrays["shade_intersection"][UNIT, shade], profile.arrays["intersection"][UNIT, best]]
    blue, rug = (f"{count / active:.0%}".replace("%", " %") for count in held)
    assert f"One shade of blue fills {blue} of its mask, rugs fill {rug}" in TEXT


def test_first_layers_see_colours_and_most_of_the_last_is_unexplained(tmp_path):
    first, last = layers(tmp_path / "cache", "conv1", "conv5")

    every = [int(layer.detector.sum()) for layer in (first, last)]
    colours = first.detectors_assessed(Assessment.COLOUR)
    unexplained = last.detectors_assessed(Assessment.UNEXPLAINED)
    assert last.detectors_assessed(Assessment.COLOUR) == 0
    told = f"{every[0]} detectors in `conv1`, {colours} are colours rather than objects, of the {every[1]}"
    assert f"{told} in `conv5` none. But {unexplained} of those {every[1]} are" in TEXT


@pytest.mark.thorough
def test_few_units_are_needed_for_refrigerators_alone(tmp_path):
    with Store(tmp_path / "cache") as store:
        grid = find_grid(ablation_plan(AblationRequest(NETWORK, demo.NAME), store, networks.load(NETWORK)))
    setting = Setting("relevance", NEEDED, "top", 0.03)
    intact, without = grid.evaluation(Setting()), grid.evaluation(setting)
    at = grid.plan.number(NEEDED)
    lost = intact.right - without.right
    others = [int(lost[grid.plan.number(name)]) for name in grid.classes if name != NEEDED]
    assert (intact.right[at], without.right[at], max(others)) == (24, 1, 3)
    assert losses(grid, NEEDED, 0.03)[0].mean == 0
    units = sum(map(len, grid.plan.selection(setting).values()))
    assert f"Without the {units} units most relevant for refrigerators" in TEXT
    assert "recognises 1 of 24 in place of 24; the other classes lose three pictures at most" in TEXT
