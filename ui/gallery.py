"""A unit's strongest photographs with its mask and a concept's annotation drawn over them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from ui import addresses
from ui.pictures import stored_runs
from ui.theme import asset, number_text
from ui.view import LayerView

MODES = ("both", "mask", "annotation", "agreement", "photo")
COUNTS = (12, 24, 30)

_component = st.components.v2.component(
    "unitscope_gallery",
    html=asset("gallery.html"),
    css=asset("gallery.css"),
    js=asset("outline.js") + asset("gallery.js"),
)


class Photo(NamedTuple):
    """One photograph of the gallery.

    Attributes:
        annotation: run-length mask of the concept; None where the image has no map of its category.
    """

    image: int
    name: str
    response: float
    mask: list[int]
    annotation: list[int] | None


Annotate = Callable[[Sequence[int], int], list[list[int] | None]]
Name = Callable[[int], str]


def photos_of(
    view: LayerView, unit: int, concept: int, count: int, annotate: Annotate, name: Name
) -> list[Photo]:
    """The unit's strongest images, the mask from the record, the annotation from the data set.

    Args:
        view: the layer.
        unit: 0-based.
        concept: index into the layer's concepts, -1 for none.
        count: how many at most.
        annotate: images, concept -> run-length masks.
        name: image -> file name.
    """
    images = view.record["top_image"][unit][:count]
    kept = [slot for slot, image in enumerate(images) if image >= 0]
    numbers = [int(images[slot]) for slot in kept]
    annotations = annotate(numbers, concept) if concept >= 0 else [None] * len(numbers)
    stride = view.record["top_image"].shape[1]
    return [
        Photo(
            image,
            name(image),
            float(view.record["top_response"][unit][slot]),
            stored_runs(view.record["mask_offsets"], view.record["mask_runs"], unit * stride + slot),
            annotation,
        )
        for slot, image, annotation in zip(kept, numbers, annotations, strict=True)
    ]


class Choice(NamedTuple):
    """What the gallery shows besides the photographs."""

    unit: int
    concept: int
    mode: str
    image: int | None


def gallery(
    view: LayerView,
    photos: Sequence[Photo],
    choice: Choice,
    on_mode: Callable[[str], None],
    on_image: Callable[[int], None],
) -> None:
    """Draw the gallery; switching the overlay happens in the browser, the URL follows."""
    key = "gallery"
    images = [
        {
            "image": photo.image,
            "name": photo.name,
            "response": number_text(photo.response),
            "mask": photo.mask,
            "annotation": photo.annotation,
        }
        for photo in photos
    ]
    base, suffix = addresses.photo(view)
    concept = view.concepts[choice.concept] if choice.concept >= 0 else None
    identity = (view.key, choice.unit, choice.concept, [photo.image for photo in photos])

    def moded() -> None:
        mode = st.session_state[key].get("mode")
        if mode in MODES:
            on_mode(mode)

    def imaged() -> None:
        image = st.session_state[key].get("image")
        if isinstance(image, int):
            on_image(image)

    _component(
        key=key,
        data={
            "version": hashlib.sha1(repr(identity).encode(), usedforsecurity=False).hexdigest()[:16],
            "unit": f"{view.key}/{choice.unit}",
            "images": images,
            "height": view.annotation_size[0],
            "width": view.annotation_size[1],
            "base": base,
            "suffix": suffix,
            "concept": concept.key if concept else "",
            "category": concept.category if concept else "",
            "mode": choice.mode,
            "open": choice.image,
        },
        on_mode_change=moded,
        on_image_change=imaged,
    )
