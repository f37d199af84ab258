"""One concept in every network at once: the picker, and its best units side by side."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from interpret_core.figures.curves import BestLine, best_lines
from interpret_core.figures.template import SMALL
from ui.components.cards.cards import Card, cards
from ui.components.chart.chart import chart, finished
from ui.components.reveal.reveal import reveal
from ui.concepts import matches, tables
from ui.concepts.matches import Found, Match
from ui.session import resources
from ui.session.view import LayerView, Views, whose
from ui.shell import links, state
from ui.shell.how import how
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text, iou_text

SECTION = "linked"


class Side(NamedTuple):
    """One network beside the others.

    Attributes:
        called: its title, unlike that of the others.
    """

    name: str
    views: Views
    found: Found
    called: str

    @property
    def first(self) -> LayerView:
        """Any of its layers, for what they have in common."""
        return next(iter(self.views.values()))

    @property
    def title(self) -> str:
        """As Markdown shows it letter by letter."""
        return plain(self.called)


def pick(networks: dict[str, Views]) -> str:
    """The concept that the URL names, in a box to search; its × clears it everywhere."""
    firsts = [next(iter(views.values())) for views in networks.values()]
    every = {concept.name for first in firsts for concept in first.concepts}

    def meant(name: str) -> list[str]:
        return list(dict.fromkeys(one for first in firsts for one in first.meant(name)))

    chosen = state.one_of("concept", sorted(every), "", "concept", meant)
    totals = [tables.totals(views) for views in networks.values()]
    numbers = {name: [total.get(name, 0) for total in totals] for total in totals for name in total}
    options = sorted(numbers, key=lambda name: (-sum(numbers[name]), name))
    if chosen and chosen not in numbers:  # left out for too few images: named, so that it can be cleared
        options.append(chosen)

    def words(name: str) -> str:
        return f"{name} · {' | '.join(map(str, numbers[name]))}" if name in numbers else name

    key = state.follow("pick_concept", chosen or None)
    several = " in each network" if len(networks) > 1 else ""
    st.selectbox(
        "Concept",
        options,
        index=None,
        key=key,
        width=300,
        label_visibility="collapsed",
        help=f"Beside each concept, its detectors{several}.",
        format_func=words,
        placeholder=f"mark one of {len(options)} concepts",
        on_change=state.writer("concept", key, lambda value: value or ""),
    )
    return chosen


def section(networks: dict[str, Views], concept: str) -> None:
    """The concept's best units in each network, and how good they are in each layer."""
    reveal(key="reveal", data={"token": concept, "section": f".st-key-{SECTION}"})
    if not concept:
        st.caption("Choose a concept here, in the bars or in the table below: it is then marked everywhere.")
        return
    titles = tables.titles(networks)
    sides = [
        Side(name, views, matches.find(views, concept), titles[name]) for name, views in networks.items()
    ]
    with st.container(key=SECTION):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            where = "in each network" if len(sides) > 1 else f"in {sides[0].title}"
            st.subheader(f"*{plain(concept)}* {where}", width="content")
            clear = {"on_click": state.change, "kwargs": {"concept": ""}}
            st.button("✕ Clear", key="clear_concept", type="tertiary", **clear)  # type: ignore[arg-type]
            how("best", "iou", "ceiling", "chance")
        st.caption(_rests_on(sides))
        for place, side in zip(st.columns(len(sides), gap="medium"), sides, strict=True):
            with place:
                _side(side, concept, alone=len(sides) == 1)
        _lines(sides, concept)


def _rests_on(sides: list[Side]) -> str:
    """How many images the concept's numbers rest on."""
    found = next((side.found for side in sides if side.found.known), None)
    if found is None:
        return "It is not annotated here."
    facts = sides[0].first.facts
    few = ": few, read with care" if found.images < SMALL else ""
    return (
        f"Annotated in {found.images:,} of {count_text(facts.images, 'image')}{few}. "
        "The best units over all layers, whatever their own label."
    )


def _side(side: Side, concept: str, *, alone: bool) -> None:
    """One network's best units, and the way to its detectors."""
    facts, found = side.first.facts, side.found
    units = sum(view.layer.units for view in side.views.values())
    if not alone:
        st.markdown(f"**{side.title}** · {plain(facts.evidence)}")
    if not found.included:
        least = side.first.summary.settings.min_images
        st.info(
            f"Left out: it is annotated in {count_text(found.images, 'image')}, fewer than {least}. "
            "Lower “Images per concept” on the left to count it."
            if found.known
            else "This result has no such concept."
        )
        return
    if not found.best:
        st.info(f"None of its {count_text(units, 'unit')} overlaps with it.")
        return
    if found.detectors:
        richest = max(found.detectors, key=lambda layer: found.detectors[layer])
        total = sum(found.detectors.values())
        st.caption(
            f"{count_text(total, 'detector')} of it among {units:,} units, in "
            f"{count_text(len(found.detectors), 'layer')}, most in {plain(richest)} "
            f"({found.detectors[richest]:,})."
        )
    else:
        st.caption(f"No detector of it among {count_text(units, 'unit')}. The nearest:")
    cards([_card(side, match, concept) for match in found.best], key_of("matches", side.name))
    if found.detectors:
        links.link(
            f"See its detectors in {side.title} →",
            network=side.name,
            layer=richest,
            concept=concept,
            detectors=1,
        )


def _card(side: Side, match: Match, concept: str) -> Card:
    """Picture, place and numbers."""
    before, after = resources.thumbnail(side.views[match.layer])
    return Card(
        links.to("units", network=side.name, layer=match.layer, unit=match.unit, annotate=concept),
        f"{before}{match.unit}{after}",
        f"{match.layer} · unit {match.unit}",
        f"IoU {iou_text(match.iou)} of at most {iou_text(match.ceiling)} · {matches.words(match)}",
    )


def _lines(sides: list[Side], concept: str) -> None:
    shown = [side for side in sides if side.found.best]
    if not shown:
        return
    lines = [
        BestLine(
            side.called,
            [depth.layer for depth in side.found.depths],
            [depth.unit for depth in side.found.depths],
            [depth.iou for depth in side.found.depths],
        )
        for side in shown
    ]
    badge = whose([side.first.facts for side in shown])
    st.markdown("**Best IoU in each layer**")
    figure = best_lines(lines, shown[0].first.cutoff, badge=badge)
    chart(finished(figure, f"Best IoU with {concept} in each layer"), "best_lines")
