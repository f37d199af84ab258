"""The grid of a layer's units: a windowed component whose tiles come from a cached route."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from interpret_core.analyses.image_labels.result import LabelledLayer
from interpret_core.figures.colours import NEUTRAL, colour_of
from interpret_core.measures.assessment.words import Assessment
from ui.components.assessment import sign
from ui.session import resources
from ui.session.memory import kept
from ui.session.view import LayerView
from ui.shell.component import Component
from ui.shell.theme import iou_text

SEARCH_KEY = "filter_concept"

_component = Component("components/unit_grid/grid", "components/common/focus.js")


def tiles(view: LayerView, order: Sequence[int], labelled: LabelledLayer | None = None) -> list[list[object]]:
    """Unit, label, its number, weak, colour, state word and sign of each tile, in the order shown.

    Args:
        view: the layer.
        order: its units.
        labelled: which labels of whole images they tell; where nothing is annotated, tiles name those.
    """
    if not view.annotated:
        return [
            _of_shade(view, int(unit)) if labelled is None else _of_label(view, int(unit), labelled)
            for unit in order
        ]
    return [
        [
            int(unit),
            view.label(unit),
            iou_text(float(view.iou[unit])),
            int(not view.detector[unit]),
            colour_of(view.category(unit)),
            view.word(unit),
            sign(view.assessment(unit)),
        ]
        for unit in order
    ]


def _of_shade(view: LayerView, unit: int) -> list[object]:
    """The same where nothing is annotated: the shade that the unit's mask overlaps most; none is weak."""
    name, rgb, iou = view.nearest_shade(unit) or ("", (0, 0, 0), 0.0)
    tone = f"rgb({rgb[0]},{rgb[1]},{rgb[2]})"
    return [unit, name, iou_text(iou), 0, tone, view.word(unit), sign(view.assessment(unit), annotated=False)]


def _of_label(view: LayerView, unit: int, labelled: LabelledLayer) -> list[object]:
    """The same with the label of whole images that the unit tells best; weak where chance explains that."""
    best = int(labelled["best"][unit])
    if best < 0:
        return [unit, "", "—", 1, NEUTRAL, view.word(unit), ""]
    weak = not labelled.beyond_chance[unit]
    colour = "colour" if view.assessment(unit) is Assessment.COLOUR else ""
    auc = f"{labelled['auc'][unit, best]:.3f}"
    return [unit, labelled.labels[best], auc, int(weak), NEUTRAL, view.word(unit), colour]


@kept(64)
def _tiles(
    identity: tuple[object, ...], order: tuple[int, ...], _view: LayerView, _labelled: LabelledLayer | None
) -> tuple[str, list[list[object]]]:
    """The tiles, and what tells them from others."""
    made = tiles(_view, order, _labelled)
    version = hashlib.sha1(repr((_view.key, made)).encode(), usedforsecurity=False).hexdigest()[:16]
    return version, made


class Silence(NamedTuple):
    """Units of the layer that the ablation page silences; `press` is told which shall be, and which not."""

    units: Sequence[int]
    press: Callable[[Mapping[int, bool]], None]


def unit_grid(
    view: LayerView,
    order: Sequence[int],
    selected: int,
    on_pick: Callable[[int], None],
    silence: Silence,
    labelled: LabelledLayer | None = None,
) -> None:
    """Draw the grid; a click, Enter or an arrow key calls `on_pick` with the unit."""
    key = "unit_grid"
    settings = ("permutations", "seed")  # the rest follows from network and data set
    told = [labelled.metadata[name] for name in settings] if labelled is not None else []
    identity = (*view.identity, *told)
    version, shown = _tiles(identity, tuple(order), view, labelled)
    base, suffix = resources.thumbnail(view)

    def picked() -> None:
        unit = st.session_state[key].get("picked")
        if isinstance(unit, int) and 0 <= unit < view.layer.units:
            on_pick(unit)

    def silenced() -> None:
        pressed = st.session_state[key].get("silenced")
        if isinstance(pressed, list):
            silence.press({unit: on is True for unit, on in pressed if unit in range(view.layer.units)})

    _component(
        key=key,
        data={
            "version": version,
            "tiles": shown,
            "selected": selected,
            "silenced": list(silence.units),
            "base": base,
            "suffix": suffix,
            "panel": ".st-key-unit_panel",
            "measure": "IoU" if view.annotated or labelled is None else "AUC",
            "title": f"units of {view.layer.name}",
            "search": f".st-key-{SEARCH_KEY} input",
            "empty": "No unit matches these filters. Clear a filter on the left.",
        },
        on_picked_change=picked,
        on_silenced_change=silenced,
    )
