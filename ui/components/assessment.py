"""What a unit responds to, in words: one line, a sign for a tile, and the evidence behind both."""

from __future__ import annotations

import math
from html import escape

import numpy as np
from numpy.typing import NDArray

from interpret_core.figures.colours import NEUTRAL
from interpret_core.measures.assessment.words import APART, FEWEST_IMAGES, Assessment
from ui.components.markup import swatch
from ui.components.palette import palette
from ui.components.table.markup import table_markup
from ui.components.table.table import Cell, Column
from ui.session.view import LayerView
from ui.shell.theme import count_text, iou_text, percent_text

# For a tile and for the search; dead and saturated units have words of their own there.
WORDS = {
    Assessment.COLOUR: "colour",
    Assessment.OBJECT: "object",
    Assessment.COLOUR_AND_OBJECT: "both",
    Assessment.UNDECIDED: "either",
    Assessment.UNEXPLAINED: "unexplained",
    Assessment.NEITHER: "neither",
    Assessment.UNSPECIFIC: "unspecific",
    Assessment.TOO_FEW_IMAGES: "few images",
    Assessment.BY_CHANCE: "chance",
}
_SYMBOLS = {
    Assessment.COLOUR: "◐",
    Assessment.OBJECT: "▣",
    Assessment.COLOUR_AND_OBJECT: "◐▣",
    Assessment.UNDECIDED: "◐▣",
    Assessment.NEITHER: "○",
    Assessment.UNSPECIFIC: "≈",
}
NAMES = {
    Assessment.COLOUR: "a colour rather than an object",
    Assessment.OBJECT: "an object rather than a colour",
    Assessment.COLOUR_AND_OBJECT: "colour and object together",
    Assessment.UNDECIDED: "colour or object: cannot be told apart",
    Assessment.UNEXPLAINED: "mostly unexplained",
    Assessment.NEITHER: "neither a colour nor what is annotated",
    Assessment.UNSPECIFIC: "nothing in particular",
    Assessment.TOO_FEW_IMAGES: "too few independent images to tell",
    Assessment.BY_CHANCE: "no concept: by chance as likely",
    Assessment.SATURATED: "saturated: no threshold separates its responses",
    Assessment.DEAD: "nothing: it never responds",
}
# The same, and why, where nothing is annotated that could tell as well.
_UNANNOTATED = {
    Assessment.COLOUR: ("a colour", "On images held out, colour tells where it fires."),
    Assessment.UNDECIDED: (
        "a colour, perhaps",
        "Colour tells some of where it fires, but not with certainty.",
    ),
    Assessment.NEITHER: ("no colour", "Colour does not tell where it fires on images held out."),
    Assessment.UNEXPLAINED: (NAMES[Assessment.UNEXPLAINED], "Colour tells little of where it fires."),
}
_COLOURLESS = {Assessment.UNDECIDED: "◐ perhaps", Assessment.NEITHER: "○ no colour"}
_COLUMNS = (
    Column("guessed from", share=1.2, named=False),
    Column(
        "average precision",
        help="1: every pixel of the mask is guessed before any other; the stroke is the base rate, which "
        "guessing blindly gives",
        share=1.4,
        number=True,
    ),
)


def sign(word: Assessment | None, *, annotated: bool = True) -> str:
    """For a tile; empty where nothing is assessed."""
    if word is None:
        return ""
    if not annotated and word in _COLOURLESS:
        return _COLOURLESS[word]
    return f"{_SYMBOLS.get(word, '')} {WORDS.get(word, '')}".strip()


def line(view: LayerView, unit: int) -> str:
    """What the unit responds to and why, in a sentence or two, as HTML; empty where nothing is assessed."""
    word = view.assessment(unit)
    if word is None:
        return ""
    said = escape(NAMES[word] if view.annotated else _UNANNOTATED.get(word, (NAMES[word],))[0])
    if word is Assessment.UNEXPLAINED:  # which is said in large type
        begin = ""
    elif word in (Assessment.SATURATED, Assessment.TOO_FEW_IMAGES):
        begin = f"<b>{said[:1].upper()}{said[1:]}.</b> "
    else:
        begin = f"<b>Responds to {said}.</b> "
    return f'<p class="us-said">{begin}{_because(view, unit, word)}</p>{palette(view, unit)}'


def _because(view: LayerView, unit: int, word: Assessment) -> str:
    told = {
        Assessment.COLOUR: "On images held out, colour tells better where it fires than the annotation does.",
        Assessment.OBJECT: "On images held out, the annotation tells better where it fires than colour does.",
        Assessment.COLOUR_AND_OBJECT: "Knowing colour and annotation tells more than either alone.",
        Assessment.UNDECIDED: _undecided(view, unit),
        Assessment.UNEXPLAINED: "Neither colour nor annotation tells much of where it fires"
        f"{_leaning(view, unit)}.",
        Assessment.NEITHER: "Neither tells where it fires on images held out.",
        Assessment.UNSPECIFIC: f"It is as active outside “{escape(view.label(unit))}” as inside it.",
        Assessment.TOO_FEW_IMAGES: _too_few(view),
        Assessment.BY_CHANCE: "Shuffled annotations overlap as well as its label does.",
    }
    why = told.get(word, "") if view.annotated else _UNANNOTATED.get(word, ("", told.get(word, "")))[1]
    return " ".join(part for part in (_held(view, unit, word), why) if part)


def _undecided(view: LayerView, unit: int) -> str:
    """Whether colour and annotation tell as much as each other, or it is not certain which tells more."""
    found = view.summary.assessment
    if found is None:
        return ""
    scores, (low, high) = found.arrays["precision"][unit, :2], found.arrays["difference"][unit]
    if abs(scores[0] - scores[1]) <= APART * scores.max():
        return "Colour and annotation tell about equally well where it fires."
    if low > 0 or high < 0:
        better = "Colour" if low > 0 else "The annotation"
        return f"{better} tells more of where it fires, but not by enough to be certain."
    return "Which of the two tells better is not certain on these images."


def _too_few(view: LayerView) -> str:
    """What there is too little of."""
    found = view.summary.assessment
    if found is not None and not found.independent:
        return f"{_scenes(view)}: too few independent ones to hold some out."
    some = f" of the {found.metadata['images']:,} sampled" if found and of_sample(view) else ""
    return f"Fewer than {FEWEST_IMAGES} independent images{some} show what it could be, or fire it."


def of_sample(view: LayerView) -> str:
    """“2,000 of 63,305 images” where no more than those are assessed; else empty."""
    found = view.summary.assessment
    if found is None or found.metadata["images"] >= view.facts.images:
        return ""
    return f"{found.metadata['images']:,} of {view.facts.images:,} images"


def _scenes(view: LayerView) -> str:
    """How many images are assessed, and how many independent ones those are."""
    found = view.summary.assessment
    metadata = found.metadata if found else {"images": 0, "scenes": 0}
    images = of_sample(view) or count_text(metadata["images"], "image")
    return f"{images} of {count_text(metadata['scenes'], 'scene')} (copies and frames are one scene)"


def _leaning(view: LayerView, unit: int) -> str:
    """What tells more of the little that can be guessed, if that is certain."""
    found = view.summary.assessment
    low, high = found.arrays["difference"][unit].tolist() if found else (0.0, 0.0)
    if low > 0:
        return "; the little that can be guessed comes from colour"
    return "; the little that can be guessed comes from the annotation" if high < 0 else ""


def _held(view: LayerView, unit: int, word: Assessment) -> str:
    """How much of its mask the label holds and the nearest shade, what it responds to first."""
    label, shade, best = int(view.best[unit]), view.nearest_shade(unit), view.best_shade(unit)
    parts = []
    if view.label(unit):
        whose = "" if word is Assessment.OBJECT else "its label "
        parts.append((whose, f"“{escape(view.label(unit))}”", view.held(unit, label)))
    if shade and best is not None:
        name = f'<span class="us-nowrap">{swatch(shade[1])}“{escape(shade[0])}”</span>'
        parts.append(("the shade ", name, view.held(unit, len(view.concepts) + best)))
    if word is Assessment.COLOUR:
        parts.reverse()
    if not parts:
        return ""
    (what, name, held), *others = parts
    more = "".join(f", {words}{named} {percent_text(share)}" for words, named, share in others)
    return f"{what[:1].upper()}{what[1:]}{name} holds {percent_text(held)} of its mask{more}."


def evidence(view: LayerView, unit: int) -> str:
    """How well its mask can be guessed, as bars, and the intervals that decide; HTML."""
    assessment = view.summary.assessment
    if assessment is None:
        return ""
    if not assessment.independent:
        return f'<p class="us-sub">{escape(_too_few(view))}</p>'
    arrays = assessment.arrays
    colour, annotation, both = (float(value) for value in arrays["precision"][unit])
    base = float(arrays["base_rate"][unit])
    most = max(colour, annotation, both, 2 * base) or 1.0
    rows = [
        (name, Cell(_precision(value), length=value / most, tone=NEUTRAL))
        for name, value in (
            ("colour alone", colour),
            ("annotation alone", annotation),
            ("both", both),
        )[: 3 if view.annotated else 1]
    ]
    table = table_markup(_COLUMNS, rows, f"How well the mask of unit {unit} is guessed", base / most)
    facts = [
        ("base rate", f"{_precision(base)}, what guessing blindly gives"),
        ("colour − annotation", _between(colour - annotation, arrays["difference"][unit])),
    ][: 2 if view.annotated else 1]
    if view.label(unit):
        lift = _between(float(arrays["lift"][unit]), arrays["lift_interval"][unit])
        said = f"{lift}: active share inside it over that outside"
        facts.append((f"lift of “{view.label(unit)}”", said))
    if not np.isnan(arrays["iou_interval"][unit]).any():
        facts.append(("IoU", _between(float(view.iou[unit]), arrays["iou_interval"][unit])))
    tied = tied_with(view, unit)
    if tied:
        low, high = (_short(end) for end in arrays["tie"][unit].tolist())
        facts.append(("nearly tied with", f"“{tied}”: IoU differs by {low} to {high}"))
    drawn = (
        f"{_scenes(view)} in five parts, each guessed from the other four; intervals of 95 % from "
        f"{arrays['best'].shape[1]} resamples of the scenes."
    )
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts)
    return f'{table}<dl class="us-facts">{listed}</dl><p class="us-sub">{escape(drawn)}</p>'


def tied_with(view: LayerView, unit: int) -> str:
    """The runner-up, where resampled images do not say which of the two labels overlaps more; else empty."""
    found = view.summary.assessment
    if found is None or view.word(unit) == "dead":
        return ""
    second, low = int(found.arrays["label"][unit, 1]), float(found.arrays["tie"][unit, 0])
    return view.concepts[second].name if second >= 0 and low <= 0 else ""


def _precision(value: float) -> str:
    return iou_text(value)


def _between(value: float, interval: NDArray[np.float64]) -> str:
    """A number and its interval; of a lift an end may have no limit: nothing is active outside the label."""
    low, high = interval.tolist()
    if math.isnan(value):
        return "not known"
    said = "only inside it" if math.isinf(value) else _short(value)
    if math.isnan(low) or math.isinf(low):
        return said
    return f"{said} ({_short(low)} {'or more' if math.isinf(high) else f'to {_short(high)}'})"


def _short(value: float) -> str:
    """Three significant digits, whole numbers from 100 on."""
    found = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return found.replace("-", "−")
