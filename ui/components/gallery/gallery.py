"""Photographs with the unit's mask and a concept's annotation drawn over them: a browser component."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import streamlit as st

from interpret_core.concepts import is_predicted
from ui.components.gallery.strokes import strokes
from ui.session import resources
from ui.session.photos import FEW, Photo
from ui.session.view import SHADE, Concept, LayerView
from ui.shell.component import Component

MODES = ("both", "mask", "annotation", "agreement", "photo")

_component = Component(
    "components/gallery/gallery", "components/common/outline.js", "components/common/focus.js"
)


class Choice(NamedTuple):
    """What a gallery shows besides the photographs.

    Attributes:
        key: of the component; a page may hold several galleries.
        image: the enlarged one, if it belongs to this gallery.
    """

    key: str
    unit: int
    concept: int
    mode: str
    image: int | None


def gallery(
    view: LayerView,
    photos: Sequence[Photo],
    choice: Choice,
    on_image: Callable[[int | None], None],
    on_mode: Callable[[str], None] | None = None,
) -> None:
    """Draw the gallery; enlarging and switching the overlay happen in the browser, the URL follows.

    Args:
        view: the layer.
        photos: in the order shown.
        choice: what else it shows.
        on_image: called with the enlarged image, None when it is closed.
        on_mode: called with the overlay; without it there is no switch.
    """

    def imaged() -> None:
        image = st.session_state[choice.key].get("image")
        if isinstance(image, int):
            on_image(image if image >= 0 else None)

    def moded() -> None:
        mode = st.session_state[choice.key].get("mode")
        if on_mode is not None and mode in MODES:
            on_mode(mode)

    _component(
        key=choice.key,
        data=_data(view, photos, choice) | {"switch": on_mode is not None},
        on_mode_change=moded,
        on_image_change=imaged,
    )


def _data(view: LayerView, photos: Sequence[Photo], choice: Choice) -> dict[str, Any]:
    """What the component draws; `version` changes with all of it but the overlay and the enlarged image."""
    base, suffix = resources.photo(view)
    concept = view.drawn[choice.concept] if choice.concept >= 0 else None
    mask, truth = strokes(view, choice.unit, choice.concept)
    identity = (
        view.key,
        choice.unit,
        choice.concept,
        mask,
        truth,
        [(photo.image, photo.about) for photo in photos],
    )
    return {
        "version": hashlib.sha1(repr(identity).encode(), usedforsecurity=False).hexdigest()[:16],
        "unit": f"{view.key}/{choice.unit}",
        "images": [photo._asdict() for photo in photos],
        "few": len(photos) <= FEW,
        "height": view.annotation_size[0],
        "width": view.annotation_size[1],
        "base": base,
        "suffix": suffix,
        "concept": concept.name if concept else "",
        "category": concept.category if concept else "",
        "outlined": _outlined(concept),
        "strokes": {"mask": mask, "truth": truth},
        "mode": choice.mode,
        "open": choice.image,
    }


def _outlined(concept: Concept | None) -> str:
    """What the second outline is, for the legend."""
    if concept is None:
        return ""
    if concept.category == SHADE:
        return f"pixels of {concept.name}"
    return f"“{concept.name}” as {'a model labels it' if is_predicted(concept.name) else 'annotated'}"
