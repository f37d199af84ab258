"""The home page's first unit is chosen by the numbers: the one whose label misleads most."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from interpret_core.measures.assessment.words import Assessment
from tests.ui import records
from tests.ui.test_demo import ALEXNET, words
from ui.components.misnomer import Misnomer, misnomer
from ui.home import welcome
from ui.session.layers import Layers
from ui.session.profiles.sketch import Sketch, record_of
from ui.session.view import LayerView
from ui.shell import links
from ui.shell.sidebar import Ask


def seen(layer: str = "conv1", **columns: Mapping[int, Any]) -> LayerView:
    """A layer in which units 0, 6, 12 … are colours, all of them labelled by an object and above chance."""
    view = records.view(layer=layer, with_chance=False, with_assessment=True)
    made = view.summary
    assert made.assessment is not None
    objects = np.zeros_like(made.top_concept)
    changed = dataclasses.replace(
        made,
        top_concept=objects,
        top_iou=np.full_like(made.top_iou, 0.05),
        significant=np.ones_like(made.significant),
    )
    arrays = {"precision": made.assessment.arrays["precision"].copy(), "top_iou": changed.top_iou}
    arrays |= {"significant": changed.significant, "top_concept": changed.top_concept}
    for name, values in columns.items():
        for unit, value in values.items():
            arrays[name][unit] = value
    assessment = dataclasses.replace(
        made.assessment, arrays={**made.assessment.arrays, "precision": arrays["precision"]}
    )
    summary = dataclasses.replace(changed, assessment=assessment)
    return dataclasses.replace(view, summary=summary)


class Made:
    """Layers as the store would have them."""

    def __init__(self, *views: LayerView) -> None:
        self.views = {view.layer.name: view for view in views}
        self.loaded: list[str] = []

    def layer(self, name: str) -> LayerView:
        self.loaded.append(name)
        return self.views[name]

    def sketch(self, name: str) -> Sketch:
        return Sketch(name, record_of(self.views[name]))

    def outline(self) -> Any:
        raise AssertionError("the choice needs none")


def of(*views: LayerView, assessed: bool = True) -> Layers:
    return laid(Made(*views), assessed=assessed)


def laid(made: Made, *, assessed: bool = True) -> Layers:
    return Layers(list(made.views), made, 0.04, chance=True, assessed=assessed)


def unit_of(*views: LayerView) -> tuple[str, int] | None:
    found = misnomer(of(*views))
    return found and (found.layer, found.unit)


def test_the_largest_margin_times_iou_wins_over_all_layers() -> None:
    first = seen("conv1", precision={6: [0.40, 0.02, 0.4]})
    second = seen("conv2", precision={12: [0.41, 0.02, 0.4]})
    assert unit_of(first) == ("conv1", 6)
    assert unit_of(first, second) == ("conv2", 12)
    believed = seen("conv1", precision={6: [0.40, 0.02, 0.4]}, top_iou={12: 0.2})
    assert unit_of(believed) == ("conv1", 12), "a margin of 0.28 that four times the overlap speaks for"


def test_what_it_says_is_what_the_numbers_say() -> None:
    view = seen(precision={6: [0.40, 0.03, 0.4]})
    found = misnomer(of(view))
    assert isinstance(found, Misnomer)
    assert view.assessment(found.unit) is Assessment.COLOUR
    assert found.label == view.label(6) == "wheel"
    assert (found.colour, found.annotation) == (0.40, 0.03)
    shade = view.nearest_shade(6)
    assert shade is not None
    assert found.shade == shade[0]


@pytest.mark.thorough
def test_a_colour_name_a_chance_result_or_an_object_does_not_mislead() -> None:
    red = next(at for at, one in enumerate(records.concepts()) if one[2] == "color")
    best = {6: [0.9, 0.0, 0.9]}
    assert unit_of(seen(precision=best)) == ("conv1", 6)
    assert unit_of(seen(precision=best, top_concept={6: red})) != ("conv1", 6)
    assert unit_of(seen(precision=best, significant={6: False})) != ("conv1", 6)
    assert unit_of(seen(precision={7: [0.9, 0.0, 0.9]})) != ("conv1", 7), "it is an object"


def test_a_unit_that_its_page_calls_unexplained_is_not_shown() -> None:
    faint = seen(precision={6: [0.09, 0.0, 0.09]}, top_iou={6: 0.9})
    words_of = faint.summary.assessed
    assert words_of is not None
    assert words_of[6] is Assessment.COLOUR
    changed = dataclasses.replace(faint.summary, faint=np.arange(faint.layer.units) == 6)
    view = dataclasses.replace(faint, summary=changed)
    assert view.assessment(6) is Assessment.UNEXPLAINED
    assert unit_of(view) != ("conv1", 6)


def test_without_an_assessment_or_such_a_unit_there_is_none() -> None:
    assert misnomer(of(seen(), assessed=False)) is None
    assert misnomer(of(records.view(layer="conv1"))) is None
    assert misnomer(of(seen(significant=dict.fromkeys(range(24), False)))) is None


@pytest.mark.thorough
def test_every_layer_is_looked_through_and_none_is_read_for_it() -> None:
    views = [seen(f"conv{number}") for number in range(1, 30)]
    made = Made(*views, seen("conv30", precision={18: [0.9, 0.02, 0.9]}))
    found = misnomer(laid(made))
    assert found is not None
    assert (found.layer, found.unit) == ("conv30", 18)
    assert made.loaded == []


def test_shades_of_one_name_lose_their_number() -> None:
    view = seen()
    named = dict(view.metadata) | {"shade_names": ["green 3", "green 3", "green 3", "green 3"]}
    profile = dataclasses.replace(view.summary.profile, metadata=named)
    found = misnomer(
        of(dataclasses.replace(view, summary=dataclasses.replace(view.summary, profile=profile)))
    )
    assert found is not None
    assert found.shade == "green"


def test_the_welcome_opens_it_and_escapes_its_label() -> None:
    view = seen(precision={6: [0.40, 0.03, 0.4]})
    step = welcome._misleading(Ask(ALEXNET, "demo"), of(view))
    assert step is not None
    assert step.units[0] == step.parameters["unit"] == 6
    assert (step.page, step.parameters["layer"]) == (links.UNITS, "conv1")
    assert "Labelled “wheel”, yet it responds to a shade of " in step.text
    concepts = [[number, "[x](https://a.invalid)", category] for number, _, category in records.concepts()]
    hostile = dataclasses.replace(view.summary.profile, metadata=dict(view.metadata) | {"concepts": concepts})
    odd = dataclasses.replace(view, summary=dataclasses.replace(view.summary, profile=hostile))
    text = welcome._misleading(Ask(ALEXNET, "demo"), of(odd))
    assert text is not None
    assert "[x](" not in text.text


@pytest.mark.parametrize(("annotation", "said"), [(0.36, "less well (0.36)"), (0.01, "hardly (0.01)")])
def test_the_annotation_tells_hardly_only_where_it_is_as_good_as_guessing(
    annotation: float, said: str
) -> None:
    view = seen(precision={6: [0.40, annotation, 0.4]}, top_iou={6: 0.9})
    step = welcome._misleading(Ask(ALEXNET, "demo"), of(view))
    assert step is not None
    assert step.units[0] == 6
    assert f"(average precision 0.40), the annotation {said}. " in step.text


def test_ones_own_network_gets_it_on_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(links, "link", lambda label, **where: shown.append((label, where)))

    def script() -> None:
        from tests.ui.test_misnomer import found_one, seen
        from ui.home import overview

        overview._misleading(found_one(), seen())

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert "Labelled “wheel”, yet it responds to a shade of " in words(app)
    assert shown[0][1]["unit"] == 6


def test_without_one_the_first_card_is_the_papers_unit() -> None:
    step = welcome._one_unit(of(seen("conv1")))
    assert step.parameters["unit"] == 23, "there are 24 units"
    assert "Unit 23 of conv1" in step.text


def found_one() -> Misnomer:
    found = misnomer(of(seen(precision={6: [0.40, 0.03, 0.4]})))
    assert found is not None
    return found
