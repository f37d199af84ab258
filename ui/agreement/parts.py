"""The Agreement page's parts: Table I with its slider, errors by layer, cells, one cell's units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import streamlit as st

from interpret_core.analyses.agreement import compute as agreements
from interpret_core.analyses.agreement.request import AgreementSettings
from interpret_core.analyses.agreement.result import REASONS, Agreement, left_out_cells, rows
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import UserError
from interpret_core.figures import agreement as figures
from interpret_core.measures.agreement import Cell as State
from interpret_core.options import AGREEMENT_PERMUTATIONS
from ui.agreement import rows as agreement_rows
from ui.agreement.untrained import UntrainedControl
from ui.components.chart.chart import Finished, chart, finished
from ui.components.heat.heat import heat_map
from ui.components.markup import category_key
from ui.components.saves import saves
from ui.components.slider.slider import Bounds, live_slider
from ui.components.table.markup import table_markup
from ui.session import relevances
from ui.session.memory import kept
from ui.session.relevances import Found
from ui.session.totals import SPACE
from ui.session.view import Facts, Views, identity_of, whose
from ui.shell import links, state
from ui.shell.how import PAPER, how
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text

PARAMETERS = ("top", "of", "layer", "class")
TOP, MOST = 5, 30  # percent


class Side(NamedTuple):
    """One network's profile and relevance, and what follows from them."""

    name: str
    views: Views
    found: Found
    agreement: Agreement
    untrained: Agreement | None = None  # of its untrained control, where that is computed

    @property
    def facts(self) -> Facts:
        """Who was profiled on what."""
        return next(iter(self.views.values())).facts

    @property
    def evidence(self) -> str:
        """What its weights are worth."""
        return self.facts.evidence

    @property
    def title(self) -> str:
        """As it is."""
        return self.facts.network_title


def top_slider() -> tuple[float, bool]:
    """The share of units to mark, and whether the thumb is at rest; on release it goes to the URL."""
    settled = state.whole("top", 1, MOST, TOP, "percent of units")

    def settle(value: float) -> None:
        state.change(top="" if round(value) == TOP else str(round(value)))

    bounds = Bounds(1, MOST, 1, 0, " %")
    value = round(live_slider("Units marked, top", bounds, settled, "live_top", settle))
    return value / 100, value == settled


def compare(views: Views, found: Found, top: float, permutations: int) -> Agreement:
    """A network's numbers.

    Raises:
        ParameterError: no class has an object concept.
    """
    names = next(iter(views.values())).names
    made = _compare(_keys(views, found), top, permutations, views, found.records)
    return made if names is None else replace(made, metadata=names.told(made.metadata))


Keys = tuple[tuple[str, ...], tuple[str, ...]]


def _keys(views: Views, found: Found) -> Keys:
    """What is compared: the layers' profiles and the classes' relevance."""
    return (
        tuple(view.key for view in views.values()),
        tuple(relevances.digest_of(found, name) for name in found.records),
    )


@kept(128)
def _compare(
    keys: Keys,
    top: float,
    permutations: int,
    _views: Views,
    _records: Mapping[str, ClassRelevance],
) -> Agreement:
    profiles = {name: view.summary.profile for name, view in _views.items()}
    return agreements.agreement(profiles, _records, AgreementSettings(top, permutations))


def permutations(at_rest: bool) -> int:
    """None while the thumb moves: the p-value takes longer than all the rest together."""
    return AGREEMENT_PERMUTATIONS if at_rest else 0


def control_of(control: UntrainedControl | None, top: float, count: int) -> Agreement | None:
    """The numbers of an untrained control, None where they cannot be had.

    Args:
        control: of a network.
        top: as for the network itself: share of units, permutations.
        count: as for the network itself: share of units, permutations.
    """
    if control is None or not control.ready:
        return None
    try:
        return compare(control.views, control.found, top, count)
    except UserError:  # the network itself has said why
        return None


class Line(NamedTuple):
    """A line of Table I."""

    name: str
    title: str
    evidence: str
    agreement: Agreement


def lines(sides: Sequence[Side]) -> list[Line]:
    """Each network, and below it its untrained control."""
    made = []
    for side in sides:
        made.append(Line(side.name, side.title, side.evidence, side.agreement))
        if side.untrained:
            network = side.untrained.metadata["network"]
            made.append(Line(network["name"], network["title"], network["evidence"], side.untrained))
    return made


def table(sides: Sequence[Side], top: float) -> None:
    """Table I: the networks, their untrained controls, and what the paper reports."""
    every = lines(sides)
    rows = [agreement_rows.row(one.agreement, one.evidence, one.title) for one in every]
    st.html(table_markup(agreement_rows.COLUMNS, rows, "Agreement of IoU and relevance"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for one in every:
            if len(every) > 1:
                st.caption(plain(one.title), width="content")
            rows_of = partial(_rows, one.agreement)
            stem = f"agreement_{one.name}_top{round(100 * top)}"
            saves.saves(stem, rows_of, key_of("save_table", one.name))
        how("agreement")
    left_out = sum(len(left_out_cells(side.agreement)) for side in sides)
    if left_out:
        st.caption(
            f"{count_text(left_out, 'cell')} of layer and class left out: fewer than k units overlap the "
            "class's object, or have any relevance; the marks would go by the units' numbers alone."
        )
    for side in sides:
        for name, why in side.agreement.left_out:
            st.caption(f"{plain(side.title)}, class {plain(name)} cannot be compared: {plain(why)}.")
    st.caption(paper_words(sides[0].agreement))


def _rows(found: Agreement) -> list[dict[str, object]]:
    heading = {name: found.metadata[name]["name"] for name in ("network", "dataset")}
    heading["evidence"] = found.metadata["network"]["evidence"]
    return [{**heading, **row} for row in rows(found)]


def paper_words(found: Agreement) -> str:
    """What the paper reports, and which of it cannot be."""
    reported = ", ".join(f"{name} {mean} ± {sd}" for name, (mean, sd) in agreement_rows.PAPER.items())
    mean, sd = agreement_rows.PAPER["ResNet18"]
    widest = agreement_rows.widest(mean, 10.0)
    return (
        f"An error cannot exceed 2k/U, here {100 * agreement_rows.bound(found):.1f}{SPACE}% at most. "
        f"{PAPER}, reports in Table I {reported} and does not say which share it marks. At 5{SPACE}%, "
        f"its ResNet18 row cannot arise: values from 0 to 10 with mean {mean} deviate by {widest:.1f} at "
        f"most, not by {sd}."
    )


def errors(sides: Sequence[Side]) -> None:
    """Mean error of each layer beside chance and beside that of the untrained control."""
    st.subheader("Error by layer")
    badge = whose([side.facts for side in sides])
    drawn = [figures.errors_of(side.agreement, side.title, side.untrained) for side in sides]
    chart(finished(figures.error_lines(drawn, badge=badge), "Error by layer"), "error_lines")


def cells(sides: Sequence[Side]) -> tuple[Side, str, str]:
    """A heat map of cells per network; a click chooses one.

    Returns:
        Network, layer and class that are chosen: the last layer's first class where nobody chose.
    """
    st.subheader("Error by layer and class")
    high = agreement_rows.farthest([side.agreement for side in sides])
    side = {one.name: one for one in sides}[
        state.one_of("of", [one.name for one in sides], sides[0].name, "network")
    ]
    layers, classes = side.agreement.layers, side.agreement.classes
    layer = state.one_of("layer", layers, layers[-1])
    name = state.one_of("class", classes, classes[0], "class")
    for place, one in zip(st.columns(len(sides), gap="medium"), sides, strict=True):
        with place:
            made = agreement_rows.cells_heat(one.agreement, one.facts.badge, high)
            at = (layers.index(layer), classes.index(name)) if one is side else None
            heat_map(made, key_of("cells", one.name), partial(_cell_chosen, one, sides[0].name), at)
    st.caption("Click a cell to see its units below.")
    return side, layer, name


def _cell_chosen(side: Side, first: str, row: int, column: int) -> None:
    of = "" if side.name == first else side.name
    layer, name = side.agreement.layers[row], side.agreement.classes[column]
    state.change(**{"of": of, "layer": layer, "class": name})


def units(side: Side, layer: str, name: str, top: float) -> None:
    """The chosen cell's units: IoU against relevance; a click opens the unit."""
    found, place = side.agreement, side.agreement.classes.index(name)
    here = found.layer(layer)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"{plain(layer)} for *{plain(name)}* in {plain(side.title)}", width="content")
        links.link(
            "Ranked units and maps →",
            links.RELEVANCE,
            **{"network": side.name, "layer": layer, "class": name},
        )
    concept = found.concepts[place]
    if here.kept[place]:
        st.caption(
            f"k = {here.count} of {count_text(here.units, 'unit')} ({100 * top:g} %) marked by IoU with "
            f"“{plain(concept)}” and by relevance, {int(here.both[place])} of them by both · error "
            f"{100 * here.error[place]:.2f} %, chance {100 * here.chance:.2f} % · n = "
            f"{count_text(found.metadata['images'][name], 'image')}"
        )
    else:
        why = REASONS[State(here.state[place])]
        st.caption(f"Left out of the table: {why} (k = {here.count}).")
    key = key_of("scatter", side.name, layer, name)
    which = identity_of(side.views), _keys(side.views, side.found)
    made = _scatter(which, top, layer, name, side.facts.badge, side)
    chart(made, key, partial(_point_chosen, key, side, layer, concept))
    st.caption("Click a point to open the unit. Coloured by the category of the unit's own best concept:")
    st.html(category_key(side.views[layer].categories))
    links.follow()


@kept(128)
def _scatter(
    which: tuple[object, ...], top: float, layer: str, name: str, badge: str, _side: Side
) -> Finished:
    found = _side.agreement
    concept = found.concepts[found.classes.index(name)]
    figure = figures.scatter(
        agreement_rows.points(found, layer, name, _side.views),
        agreement_rows.cuts(found, layer, name),
        {"x": f"IoU with {concept}", "y": f"relevance R for {name}"},
        badge=badge,
    )
    return finished(figure, f"IoU and relevance, {layer} for {concept}")


def _point_chosen(key: str, side: Side, layer: str, concept: str) -> None:
    for unit, *_ in links.chosen(key)[:1]:
        view = side.views[layer]
        shown = concept if view.find(concept) >= 0 else ""
        links.to_unit(network=side.name, layer=layer, unit=int(unit), annotate=shown)
