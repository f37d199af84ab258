"""What the page of a unit says in HTML. Every text from a data set or a URL passes through `escape`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape

from interpret_core.figures.colours import colour_of
from interpret_core.measures.assessment.words import INSIDE, Assessment
from ui.components.assessment import of_sample, tied_with
from ui.components.markup import chip, swatch
from ui.components.table.markup import table_markup
from ui.components.table.table import Cell, Column
from ui.session.view import LayerView
from ui.shell.theme import iou_text, number_text, p_text

Stat = tuple[str, str, str]
COLUMNS = (
    Column("concept", help="the best in order of IoU, then the best of each further category", named=False),
    Column("category", named=False),
    Column("IoU", help="with the unit's masks; the stroke is the cut-off", share=1.6, number=True),
    Column("ceiling", help="the most that this unit could reach with it", share=0.6, number=True),
)

# What stands in large type where that is not the label.
UNLABELLED = {
    Assessment.COLOUR: "",
    Assessment.UNEXPLAINED: "mostly unexplained",
    Assessment.NEITHER: "mostly unexplained",
    Assessment.BY_CHANCE: "no concept beyond chance",
    Assessment.UNSPECIFIC: "nothing in particular",
    Assessment.TOO_FEW_IMAGES: "too few independent images to tell",
}
UNANNOTATED = (
    "Nothing is annotated in these photographs: there is no concept that the unit could overlap with."
)
# What stands there for a unit that overlaps with no concept of enough images.
WITHOUT_LABEL: Mapping[Assessment | None, str] = {
    Assessment.OBJECT: "some object",
    Assessment.COLOUR_AND_OBJECT: "some object",
    Assessment.UNDECIDED: "some object",
}


def heading(view: LayerView, unit: int, told: str = "") -> str:
    """What a unit responds to, as far as that is known, and how good its label is.

    Args:
        view: whose.
        unit: whose.
        told: the label of whole images that it tells better than chance, where nothing is annotated.
    """
    name = escape(told) or _name(view, unit)
    chips = chip("tells this label of images", "strong") if told else ""
    return (
        f'<div class="us-head"><h2 class="us-name">{name}</h2>{chips}{"".join(_chips(view, unit))}'
        f'<span class="us-sub">{escape(view.layer.name)} · unit {unit}</span></div>'
    )


def _name(view: LayerView, unit: int) -> str:
    """The colour where it is one, the label where that explains it; HTML."""
    label, shade, word = view.label(unit), view.nearest_shade(unit), view.assessment(unit)
    if view.word(unit) == "dead":
        return "dead unit"
    if word is not None and UNLABELLED.get(word):
        few = word is Assessment.TOO_FEW_IMAGES and not view.annotated
        return UNLABELLED[word] if not few else f"unit {unit}"
    named = escape(label or (WITHOUT_LABEL.get(word, "no concept") if view.annotated else f"unit {unit}"))
    like = f"{swatch(shade[1])}{escape(shade[0])}" if shade else ""
    if like and word is Assessment.COLOUR:
        return like
    if like and word is Assessment.UNDECIDED and view.annotated:
        return f"{like} or {named}"
    if like and word is Assessment.COLOUR_AND_OBJECT:
        # The annotation tells as a whole; its best label may hold little of the mask.
        held = label and view.held(unit, int(view.best[unit])) >= INSIDE
        return f"{like} + {named}" if held else like
    return named


def _chips(view: LayerView, unit: int) -> Iterator[str]:
    word, label = view.word(unit), view.label(unit)
    if label:
        shown = view.assessment(unit) in (*UNLABELLED, Assessment.COLOUR_AND_OBJECT)
        yield chip(f"label: {label}" if shown else view.category(unit), tone=colour_of(view.category(unit)))
    tied = tied_with(view, unit) if view.assessment(unit) not in UNLABELLED else ""
    if tied:
        yield chip(f"nearly tied: {tied}", "warn")
    if view.detector[unit]:
        other = view.assessment(unit) in UNLABELLED and label
        yield chip("counted as a detector of it" if other else "detector", "" if other else "strong")
    if word:
        explained = {"dead": "dead: never responds", "tied": "tied: several responses equal the threshold"}
        yield chip(explained[word], "warn")
    if not view.annotated:
        yield chip("nothing annotated")
    elif word != "dead" and (label or view.assessment(unit) is None):
        yield from _certainty(view, unit)
    elif word != "dead":
        yield chip("no label", "warn")


def _certainty(view: LayerView, unit: int) -> Iterator[str]:
    """How much the label's overlap means."""
    small = "" if view.detector[unit] else "overlap too small to count"
    of = "label " if view.assessment(unit) in UNLABELLED else ""
    if not view.permutations:
        if small:
            yield chip(f"{of}{small}" if of else small, "warn")
    elif view.summary.significant[unit]:
        yield chip(f"{of}better than chance" + (f", {small}" if small else ""), "warn" if small else "")
    else:
        yield chip(f"{of}no better than chance", "warn")


def stats(view: LayerView, unit: int, drawn: int) -> str:
    """The numbers of the unit with a concept or a shade; p belongs to the best concept only."""
    summary, record = view.summary, view.record
    iou, both, union, ceiling = view.overlap(unit, drawn)
    p_value, q_value = float(summary.p_value[unit]), float(summary.q_value[unit])
    tiles: list[Stat] = [
        ("IoU", f"{iou:.4f}", _between(view, unit, drawn)),
        ("pixels", f"{both:,}", f"of {union:,} in either"),
        ("ceiling", f"{ceiling:.4f}", "its mask’s size allows"),
        ("IoU / ceiling", f"{iou / ceiling:.0%}" if ceiling > 0 else "—", "of that"),
        (
            "p by chance" if drawn == view.best[unit] else "p, best concept",
            p_text(p_value, view.p_floor),
            f"q = {p_text(q_value)}" if view.permutations else "not computed",
        ),
        (
            "fires on, positions",
            f"{100 * float(view.firing[unit]):.3g} %",
            f"{int(record['exceeding'][unit]):,} / {view.positions:,}",
        ),
    ]
    if not view.annotated:  # a shade is drawn, or nothing: no label has a p
        tiles = [*(tiles[:4] if drawn >= 0 else []), tiles[-1]]
    return '<div class="us-stats">' + "".join(_stat(*tile) for tile in tiles) + "</div>"


def _between(view: LayerView, unit: int, drawn: int) -> str:
    """The interval of the IoU with the label, where it was computed."""
    found = view.summary.assessment
    if found is None or drawn != view.best[unit] or drawn < 0:
        return ""
    low, high = found.arrays["iou_interval"][unit].tolist()
    some = of_sample(view)
    return "" if math.isnan(low) else f"{low:.3f} to {high:.3f} (95 %{f', {some}' if some else ''})"


def _stat(name: str, value: str, note: str) -> str:
    parts = (f"<span>{escape(name)}</span>", f"<b>{escape(value)}</b>", f"<span>{escape(note)}</span>")
    return f'<div class="us-stat">{"".join(parts)}</div>'


def concept_table(view: LayerView, unit: int) -> str:
    """The best concepts and the best of each category, with bars against the cut-off."""
    summary = view.summary
    ranked = [int(concept) for concept in summary.top_concept[unit] if concept >= 0]
    others = [int(c) for c in summary.category_concept[unit] if c >= 0 and int(c) not in ranked]
    if not ranked + others:
        return '<p class="us-sub">This unit’s mask overlaps with no annotated concept.</p>'
    names = [f"{rank}. {view.concepts[number].name}" for rank, number in enumerate(ranked, 1)]
    names += [view.concepts[number].name for number in others]
    most = max(summary.profile.table_of_iou.at(unit, number) for number in ranked + others)
    scale = max(view.cutoff * 1.5, most) or 1.0
    rows = [
        _concept(view, unit, number, name, scale) for number, name in zip(ranked + others, names, strict=True)
    ]
    return table_markup(COLUMNS, rows, f"Concepts of unit {unit}", view.cutoff / scale)


def _concept(view: LayerView, unit: int, number: int, name: str, scale: float) -> list[str | Cell]:
    overlap, category = view.overlap(unit, number), view.concepts[number].category
    tone = colour_of(category)
    return [
        name,
        Cell(category, tone=tone),
        Cell(iou_text(overlap.iou), length=overlap.iou / scale, tone=tone),
        iou_text(overlap.ceiling),
    ]


def details(view: LayerView, unit: int) -> str:
    """Threshold, strongest response, tail mass, mask area and colour."""
    record = view.record
    facts = [
        ("threshold T", number_text(float(record["threshold"][unit]))),
        ("strongest response", number_text(float(record["maximum"][unit]))),
        ("tail mass", f"{100 * float(view.firing[unit]):.4g} % (asked: {100 * view.quantile:g} %)"),
        ("mask area", f"{100 * float(view.summary.profile.mask_area[unit]):.3g} % of all pixels"),
        ("positions", f"{view.positions:,} ({view.layer.grid[0]}×{view.layer.grid[1]} per image)"),
        (
            "receptive field",
            f"{view.layer.receptive_field} px" if view.layer.receptive_field else "not known",
        ),
    ]
    parts = [f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts]
    colour, shade = view.colour(unit), view.nearest_shade(unit)
    if colour:
        words = f"{swatch(colour)}rgb {colour[0]}, {colour[1]}, {colour[2]}"
        parts.append(f"<div><dt>mean colour in the mask</dt><dd>{words}</dd></div>")
    if shade:
        name, rgb, iou = shade
        parts.append(
            f"<div><dt>nearest shade</dt><dd>{swatch(rgb)}{escape(name)}, IoU {iou_text(iou)}</dd></div>"
        )
    return f'<dl class="us-facts">{"".join(parts)}</dl>'
