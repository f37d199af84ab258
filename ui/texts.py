"""Words: the facts sentence of a page, the "how computed" texts, and exact phrases for edge cases."""

from __future__ import annotations

from collections.abc import Sequence

from ui.theme import count_text
from ui.view import LayerView

HOW = {
    "iou": """**IoU** — over all images that have at least one labelled pixel of the concept's category,

$$\\mathrm{IoU}_{i,c} = \\frac{\\sum_x |M_i(x) \\cap L_c(x)|}{\\sum_x |M_i(x) \\cup L_c(x)|}$$

with $M_i$ the unit's mask and $L_c$ the annotation. Counts are integers, divided once; 0/0 is 0.
The mask: the response after BatchNorm and activation, resampled bilinearly to the annotation's grid, strictly
above the unit's own threshold $T_i$, where $P(a_i > T_i) = q$ over every position of every image.
A **detector** is a unit whose best IoU exceeds the cut-off.

Source: Bau et al. 2017, §2; Islam & Tushar 2021. Unlike NetDissect-Lite, a unit's activation counts in every image
of the category, not only where it meets it. Method §§2–3.""",
    "ceiling": """**Ceiling** — two areas of different size cannot overlap fully:

$$\\mathrm{IoU} \\le \\frac{\\min(a, c)}{\\max(a, c)}$$

$a$ the unit's active pixels, $c$ the concept's pixels, both in the category's images. A mask of half a percent can
never reach 0.04 on a colour that covers a quarter of the pixels: **IoU / ceiling** says how much of the possible was
reached. Method §4.""",
    "chance": """**p** — how often would shuffled annotations do as well? The annotations are permuted among the images of a
category (K seeded permutations, shared by all units); the statistic is the unit's maximum over all concepts, so that
picking the best of many concepts is paid for. It is standardised by the unit's own null mean and deviation ($z$), and

$$p = \\frac{1 + \\#\\{z_{null} \\ge z\\}}{1 + K \\cdot U}$$

over the live units of the layer; $q$ is Benjamini–Hochberg within the layer, **significant** means $q \\le 5\\,\\%$.
**Expected by chance**: null maxima above the cut-off, divided by K. Method §4.""",
    "masks": """**Photographs** — the images with the unit's largest response anywhere in them, strongest first, at most 30.
The solid line surrounds the pixels above the unit's threshold; the dashed one the annotation of the chosen concept.
*Agreement* splits them into hit (both), missed (annotation only) and outside the annotation (mask only).""",
    "histogram": """**Responses** — every grid position of every image, in 64 bins; the last bin includes everything above.
The line is the threshold $T$, the midpoint between the k-th and (k+1)-th largest response with k = round(q·n), so that
exactly k positions exceed it unless values tie. Method §2.""",
    "colour": """**Colour in the mask** — the mean RGB over the unit's active pixels. **Nearest shade**: the k-means centre of
the data set's pixels in CIELAB whose pixels overlap best with the mask. Shades never enter labels, detectors or chance.
Method §10.""",
    "unique": """**Detectors** are units whose best IoU exceeds the cut-off; **unique detectors** are the distinct concepts
among them. Stacked by the category of the unit's best concept. Fewer than 10 images: drawn hollow with Wilson's 95 %
interval. Source: Bau et al. 2017, Fig. 5; Islam & Tushar 2021, Fig. 2.""",
    "quality": """**Mean top-t IoU** ($Q^t$) — the mean of a unit's t best IoUs, averaged over the layer's units; unlike a count of
detectors it needs no cut-off. Source: Islam & Tushar 2021. Method §3.""",
    "sensitivity": """**Sensitivity** — how many units would count as detectors at each cut-off. A curve without a plateau says
that no cut-off is natural. Method §4.""",
}


def facts_sentence(view: LayerView) -> str:
    """The sentence that heads a page, with n, baseline and chance level."""
    found, unique = view.detectors(), view.summary.unique_detectors()
    expected = "chance not computed" if view.expected is None else f"{view.expected:.2g} expected by chance"
    verb = "is a detector" if found == 1 else "are detectors"
    return (
        f"**{view.facts.network_title}** on **{view.facts.dataset}**: **{found:,}** of {count_text(view.layer.units, view.layer.name + ' unit')} "
        f"{verb} of **{unique:,}** {'concept' if unique == 1 else 'concepts'} (IoU > {view.cutoff:g}; {expected})."
    )


def fine_print(view: LayerView) -> str:
    """Images, concepts left out, and what chance rests on, in one line."""
    left_out = int((~view.summary.included).sum())
    parts = [f"n = {count_text(view.facts.images, 'image')}"]
    if view.facts.skipped:
        parts.append(f"{view.facts.skipped:,} skipped as damaged")
    if left_out:
        parts.append(f"{left_out:,} of {count_text(len(view.concepts), 'concept')} left out (fewer than {count_text(view.summary.settings.min_images, 'image')})")
    if view.permutations:
        parts.append(f"chance from {view.permutations} permutations on {count_text(view.chance_images, 'image')}")
    return " · ".join(parts)


def chance_words(view: LayerView, unit: int) -> str:
    """What p means for this unit, honestly."""
    if view.word(unit) == "dead":
        return "This unit never responds: there is nothing to test."
    if not view.permutations:
        return "Chance has not been computed for these settings."
    if view.summary.significant[unit]:
        return "Better than shuffled annotations would explain (5 % false discoveries in this layer)."
    if view.detector[unit]:
        return "Above the cut-off, but shuffled annotations reach this too often: it may be chance."
    return "Not distinguishable from shuffled annotations."


def list_words(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"
