"""Which photographs a unit shows: its strongest, those of a tenth of the images, those in which it is silent.

Pure functions over a layer's view; what only the data set's files know comes in as a `Source`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.bands import SHOWN
from ui.session.view import LayerView
from ui.shell.theme import number_text

FEW = SHOWN  # photographs of the silent row: as many as of a tenth


class Source(NamedTuple):
    """What the data set tells about its images.

    Attributes:
        names: images -> file names, for people.
        annotate: images, index into `drawn` -> run-length masks, None where an image has no map of it.
        present: concept -> valid images with at least one of its pixels, and how many; None if not known.
    """

    names: Callable[[Sequence[int]], list[str]]
    annotate: Callable[[Sequence[int], int], list[list[int] | None]]
    present: Callable[[int], tuple[NDArray[np.int32], NDArray[np.int32]] | None]


class Photo(NamedTuple):
    """One photograph of a gallery.

    Attributes:
        caption: the few words below it; `about`: the same as a phrase, for the enlarged one.
        silent: whether the unit stays at or below its threshold everywhere in the image.
        mask: run-length mask of the unit, empty where it is silent.
        annotation: run-length mask of the concept; None where the image has no map of its category.
    """

    image: int
    name: str
    caption: str
    about: str
    silent: bool
    mask: list[int]
    annotation: list[int] | None


class Firing(NamedTuple):
    """In how many of the images that contain a concept a unit fires.

    Attributes:
        images: that contain the concept; `fires`: how many of them make the unit fire.
        silent: the others, those with the largest annotated area first; `pixels`: that area.
    """

    images: int
    fires: int
    silent: NDArray[np.int32]
    pixels: NDArray[np.int32]


def strongest(view: LayerView, unit: int, concept: int, count: int, source: Source) -> list[Photo]:
    """The unit's strongest images, the mask from the record, the annotation from the data set.

    Args:
        view: the layer.
        unit: 0-based.
        concept: index into the view's `drawn`, -1 for none.
        count: how many at most.
        source: the data set.
    """
    profile, images = view.summary.profile, view.record["top_image"][unit][:count]
    slots = np.flatnonzero(images >= 0)
    responses = view.record["top_response"][unit][slots]
    masks = [profile.mask_runs(unit, slot) for slot in slots.tolist()]
    made = _responding(view, unit, images[slots], responses, masks)
    return _annotated(made, concept, source)


def of_band(view: LayerView, unit: int, concept: int, band: int, source: Source) -> list[Photo]:
    """Images from one tenth of the ranking by the unit's largest response, strongest first."""
    profile = view.summary.profile
    images, responses = profile.band(unit, band)
    masks = [profile.band_runs(unit, band, place) for place in range(len(images))]
    return _annotated(_responding(view, unit, images, responses, masks), concept, source)


def of_silence(view: LayerView, concept: int, found: Firing, source: Source) -> list[Photo]:
    """Images that contain the concept while the unit is silent; there is no mask to draw."""
    height, width = view.annotation_size
    made = []
    for image, pixels in zip(found.silent[:FEW].tolist(), found.pixels[:FEW].tolist(), strict=True):
        share = share_text(pixels / (height * width))
        about = f"silent · “{view.concepts[concept].name}” covers {share} of the photograph"
        made.append(Photo(image, "", f"covers {share}", about, True, [], None))
    return _annotated(made, concept, source)


def firing(view: LayerView, unit: int, present: tuple[NDArray[np.int32], NDArray[np.int32]]) -> Firing:
    """Split the images that contain a concept into those in which the unit fires and the others.

    Args:
        view: the layer.
        unit: 0-based.
        present: images that contain the concept, ascending, and its pixels in each.
    """
    images, pixels = present
    fires = view.summary.profile.fires_in(unit)[images]
    silent, area = images[~fires], pixels[~fires]
    order = np.argsort(-area, kind="stable")
    return Firing(len(images), int(fires.sum()), silent[order], area[order])


def share_text(share: float) -> str:
    """A share of a photograph: whole per cent, one digit below ten, and never 0 % for what is there."""
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1\u00a0%"
    return f"{percent:.0f}\u00a0%" if percent >= 10 else f"{percent:.1f}\u00a0%"


def _responding(
    view: LayerView,
    unit: int,
    images: NDArray[np.int32],
    responses: NDArray[np.float32],
    masks: Sequence[NDArray[Any]],
) -> list[Photo]:
    """Photographs captioned with the unit's largest response in each."""
    silent = ~view.summary.profile.fires_in(unit)[images]
    made = []
    for image, response, mute, runs in zip(images.tolist(), responses, silent.tolist(), masks, strict=True):
        words = number_text(float(response)) + (" · silent" if mute else "")
        made.append(Photo(image, "", words, f"largest response {words}", mute, runs.ravel().tolist(), None))
    return made


def _annotated(made: list[Photo], concept: int, source: Source) -> list[Photo]:
    """The photographs with what only the data set's files know."""
    images = [photo.image for photo in made]
    annotations = source.annotate(images, concept) if concept >= 0 else [None] * len(made)
    return [
        photo._replace(name=name, annotation=annotation)
        for photo, name, annotation in zip(made, source.names(images), annotations, strict=True)
    ]


def fires_anywhere(view: LayerView, unit: int) -> int:
    """Images of the whole data set in which the unit fires."""
    return int(np.bitwise_count(view.record["fires"][unit]).sum())
