"""Words about where a unit fires and where it is silent; the counts come from `ui.session.photos`."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.figures.template import SMALL
from interpret_core.measures.dissection.bands import BANDS
from ui.session.photos import Firing, Photo, fires_anywhere
from ui.session.view import LayerView
from ui.shell.plain import plain
from ui.shell.theme import count_text, number_text

STRONGEST = -1  # the slider's first stop: no tenth, the unit's strongest images


def band_text(band: int) -> str:
    """A stop of the slider: `strongest`, `top 10 %`, `10–20 %` … `90–100 %`."""
    if band == STRONGEST:
        return "strongest"
    return "top 10\u00a0%" if band == 0 else f"{10 * band}–{10 * band + 10}\u00a0%"


def strongest_words(view: LayerView, unit: int, shown: Sequence[Photo]) -> str:
    """What the gallery of the strongest images shows, and against which threshold."""
    responses = view.record["top_response"][unit]
    first, last = number_text(float(responses[0])), number_text(float(responses[len(shown) - 1]))
    return (
        f"The {len(shown):,} strongest of {count_text(view.facts.images, 'image')}: largest responses from "
        f"{first} to {last}. {_against_threshold(view, unit, shown)}"
    )


def band_words(view: LayerView, unit: int, band: int, shown: Sequence[Photo]) -> str:
    """Which ranks a tenth of the images holds, their responses, and how many of those shown are silent."""
    ranked = int(view.metadata["band_images"])
    start, end = band * ranked // BANDS, (band + 1) * ranked // BANDS
    of = count_text(ranked, "image")
    if ranked < view.facts.images:
        of += f", drawn from {view.facts.images:,},"
    if not shown:
        return f"Only {of} can be ranked: too few for this tenth to hold any."
    responses = view.summary.profile.band(unit, band)[1]
    first, last = number_text(float(responses[0])), number_text(float(responses[-1]))
    if end - start == 1:
        held = f"Rank {end:,} of {of} by largest response, {first}."
    else:
        held = f"Ranks {start + 1:,} to {end:,} of {of} by largest response, from {first} to {last}"
        held += "." if len(shown) == end - start else f"; {len(shown)} shown, evenly spaced."
    return f"{held} {_against_threshold(view, unit, shown)}"


def silence_words(view: LayerView, unit: int, concept: int, found: Firing) -> str:
    """How many of the images that contain a concept make the unit fire; Markdown."""
    name = f"“{plain(view.concepts[concept].name)}”"
    if found.images == 0:
        return f"No image contains {name}."
    silent = found.images - found.fires
    if found.images == 1:
        verb = "fires" if found.fires else "is silent"
        counts = f"The unit {verb} in **the one image** that contains {name}."
    elif silent == 0:
        counts = f"The unit fires in **all {found.images:,}** images that contain {name}: silent in none."
    else:
        fires = f"{found.fires:,}" if found.fires else "none"
        counts = (
            f"The unit fires in **{fires} of the {found.images:,}** images that contain {name}; "
            f"silent in {silent:,}."
        )
    parts = [counts, _everywhere(view, unit)]
    if found.images < SMALL:
        parts.append("Few images: read with care.")
    if view.word(unit) == "tied":
        parts.append("The unit is tied: an image that only reaches its threshold counts as silent.")
    return " ".join(parts)


def _everywhere(view: LayerView, unit: int) -> str:
    return f"Of all {view.facts.images:,} images it fires in {fires_anywhere(view, unit):,}."


def _against_threshold(view: LayerView, unit: int, shown: Sequence[Photo]) -> str:
    """The threshold, in how many of the images shown the unit is silent, and where firing leaves no mask."""
    threshold = f"Threshold T = {number_text(float(view.record['threshold'][unit]))}"
    silent = sum(photo.silent for photo in shown)
    if len(shown) == 1:
        return f"{threshold}: the unit {'is silent' if silent else 'fires'} there."
    many = "all" if silent == len(shown) else f"{silent or 'none'} of the"
    words = f"{threshold}: silent in {many} {len(shown)} shown."
    flat = sum(not photo.silent and not photo.mask for photo in shown)
    if flat:
        words += f" In {flat} it fires, but its peak vanishes on the annotation’s grid: no mask."
    return words
