"""The page's sections for the paper's figures: drawings, the numbers beside the paper's, tables on demand."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from interpret_core.analyses.agreement.result import EVERY
from interpret_core.analyses.profile.request import CUTOFF
from interpret_core.numbers import mean
from interpret_core.reproduction import charts
from interpret_core.reproduction.charts import Axes, Curve
from interpret_core.reproduction.comparison import ComparedNumber
from interpret_core.reproduction.findings import LABELLED, NetworkFindings
from interpret_core.reproduction.markup import HeadCell, beside, details, digits, figure, section, table
from interpret_core.reproduction.study import Study
from interpret_core.tables import Row

PERCENT = 100
CATEGORIES = ("object", "part", "material", "color")


def fig2(study: Study, numbers: Sequence[ComparedNumber], quality: Sequence[ComparedNumber]) -> str:
    """What units detect: bars over layers, then numbers."""
    drawn = []
    for one in study.networks:
        for column, words in (("detectors", "detectors"), ("unique", "distinct concepts")):
            drawn.append(figure(one.name, f"{words}, IoU > {CUTOFF:g}", _stacks(one, column, words)))
    legend = "".join(f'<li><i class="{name}"></i>{name}</li>' for name in CATEGORIES)
    return section(
        "fig2",
        "Fig. 2: what units detect, by layer and category",
        "Stacked by the category of each unit’s best concept.",
        f'<ul class="legend">{legend}</ul>',
        f'<div class="figures">{"".join(drawn)}</div>',
        beside(numbers),
        "<h3>Mean top-t IoU</h3>",
        beside(quality),
        details("Every layer and category", _detector_table(study)),
    )


def _stacks(found: NetworkFindings, column: str, words: str) -> str:
    layers = found.facts["layers"]
    stacks = [
        (f"{words} ({name})", name, [found.counted(CUTOFF, layer, name)[column] for layer in layers])
        for name in _categories(found)
    ]
    most = max(1, *(sum(counts[at] for _, _, counts in stacks) for at in range(len(layers))))
    return charts.bars(Axes(f"{found.name}: {words} by layer", layers, most), stacks)


def _categories(found: NetworkFindings) -> list[str]:
    return [name for name in dict.fromkeys(row["category"] for row in found.detectors) if name != EVERY]


def _detector_table(study: Study) -> str:
    """Labelled / distinct, at both cut-offs, by category."""
    names = _categories(study.networks[0])
    head = [HeadCell("network"), HeadCell("layer"), HeadCell("cut-off", True), HeadCell("units", True)]
    head += [HeadCell(name, True) for name in (*names, "all")]
    rows = []
    for one in study.networks:
        for layer in (*one.facts["layers"], EVERY):
            for cutoff in (LABELLED, CUTOFF):
                cells = [one.counted(cutoff, layer, name) for name in (*names, EVERY)]
                shown = [f"{cell['detectors']:,} / {cell['unique']:,}" for cell in cells]
                where = "all layers" if layer == EVERY else layer
                rows.append(
                    [escape(one.name), escape(where), f"{cutoff:g}", f"{cells[-1]['units']:,}", *shown]
                )
    return "<p>Units with a label / distinct labels.</p>" + table(head, rows)


def fig4(study: Study, numbers: Sequence[ComparedNumber]) -> str:
    """Relevance of layers: lines over layers, then numbers."""
    drawn = []
    for one in study.networks:
        for column, words in (("raw_sum", "raw sum, as in the paper"), ("relevance_mass", "mass")):
            drawn.append(figure(one.name, words, _relevance_lines(one, column, words)))
    legend = _key("mean", "mean over classes") + _key("class", "one class")
    return section(
        "fig4",
        "Fig. 4: relevance of layers",
        "Relevance of whole layers for the classes. The raw sum grows with the annotation’s size over the "
        "layer’s grid; the mass does not.",
        f'<ul class="legend">{legend}</ul>',
        f'<div class="figures">{"".join(drawn)}</div>',
        beside(numbers),
        details("Every layer and class", _relevance_table(study)),
    )


def _relevance_lines(found: NetworkFindings, column: str, words: str) -> str:
    layers, classes = found.facts["layers"], list(found.facts["classes"])
    value = {(row["class"], row["layer"]): row[column] for row in found.relevance}
    curves = [Curve(name, "class", [value[name, layer] for layer in layers]) for name in classes]
    centre = [mean([value[name, layer] for name in classes]) for layer in layers]
    curves.append(Curve("mean over classes", "mean", centre))
    most = max(max(value.values()), 1e-12)
    return charts.lines(Axes(f"{found.name}: relevance by layer, {words}", layers, most), curves)


def _relevance_table(study: Study) -> str:
    head = [HeadCell("network"), HeadCell("layer"), HeadCell("class")]
    head += [HeadCell(name, True) for name in ("raw sum", "mass", "share of the class", "images", "flagged")]
    rows = [
        [
            escape(row["network"]),
            escape(row["layer"]),
            escape(row["class"]),
            charts.number(row["raw_sum"]),
            charts.number(row["relevance_mass"]),
            f"{digits(row['share_within_class'], 3)}",
            f"{row['images']:,}",
            f"{row['flagged']:,}",
        ]
        for one in study.networks
        for row in one.relevance
    ]
    return table(head, rows)


def fig56(study: Study, numbers: Sequence[ComparedNumber]) -> str:
    """Units silenced: accuracy over their share, then numbers."""
    drawn = []
    for one in study.networks:
        for name in dict.fromkeys(row["ablated_class"] for row in one.curves):
            rows = [row for row in one.curves if row["ablated_class"] == name]
            quiet = f"{name}, {rows[0]['images']:,} images"
            drawn.append(figure(one.name, quiet, _curves(one.name, name, rows)))
    if not drawn:
        return section(
            "fig56", "Figs. 5, 6: units silenced", "No class could be ablated; see what was left out."
        )
    legend = _key("top", "the class, its top units silenced") + _key("others", "the other classes, likewise")
    legend += _key("bottom", "the class, its bottom units silenced")
    legend += _key("random", "the class, random units (mean ± deviation)")
    return section(
        "fig56",
        "Figs. 5, 6: units silenced",
        "Accuracy over the share of units silenced in every layer but the first and the last.",
        f'<ul class="legend">{legend}</ul>',
        f'<div class="figures">{"".join(drawn)}</div>',
        beside(numbers),
    )


def _curves(network: str, name: str, rows: Sequence[Row]) -> str:
    fractions = list(dict.fromkeys(row["fraction"] for row in rows))
    by = {(row["rank"], row["fraction"]): row for row in rows}

    def values(rank: str, column: str) -> list[float | None]:
        found = [by.get((rank, one), {}).get(column) for one in fractions]
        return [None if one is None else PERCENT * one for one in found]

    curves = [Curve("random units", "random", values("random", "accuracy"), values("random", "accuracy_sd"))]
    curves.append(Curve("the other classes, top units", "others", values("top", "others")))
    curves.append(Curve(f"{name}, bottom units", "bottom", values("bottom", "accuracy")))
    curves.append(Curve(f"{name}, top units", "top", values("top", "accuracy")))
    axes = Axes(
        f"{network}: accuracy for {name} over units silenced",
        [f"{PERCENT * one:g} % (k = {by['top', one]['units']})" for one in fractions],
        PERCENT,
        " %",
    )
    return charts.lines(axes, curves)


def _key(look: str, words: str) -> str:
    line = f'<svg viewBox="0 0 30 10" aria-hidden="true"><path class="{look}" d="M0 5H30"/></svg>'
    return f"<li>{line}{escape(words)}</li>"
