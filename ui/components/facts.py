"""Words about a layer and its units: the facts sentence of a page, and exact phrases for edge cases."""

from __future__ import annotations

from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.concepts import PREDICTED_LABELS, is_predicted
from interpret_core.figures.template import SMALL
from interpret_core.measures.assessment.words import Assessment
from interpret_core.networks.layers.layer import Sort
from ui.session.view import LayerView
from ui.shell.plain import plain
from ui.shell.theme import count_text, expected_text

_NAMED = 3  # labels in a line
# Where the response of a layer that is no convolution is read.
_READ: dict[str, str] = {
    Sort.SUM: "responses are the sums in {}, after the activation that directly follows",
    Sort.JOIN: "responses are the units side by side in {}, after the activation that directly follows",
    Sort.TRANSPOSED: "a transposed convolution",
    Sort.SHORTCUT: "the projection of a shortcut",
    Sort.MODULE: "responses are what module {} returns",
}


def facts_sentence(view: LayerView) -> str:
    """The sentence that heads a page, with n, baseline and chance level."""
    if not view.annotated:
        return _unannotated(view)
    found, unique = view.detectors(), view.summary.unique_detectors()
    verb = "is a detector" if found == 1 else "are detectors"
    units = count_text(view.layer.units, f"{plain(view.layer.name)} unit")
    return (
        f"**{plain(view.facts.network_title)}** on **{plain(view.facts.dataset)}**: "
        f"**{found:,}** of {units} {verb} of "
        f"**{unique:,}** {'concept' if unique == 1 else 'concepts'} "
        f"(IoU > {view.cutoff:g}; {expected_text(view.expected)}).{_colours(view)}"
    )


def _unannotated(view: LayerView) -> str:
    """The same where no photograph is annotated: no unit can be a detector."""
    said = [view.assessment(unit) for unit in range(view.layer.units)]
    colours = sum(word is Assessment.COLOUR for word in said)
    known = "" if view.summary.assessed is None else f" **{colours:,}** of them respond to a colour."
    units = count_text(view.layer.units, f"{plain(view.layer.name)} unit")
    return (
        f"**{plain(view.facts.network_title)}** on **{plain(view.facts.dataset)}**: **{units}**.{known} "
        "Nothing is annotated in these photographs, so no unit has a concept."
    )


def _colours(view: LayerView) -> str:
    """How many of the detectors are colours in disguise, where that is known."""
    colours = view.summary.detectors_assessed(Assessment.COLOUR)
    if colours is None or not view.detectors():
        return ""
    verb = "responds" if colours == 1 else "respond"
    return f" **{colours:,}** of them {verb} to a colour rather than an object."


def fine_print(view: LayerView) -> str:
    """Images, concepts left out, and what chance rests on, in one line."""
    left_out = int((~view.summary.included).sum())
    parts = [f"n = {count_text(view.facts.images, 'image')}"]
    if view.layer.sort in _READ:
        parts.append(_READ[view.layer.sort].format(plain(view.layer.path)))
    about = view.summary.profile.metadata["dataset"]
    parts += [plain(about[told]) for told in ("resampling", "repetition") if about.get(told)]
    if view.facts.skipped:
        parts.append(f"{view.facts.skipped:,} skipped as damaged")
    if view.summary.profile.unlisted:
        parts.append(_unlisted(view.summary.profile))
    if of_model := sum(is_predicted(one.name) for one in view.concepts):
        parts.append(f"{count_text(of_model, 'concept')} {PREDICTED_LABELS}")
    if left_out:
        least = count_text(view.summary.settings.min_images, "image")
        parts.append(
            f"{left_out:,} of {count_text(len(view.concepts), 'concept')} left out (fewer than {least})"
        )
    if view.permutations and view.annotated:
        images = count_text(view.chance_images, "image")
        parts.append(f"chance from {view.permutations} permutations on {images}")
    return " · ".join(parts)


def _unlisted(profile: LayerProfile) -> str:
    """Pixels whose label is not listed under the category of their map: how many, and which labels."""
    labels = profile.unlisted
    named = [
        f"{label.number} {plain(label.name)} in {plain(label.category)} "
        f"(label.csv: {plain(', '.join(label.listed))})"
        for label in labels[:_NAMED]
    ]
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return (
        f"{sum(label.pixels for label in labels):,} pixels ({100 * profile.unlisted_share:.1f} % of those "
        f"labelled) count as unlabelled, not listed in their map's category: {', '.join(named)}{more}"
    )


def chance_words(view: LayerView, unit: int) -> str:
    """What p means for this unit, honestly."""
    if view.word(unit) == "dead":
        return "This unit never responds: there is nothing to test."
    if not view.annotated:
        return "Nothing is annotated: there is no label to test."
    if not view.permutations:
        return "Chance has not been computed for these settings."
    if view.summary.significant[unit]:
        return "Better than shuffled annotations would explain (5 % false discoveries in this layer)."
    if view.detector[unit]:
        return "Above the cut-off, but shuffled annotations reach this too often: it may be chance."
    return "Not distinguishable from shuffled annotations."


def evidence_words(view: LayerView, drawn: int) -> str:
    """How much the numbers of a concept or a shade rest on."""
    if drawn < 0:
        return ""
    shade = view.shade_of(drawn)
    if shade is not None:
        area = int(view.record["shade_pixels"][shade])
        share = 100 * area / (view.facts.images * view.annotation_size[0] * view.annotation_size[1])
        return f"“{plain(view.drawn[drawn].name)}” covers {share:.2g} % of all pixels."
    count = int(view.record["concept_images"][drawn])
    few = ": few, read with care" if count < SMALL else ""
    name = plain(view.concepts[drawn].name)
    return f"“{name}” is annotated in {count:,} of {view.facts.images:,} images{few}."
