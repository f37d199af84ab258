"""The few colours that a unit's mask consists of, where one mean would be a colour that nothing has."""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

from interpret_core.datasets.colours import to_lab
from interpret_core.measures.assessment.colour_clusters import colour_clusters
from ui.session.memory import kept
from ui.session.view import LayerView
from ui.shell.theme import percent_text

_NUMBER = re.compile(r" \d+$")  # that tells shades of one name apart


def unnumbered(shade: str) -> str:
    """A shade's name without the number that tells several of one name apart."""
    return _NUMBER.sub("", shade)


class MaskColour(NamedTuple):
    """A colour of a mask by its most frequent shade, and the share of the mask that is of it."""

    name: str
    rgb: tuple[int, int, int]
    share: float


def mask_colours(view: LayerView, unit: int) -> tuple[MaskColour, ...]:
    """At most three, the most frequent first; none where shades are not known or the mask is empty."""
    return _colours(view.key, unit, view)


@kept(1024)
def _colours(key: str, unit: int, _view: LayerView) -> tuple[MaskColour, ...]:
    shades = _view.record.get("shade_intersection")
    if shades is None or not shades.shape[1]:
        return ()
    clusters = colour_clusters(shades[unit], to_lab(_view.record["shade_rgb"]))
    found = [MaskColour(*_view.shade(one.shade), one.share) for one in clusters]
    plain = [unnumbered(colour.name) for colour in found]
    # Shades that look alike are one colour here, so the number of one of them would say too much.
    return tuple(
        colour._replace(name=name) if plain.count(name) == 1 else colour
        for colour, name in zip(found, plain, strict=True)
    )


def palette(view: LayerView, unit: int) -> str:
    """The colours as one bar, each as long as its share, and in words; HTML."""
    colours = mask_colours(view, unit)
    if not colours:
        return ""
    parts = "".join(
        f'<i style="--tone:rgb({red},{green},{blue});flex-grow:{share:.3f}"></i>'
        for _, (red, green, blue), share in colours
    )
    words = ", ".join(f"{name} {percent_text(share)}" for name, _, share in colours)
    return (
        '<div class="us-palette"><span>colours in its mask</span>'
        f'<span class="us-colours" aria-hidden="true">{parts}</span><span>{escape(words)}</span></div>'
    )
