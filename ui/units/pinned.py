"""A unit that is kept in view while others are looked at: the pin in the address, its buttons, its column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from interpret_core.errors import DatasetError, UnitscopeError
from ui.access.told import told
from ui.components import assessment
from ui.components.gallery.gallery import Choice, gallery
from ui.session import photos, results
from ui.session.layers import Layers
from ui.session.view import LayerView
from ui.shell import notices, silenced, state
from ui.shell.plain import plain, shortened
from ui.shell.sidebar import Ask
from ui.units import markup
from ui.units.layers import CLEARED
from ui.units.photographs import Shown

PARAMETER, IMAGE = "pin", "pin_image"
PARAMETERS = (PARAMETER, IMAGE)
_ACROSS = "_swapped_across_layers"


class Pinned(NamedTuple):
    """The unit that is kept in view.

    Attributes:
        view: its layer, of the network that is browsed.
        image: the enlarged one of its photographs.
    """

    view: LayerView
    unit: int
    image: int | None

    def is_shown(self, view: LayerView, unit: int) -> bool:
        """Whether it is the chosen unit itself."""
        return (self.view.layer.name, self.unit) == (view.layer.name, unit)


def pinned(view: LayerView, views: Layers, layers: Mapping[str, int]) -> Pinned | None:
    """The unit that the address pins, None for none; a line says so where it cannot be followed.

    Args:
        view: the layer that is browsed.
        views: of the usual layers.
        layers: name -> units, of all the network's layers.
    """
    raw = state.parameter(PARAMETER)
    if not raw:
        return None
    found, refused = silenced.parsed(raw, layers)
    its, why = None, refused[0].why if refused else "one unit can be pinned at a time"
    if not refused and len(found) == 1:
        its, why = _view(view, views, found[0][0]), "its layer has no stored profile"
    if its is None:
        _not_pinned(raw, why)
        return None
    unit = found[0][1]
    return Pinned(its, unit, _image(its, unit))


def _not_pinned(raw: str, why: str) -> None:
    notices.complain(f"The link pins “{shortened(raw)}” ({why}); nothing is pinned.")
    state.repair(**dict.fromkeys(PARAMETERS))


def _view(view: LayerView, views: Layers, name: str) -> LayerView | None:
    """A layer of the same network, under the same rules."""
    if name == view.layer.name:
        return view
    ask = Ask(view.network, view.dataset, view.summary.settings.min_images, view.cutoff)
    try:
        return views[name] if name in views else results.layer(ask, name)
    except UnitscopeError:
        return None


def _image(view: LayerView, unit: int) -> int | None:
    raw = state.parameter(IMAGE)
    known = {str(image): int(image) for image in view.record["top_image"][unit][: photos.FEW] if image >= 0}
    if raw and raw not in known:
        notices.complain(
            f"The photograph “{shortened(raw)}” that the link asks for is not among the pinned unit’s "
            "strongest images."
        )
        state.repair(**{IMAGE: None})
    return known.get(raw)


def button(view: LayerView, unit: int, kept: Pinned | None) -> None:
    """What keeps the chosen unit in view, or lets it go."""
    if kept is not None and kept.is_shown(view, unit):
        st.button(
            "Unpin",
            key="pin",
            help="It is pinned: choose another unit, and both stand side by side.",
            on_click=state.change,
            kwargs=_no_pin(),
        )
        return
    label = "Pin" if kept is None else "Pin this one instead"
    told = {PARAMETER: silenced.written([(view.layer.name, unit)]), IMAGE: None}
    st.button(
        label,
        key="pin",
        help="Keeps this unit in view: choose another one, also of another layer, and both stand side by "
        "side.",
        on_click=state.change,
        kwargs=told,
    )


def _no_pin() -> dict[str, None]:
    return dict.fromkeys(PARAMETERS)


def side_by_side(kept: Pinned, view: LayerView, now: Shown, panel: Callable[[], None]) -> None:
    """The chosen unit's panel, and the pinned one beside it; above it where there is no room.

    Args:
        kept: the pinned unit.
        view: the chosen unit.
        now: the chosen unit.
        panel: draws it.
    """
    with st.container(key="unit_pair"):
        left, right = st.columns(2, gap="medium")
        # What a click waits for is drawn first.
        with right, st.container(key="unit_panel"):
            panel()
        with left, st.container(key="unit_pinned"):
            _column(kept, view, now)


def _column(kept: Pinned, view: LayerView, now: Shown) -> None:
    """What the panel says of a unit, in short and in the same order."""
    its, unit = kept.view, kept.unit
    concept = its.told(unit)
    st.html(markup.heading(its, unit))
    said = assessment.line(its, unit)
    if said:
        st.html(said)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Unpin", key="unpin", on_click=state.change, kwargs=_no_pin())
        st.button(
            "Swap",
            key="swap",
            help="Choose this unit, and pin the other one.",
            on_click=_swap,
            args=(kept, view, now.unit),
        )
    st.html(markup.stats(its, unit, concept))
    if its.word(unit) == "dead":
        st.info("A dead unit answers zero everywhere: it has no photographs to show.")
        return
    try:
        made = photos.strongest(its, unit, concept, photos.FEW, results.source(its))
    except DatasetError as error:
        st.error(plain(told(error)))
        return
    st.caption(f"Its {len(made)} strongest photographs, with the overlay that the other unit has.")
    gallery(
        its,
        made,
        Choice("pinned_gallery", unit, concept, now.mode, kept.image),
        lambda image: state.change(**{IMAGE: image}),
    )


def _swap(kept: Pinned, view: LayerView, unit: int) -> None:
    """The pinned unit becomes the chosen one, and the other way round."""
    now = kept.view.layer.name
    across = now != view.layer.name
    left = dict.fromkeys(CLEARED if across else ("annotate", "image"))
    there = {PARAMETER: silenced.written([(view.layer.name, unit)]), IMAGE: None}
    state.change(**{**left, "layer": now, "unit": kept.unit, **there})
    st.session_state[_ACROSS] = across


def after_swap() -> None:
    """Begin the whole page anew where units of two layers changed places.

    A part that reruns alone is given what the page last found: the former layer, and the order of its units.
    """
    if st.session_state.pop(_ACROSS, False):
        st.rerun()
