"""What the page of a unit says in HTML. Every text from a data set or a URL passes through `escape`."""

from __future__ import annotations

from html import escape

from ui.components.markup import chip, swatch
from ui.components.table.markup import table_markup
from ui.components.table.table import Cell, Column
from ui.session.view import LayerView
from ui.shell.theme import colour_of, iou_text, number_text, p_text

Stat = tuple[str, str, str]
COLUMNS = (
    Column("concept", help="the best in order of IoU, then the best of each further category", named=False),
    Column("category", named=False),
    Column("IoU", help="with the unit's masks; the stroke is the cut-off", share=1.6, number=True),
    Column("ceiling", help="the most that this unit could reach with it", share=0.6, number=True),
)


def heading(view: LayerView, unit: int) -> str:
    """Label, category and state of a unit."""
    word, label = view.word(unit), view.label(unit)
    chips = []
    if label:
        chips.append(chip(view.category(unit), tone=colour_of(view.category(unit))))
    if view.detector[unit]:
        chips.append(chip("detector", "strong"))
    elif word != "dead":
        chips.append(chip("below the cut-off", "warn"))
    if view.summary.significant[unit]:
        chips.append(chip("significant", "strong"))
    if word:
        explained = {"dead": "dead: never responds", "tied": "tied: several responses equal the threshold"}[
            word
        ]
        chips.append(chip(explained, "warn"))
    name = label or ("dead unit" if word == "dead" else "no concept")
    where = f"{escape(view.layer.name)} · unit {unit}"
    return (
        f'<div class="us-head"><h2 class="us-name">{escape(name)}</h2>{"".join(chips)}'
        f'<span class="us-sub">{where}</span></div>'
    )


def stats(view: LayerView, unit: int, concept: int) -> str:
    """The numbers of the unit with one concept; p belongs to the best concept only."""
    summary, record = view.summary, view.record
    profile = summary.profile
    iou = float(profile.iou[unit, concept]) if concept >= 0 else 0.0
    ceiling = float(profile.ceiling[unit, concept]) if concept >= 0 else 0.0
    category = view.categories.index(view.concepts[concept].category) if concept >= 0 else 0
    both = int(record["intersection"][unit, concept]) if concept >= 0 else 0
    union = (
        int(record["active"][unit, category] + record["concept_pixels"][concept]) - both
        if concept >= 0
        else 0
    )
    p_value, q_value = float(summary.p_value[unit]), float(summary.q_value[unit])
    tiles: list[Stat] = [
        ("IoU, pixels", f"{iou:.4f}", f"{both:,} / {union:,}"),
        ("ceiling", f"{ceiling:.4f}", "most possible"),
        ("IoU / ceiling", f"{iou / ceiling:.0%}" if ceiling > 0 else "—", "of the possible"),
        (
            "p by chance" if concept == view.best[unit] else "p, best concept",
            p_text(p_value, view.p_floor),
            f"q = {p_text(q_value)}" if view.permutations else "not computed",
        ),
        (
            "fires on, positions",
            f"{100 * float(view.firing[unit]):.3g} %",
            f"{int(record['exceeding'][unit]):,} / {view.positions:,}",
        ),
    ]
    return '<div class="us-stats">' + "".join(_stat(*tile) for tile in tiles) + "</div>"


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
    most = max(float(summary.profile.iou[unit, number]) for number in ranked + others)
    scale = max(view.cutoff * 1.5, most) or 1.0
    rows = [
        _concept(view, unit, number, name, scale) for number, name in zip(ranked + others, names, strict=True)
    ]
    return table_markup(COLUMNS, rows, f"Concepts of unit {unit}", view.cutoff / scale)


def _concept(view: LayerView, unit: int, number: int, name: str, scale: float) -> list[str | Cell]:
    profile, category = view.summary.profile, view.concepts[number].category
    iou, tone = float(profile.iou[unit, number]), colour_of(category)
    return [
        name,
        Cell(category, tone=tone),
        Cell(iou_text(iou), length=iou / scale, tone=tone),
        iou_text(float(profile.ceiling[unit, number])),
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
