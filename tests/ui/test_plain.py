"""Names from data format nothing, load nothing and link nowhere, in Markdown and in figures."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as some
from markdown_it import MarkdownIt

from interpret_core.figures import concepts as figures
from interpret_core.figures import curves
from interpret_core.figures.text import figure_text, unfigured
from tests.ui import records
from tests.ui.conftest import HOSTILE
from tests.ui.drawn import drawn
from ui.components import facts
from ui.concepts import tables
from ui.shell.plain import plain

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
NAMES = [
    *HOSTILE.values(),
    "# head",
    "1. one",
    "a_b_c",
    "x -> y",
    "a\n\nb",
    "=",
    "&lt;b&gt;",
    ":red[x]",
    "\\",
]


def read(text: str) -> str:
    """What a reader sees of Markdown that holds nothing but one paragraph of text; fails on anything else."""
    tokens = MARKDOWN.parse(text)
    kinds = [token.type for token in tokens]
    assert kinds in ([], ["paragraph_open", "inline", "paragraph_close"]), kinds
    children = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in children} <= {"text", "text_special"}
    return "".join(child.content for child in children).replace("\u2060", "")


@pytest.mark.parametrize("name", NAMES)
def test_markdown_shows_the_name_letter_by_letter(name: str) -> None:
    assert read(plain(name)) == " ".join(name.split())


@given(some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_any_name_stays_text(name: str) -> None:
    assert read(plain(name)) == " ".join(name.split())


@pytest.mark.parametrize("name", ["https://a.b/c", "www.a.b", "me@a.b", ":smile:", ":material/home:"])
def test_what_links_after_the_escapes_is_broken_up(name: str) -> None:
    assert "\u2060" in plain(name)


def hostile_view():
    view = records.view()
    profile = view.summary.profile
    names = list(HOSTILE.values())
    rows = [[n, names[(n - 1) % len(names)], c] for n, _, c in profile.metadata["concepts"]]
    evil = dataclasses.replace(profile, metadata={**profile.metadata, "concepts": rows})
    return dataclasses.replace(view, summary=dataclasses.replace(view.summary, profile=evil))


def test_sentences_are_one_paragraph_of_text() -> None:
    view = hostile_view()
    for concept in range(len(view.concepts)):
        assert view.concepts[concept].name in read(facts.evidence_words(view, concept))


def test_figures_draw_names_and_keep_them_for_clicks() -> None:
    rows = [(name, "object", 3, 0.1) for name in HOSTILE.values()]
    bars = drawn(figures.concept_bars(rows, badge="<b>x</b>")).data[0]
    assert [point[0] for point in bars.customdata] == [name for name, *_ in rows][::-1]
    view = hostile_view()
    layer = {"<a href='x'>y</a>": view}
    every = [
        drawn(figures.concept_bars(rows, badge="<b>x</b>")),
        drawn(figures.detector_bars(tables.panel(layer))),
        drawn(curves.sensitivity_curve(tables.CUTOFFS, tables.curves(layer), 0.04)),
        drawn(curves.quality_lines({"<i>n</i>": {"<i>l</i>": (0.1, 0.1, 0.1)}})),
    ]
    for figure in every:
        for trace in figure.to_dict()["data"]:
            trace.pop("customdata", None)  # never every: templates name its numbers only
            text = repr(trace).replace("<br>", "").replace("<extra></extra>", "")
            assert "<" not in text
        assert "<" not in repr(figure.to_dict()["layout"])
        assert "%{customdata[0]}" not in repr(drawn(figures.concept_bars(rows)))
    assert "%{" not in figure_text("%{x}")


@pytest.mark.parametrize("name", [*HOSTILE.values(), "a &amp; b", "<b>bold</b>", "%{x} %\u2060{y}"])
def test_a_figure_s_text_is_read_back_as_it_was(name: str) -> None:
    if "%\u2060{" not in name:
        assert unfigured(figure_text(name)) == name
    assert "<" not in unfigured(f"<b>▸ {figure_text('x')}</b>")
