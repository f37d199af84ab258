"""Every figure of every page says in its title what it shows, of which networks, on which data set."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core.figures.colours import badge_of_all
from interpret_core.figures.template import headline
from interpret_core.provenance import made_with
from tests.slow import thorough_beyond
from tests.ui.test_pages import open_page
from ui.components.imprint import imprint

HERE = {"network": "classy", "dataset": "classed"}
BESIDE = {"compare": "classy_other"}
TARGET = {"class": "red square", "percent": "20"}
FIGURES = {  # page -> its view and how many figures there are
    "units, responses": ("units", {"layer": "conv2", "unit": "3", "below": "responses"}, 1),
    "units, relevance": ("units", {"layer": "conv2", "unit": "3", "below": "relevance"}, 1),
    "concepts": ("concepts", {"concept": "red square", "cutoff": "0.01"}, 6),
    "concepts, two": ("concepts", {"concept": "red square", "cutoff": "0.01", **BESIDE}, 7),
    "relevance, two": ("relevance", BESIDE, 2),
    "agreement": ("agreement", {}, 3),
    "agreement, two": ("agreement", BESIDE, 4),
    "shared": ("shared", {}, 2),
    "ablation, curves": ("ablation", {**TARGET, "part": "curves"}, 2),
    "ablation, matrix": ("ablation", {**TARGET, "part": "matrix"}, 2),
    "ablation, networks": ("ablation", {**TARGET, "part": "networks", **BESIDE}, 2),
    "ablation, units": ("ablation", {**TARGET, "part": "units"}, 2),
}
# Of several networks in one drawing, not of each in its own.
TOGETHER = re.compile(
    "Colours and objects over depth|Error by layer|Best IoU with .*|Mean top-t IoU|Equal numbers .*"
)
BOTH = "classy (random weights), classy_other (random weights) on classed"


def figures(app: AppTest) -> list[dict[str, Any]]:
    """What each figure of a page that can be saved says of itself."""
    drawn = [json.loads(node.proto.bytes) for node in app.get("bidi_component") if node.proto.bytes]
    return [one["imprint"] for one in drawn if "imprint" in one and one.get("figure", True)]


@thorough_beyond(8)
@pytest.mark.usefixtures("with_ablation")
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_shows_and_whose_it_is(name: str) -> None:
    page, view, number = FIGURES[name]
    found = figures(open_page(f"pages/{page}.py", **HERE, **view))
    assert len(found) == number
    for told in found:
        what, *whose = told["title"].split(" · ")
        assert what[0].isupper()
        assert "classy" not in what
        assert " on classed" in whose[0]
        assert "random weights" in " ".join(whose)
        assert told["made_with"] == made_with()
        assert (whose[0] == BOTH) == (BESIDE.items() <= view.items() and bool(TOGETHER.fullmatch(what)))


def test_a_title_of_several_networks_gives_each_its_evidence() -> None:
    assert badge_of_all([("A", "trained")], "scenes") == "A on scenes · trained"
    assert badge_of_all([("A", "trained"), ("A", "trained")], "scenes") == "A on scenes · trained"
    both = [("A", "trained"), ("B (demo)", "demo")]
    assert badge_of_all(both, "scenes") == "A (trained), B (demo) on scenes"


def test_a_file_is_called_after_its_title() -> None:
    told = imprint(headline("Sets of “cat”", "A on B · demo"))
    assert told["title"] == "Sets of “cat” · A on B · demo"
    assert told["file"] == "Sets-of-cat-A-on-B-demo"
    assert imprint(headline("Sets", ""))["title"] == "Sets"
