"""Which layer's units are browsed: its kind and its name, both in the sidebar, the name in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.networks.layers.layer import Sort
from ui.jobs import profile
from ui.session import results
from ui.session.layers import Layers
from ui.session.view import LayerView
from ui.shell import state
from ui.shell.sidebar import Ask

USUAL = "usual"
CLEARED = ("unit", "annotate", "image", "iou")  # what was chosen of another layer's units


class Kind(NamedTuple):
    """Layers of one kind.

    Attributes:
        title: in the list.
        several: in a sentence.
        names: of the layers.
    """

    title: str
    several: str
    names: tuple[str, ...]


WORDS = {
    Sort.SUM: ("Block outputs", "block outputs"),
    Sort.JOIN: ("Concatenations", "concatenations"),
    Sort.TRANSPOSED: ("Transposed convolutions", "transposed convolutions"),
    Sort.SHORTCUT: ("Shortcuts", "projections of shortcuts"),
    Sort.MODULE: ("Named modules", "modules that the configuration names"),
}


def layer_picker(ask: Ask, views: Layers, *, from_first: bool = False) -> LayerView:
    """Choose a layer; the last one by default, since later layers name more concepts.

    Draws what computes the profile where layers of another kind than the usual have none, and ends the page.

    Args:
        ask: whose.
        views: of the usual layers.
        from_first: begin with the first instead, where somebody may be seeing a network's units at all for
            the first time.
    """
    known = results.known_layers(ask.network)
    kinds = _kinds(ask, tuple(views))
    usual = kinds[USUAL].names
    names = [name for kind in kinds.values() for name in kind.names]
    aliases = known.aliases if known else {}
    chosen = state.one_of(
        "layer", names, usual[0] if from_first else usual[-1], meant=lambda raw: [aliases.get(raw, "")]
    )
    kind = next(key for key, one in kinds.items() if chosen in one.names)
    if len(kinds) > 1:
        _kind_picker(kinds, kind)
    if kind == USUAL:
        _name_picker(chosen, usual, views)
        return views[chosen]
    _, several, others = kinds[kind]
    try:
        found = results.layers(ask, others)
    except UnitscopeError:  # said where the page begins
        found = None
    _name_picker(chosen, others, found)
    return profile.some_ready(ask, others, several)[chosen]


def _kinds(ask: Ask, usual: tuple[str, ...]) -> dict[str, Kind]:
    """The usual layers, and the others by kind."""
    found = {USUAL: Kind("Convolutions", "convolutions", usual)}
    for sort, (title, several) in WORDS.items():
        names = tuple(one.name for one in results.further(ask.network) if one.sort is sort)
        if names:
            found[sort.value] = Kind(title, several, names)
    return found


def _kind_picker(kinds: Mapping[str, Kind], kind: str) -> None:
    key = state.follow("pick_kind", kind)

    def go() -> None:
        state.change(layer=kinds[st.session_state[key]].names[-1], **dict.fromkeys(CLEARED))

    st.sidebar.selectbox(
        "Kind of layer",
        list(kinds),
        key=key,
        format_func=lambda one: f"{kinds[one].title} ({len(kinds[one].names)})",
        help="Convolutions are what Islam & Tushar 2021 call layers, and what the other pages show. Block "
        "outputs are the sums after a residual block’s addition and activation, which many studies read.",
        on_change=go,
    )


def _name_picker(chosen: str, names: tuple[str, ...], views: Layers | None) -> None:
    counts = views.counts if views is not None else {}

    def words(name: str) -> str:
        if name not in counts:
            return name
        return f"{counts[name].detectors:,}/{counts[name].units:,} · {name}"  # the name may be cut

    key = state.follow("pick_layer", chosen)
    st.sidebar.selectbox(
        "Layer",
        list(names),
        key=key,
        format_func=words,
        help="Before each layer: its detectors and its units.",
        on_change=state.writer("layer", key, str, clear=CLEARED),
    )
