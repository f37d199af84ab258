"""The Relevance page's parts around a cell: facts, heat maps, which classes there are, what is flagged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.concepts import is_predicted
from interpret_core.figures import relevance as rows
from interpret_core.figures.colours import badge_of
from interpret_core.figures.relevance import VIEWS
from interpret_core.figures.template import SMALL
from ui.components.control.control import buttons
from ui.components.heat.heat import heat_map
from ui.components.saves import saves
from ui.session import relevances, totals
from ui.session.relevances import Found, Wanted
from ui.session.totals import SPACE
from ui.shell import notices, state
from ui.shell.how import how
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text

PARAMETERS = ("view", "log", "of", "layer", "class", "unit", "influence", "order", "units", "image", "area")
NAMED = 8  # classes in a sentence; a table below has them all
FORGET = ("unit", "image", "units")  # what belongs to one cell


class Picked(NamedTuple):
    """The cell that the URL names."""

    network: str
    layer: str
    name: str


def heading(found: Found, wanted: Wanted) -> None:
    """The sentence of facts, its small print, and where the numbers come from."""
    first = next(iter(found.records.values()))
    title = plain(first.metadata["network"]["title"] or wanted.network)
    units = sum(shape.units for shape in first.layers)
    fine, pairs = totals.complete(list(found.records.values()))
    images = {len(record.images) for record in found.records.values()}
    many = count_text(max(images), "image")
    each = many if len(images) == 1 else f"{min(images)} to {many}"
    st.markdown(
        f"**{title}** on **{plain(wanted.dataset)}**: what {count_text(units, 'unit')} in "
        f"{count_text(len(first.layers), 'layer')} contribute to **{len(found.records)}** of "
        f"{count_text(len(found.classes), 'class', 'classes')}, over {each} of each. "
        f"The gradients add up to within {100 * float(first.metadata['tolerance']):g}{SPACE}% for "
        f"**{100 * fine / max(1, pairs):.1f}{SPACE}%** of {pairs:,} pairs of image and layer."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(wanted.words, width="content")
        how("relevance", "mass", "completeness")


def predicted_masks(record: ClassRelevance) -> bool:
    """Whether a model, and nobody else, has labelled the objects of a class."""
    return any(is_predicted(label) for _, label in record.metadata["objects"])


def warnings(found: Found) -> None:
    """In words, what is to be read with care."""
    records = found.records
    wrong = [name for name, record in records.items() if not record.right.any()]
    few = [name for name, record in records.items() if len(record.images) < SMALL]
    without = [name for name, record in records.items() if not record.metadata["masked"]]
    if wrong:
        st.warning(
            f"**{_names(wrong)}**: the network recognises none of the images. What is shown is what speaks "
            "for a class that it does not choose."
        )
    if few:
        counted = [f"{plain(name)} ({len(records[name].images)})" for name in few[:NAMED]]
        more = f" and {len(few) - NAMED} more" if len(few) > NAMED else ""
        which = f"all {len(few)} classes" if len(few) == len(records) > NAMED else ", ".join(counted) + more
        st.caption(f"{rows.FEW} Few images (fewer than {SMALL}), read with care: {which}.")
    if without:
        st.caption(f"No object is annotated for {_names(without)}: the sum goes over the whole image, M = 1.")
    if guessed := [name for name, record in records.items() if predicted_masks(record)]:
        st.caption(f"Summed inside masks that a model gives, and nobody has drawn: {_names(guessed)}.")
    if found.left_out:
        reasons = [f"{plain(name)} ({plain(why)})" for name, why in found.left_out]
        more = f"; and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
        st.caption("Left out: " + "; ".join(reasons[:NAMED]) + more + ".")


def _names(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(plain, names[:NAMED])) + more


def maps(networks: dict[str, Found]) -> Picked | None:
    """One heat map per network on a common scale; a click chooses a cell.

    Returns:
        The cell that is chosen, None for none.
    """
    found = {name: relevances.totals(one) for name, one in networks.items()}
    every = [total for one in found.values() for total in one.values()]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        view = buttons("Cells show", "view", VIEWS, "mass")
        log = _log_box(rows.wide(every, view))
    picked = _picked(networks)
    scale = rows.scale_of(every, view, log=log)
    for place, (name, one) in zip(st.columns(len(networks), gap="medium"), networks.items(), strict=True):
        with place:
            columns = rows.shown(one.classes, found[name])
            made = rows.heat(_title(one), columns, found[name], scale)
            at = None
            if picked and picked.network == name:
                at = (list(made.rows).index(picked.layer), list(made.columns).index(picked.name))
            heat_map(made, key_of("heat", name), partial(_cell_chosen, name, made.rows, made.columns), at)
            saves.saves(
                f"relevance_{name}_layers",
                partial(totals.layer_rows, one.classes, found[name], _heading(one)),
                key_of("save_heat", name),
            )
    return picked


def _log_box(wide: bool) -> bool:
    """Whether colours go by logarithm: as the URL says; where it says nothing, if the numbers span widely."""
    asked = state.one_of("log", ("auto", "1", "0"), "auto")
    log = wide if asked == "auto" else asked == "1"
    tick = state.follow("pick_log", log)
    st.checkbox(
        "Colours by logarithm",
        key=tick,
        help="Tells small numbers apart where one layer has far more than the others; on by itself there.",
        on_change=state.writer("log", tick, lambda on: "" if on == wide else str(int(on))),
    )
    return log


def _title(found: Found) -> str:
    metadata = next(iter(found.records.values())).metadata
    network, dataset = metadata["network"], metadata["dataset"]
    title = f"{network['title'] or network['name']} on {dataset['name']}"
    return badge_of(title, network["evidence"])


def _heading(found: Found) -> dict[str, str]:
    metadata = next(iter(found.records.values())).metadata
    return {
        "network": metadata["network"]["name"],
        "evidence": metadata["network"]["evidence"],
        "dataset": metadata["dataset"]["name"],
    }


def _cell_chosen(network: str, rows: Sequence[str], columns: Sequence[str], row: int, column: int) -> None:
    own = "" if network == state.parameter("network") else network
    state.change(**{"of": own, "layer": rows[row], "class": columns[column], **dict.fromkeys(FORGET)})


def _picked(networks: dict[str, Found]) -> Picked | None:
    """The URL's cell, if it is there; a line says so where it is not."""
    name, layer = state.parameter("class"), state.parameter("layer")
    if not name and not layer:
        return None
    first = next(iter(networks))
    network = state.one_of("of", list(networks), first, "network")
    found = networks[network]
    layers = [shape.name for shape in next(iter(found.records.values())).layers]
    here = Picked(
        network,
        state.one_of("layer", layers, layers[-1]),
        state.one_of("class", list(found.classes), next(iter(found.records)), "class"),
    )
    if here.name not in found.records:
        notices.complain(f"The relevance for “{plain(here.name)}” has not been computed yet.")
        state.repair(**{"class": None, "layer": None, "of": None})
        return None
    return here
