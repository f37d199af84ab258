"""Heights and places of a figure's marks are those of its numbers."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from interpret_core.reproduction.charts import HEIGHT, TOP, Axes, Curve, bars, lines, number


def marks(svg: str, tag: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in ElementTree.fromstring(svg).iter(tag)]


def test_stacks_are_as_high_as_their_counts():
    axes = Axes("stacks", ["a", "b"], 40)
    found = marks(bars(axes, [("of one", "object", [30, 0]), ("of the other", "part", [10, 20])]), "rect")
    assert axes.top == 40
    heights = {(one["class"], float(one["x"])): float(one["height"]) for one in found}
    assert len(found) == 3, "nothing is drawn of nothing"
    assert sorted(heights.values()) == pytest.approx([HEIGHT * share for share in (0.25, 0.5, 0.75)], abs=0.1)
    lower = next(one for one in found if one["class"] == "object")
    upper = next(one for one in found if one["class"] == "part" and one["x"] == lower["x"])
    assert float(upper["y"]) + float(upper["height"]) == pytest.approx(float(lower["y"]), abs=0.11)


def test_a_line_leaves_out_what_is_not_known():
    svg = lines(Axes("line", ["0 %", "1 %", "2 %"], 100, " %"), [Curve("cat", "top", [100.0, None, 50.0])])
    dots = marks(svg, "circle")
    assert [float(dot["cy"]) for dot in dots] == pytest.approx([TOP, TOP + HEIGHT / 2])
    assert "cat, 2 %: 50 %" in svg


def test_deviations_stay_within_the_figure():
    axes = Axes("line", ["a"], 100)
    (_, bar) = (
        one["d"]
        for one in marks(lines(axes, [Curve("r", "random", [95.0], [10.0])]), "path")
        if "random" in one["class"]
    )
    high, low = map(float, re.fullmatch(r"M\S+ (\S+)V(\S+)", bar).groups())
    assert (high, low) == (pytest.approx(TOP, abs=0.1), pytest.approx(axes.y(85), abs=0.1))


@pytest.mark.parametrize(
    ("most", "top"), [(1, 1), (3, 3), (40, 40), (41, 60), (100, 100), (0.031, 0.04), (1e-12, 1e-12)]
)
def test_axes_end_above_the_largest_number(most, top):
    assert Axes("", ["a"], most).top == pytest.approx(top)


def test_what_names_hold_is_text():
    svg = bars(Axes('<"&', ["<script>"], 1), [("<b>", "object", [1])])
    assert "<script>" not in svg
    ElementTree.fromstring(svg)


def test_numbers_in_few_digits():
    assert [number(one) for one in (0, 1234.5, 35.0, 0.256789, 3e-05)] == [
        "0",
        "1,234",
        "35",
        "0.257",
        "3e-05",
    ]
