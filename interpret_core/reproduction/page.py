"""The study as one page that needs nothing from outside: no script, figures as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from interpret_core.networks.weights import RANDOM, TRAINED
from interpret_core.numbers import mean
from interpret_core.reproduction.comparison import (
    CONV5,
    DATA,
    FIG2,
    FIG4,
    FIG56,
    LABEL,
    QUALITY,
    TABLE1,
    ComparedNumber,
    compared,
)
from interpret_core.reproduction.figures import fig2, fig4, fig56
from interpret_core.reproduction.markup import (
    DASH,
    HeadCell,
    beside,
    details,
    digits,
    evidence,
    how,
    notes,
    section,
    table,
    text,
)
from interpret_core.reproduction.settings import settings
from interpret_core.reproduction.sheets import FACTS, sheets
from interpret_core.reproduction.statements import statements
from interpret_core.reproduction.study import Study

STYLE = Path(__file__).with_suffix(".css")
METHOD = "method.md"  # a copy of docs/method.md beside the page


def page(study: Study, method: bool) -> str:
    """The whole page.

    Args:
        study: what was found.
        method: whether METHOD lies beside it, to link to.
    """
    numbers = compared(study)
    parts = (
        _head(study),
        _table1(study, _of(numbers, TABLE1)),
        fig2(study, _of(numbers, FIG2), _of(numbers, QUALITY)),
        fig4(study, _of(numbers, FIG4)),
        fig56(study, _of(numbers, FIG56)),
        _others(_of(numbers, LABEL, CONV5, DATA)),
        _choices(study),
        _how(method),
        _made(study),
    )
    style = STYLE.read_text(encoding="utf-8")
    title = f"{statements().authors}, computed again on {study.dataset}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _of(numbers: Sequence[ComparedNumber], *groups: str) -> list[ComparedNumber]:
    return [one for group in groups for one in numbers if one.group == group]


def _head(study: Study) -> str:
    links = (
        ("table1", "Table I"),
        ("fig2", "Fig. 2"),
        ("fig4", "Fig. 4"),
        ("fig56", "Figs. 5, 6"),
        ("others", "Other published numbers"),
        ("choices", "Settings"),
        ("how", "How it is computed"),
        ("made", "Made with"),
    )
    menu = "".join(f'<a href="#{anchor}">{words}</a>' for anchor, words in links)
    return (
        f"<h1>The paper’s study, computed again on {escape(study.dataset)}</h1>"
        f'<p class="quiet">{escape(statements().paper)}. Each number stands beside the published one; where '
        "none is known here, the cell says “not stated”. Differences are ours less theirs, before rounding."
        f"</p>{_warnings(study)}<nav>{menu}</nav>"
    )


def _warnings(study: Study) -> str:
    """What keeps the page from being a reproduction, before anything else."""
    found = []
    kinds = dict.fromkeys(one.facts["evidence"] for one in study.networks)
    for kind in kinds:
        names = ", ".join(one.name for one in study.networks if one.facts["evidence"] == kind)
        if kind == RANDOM:
            found.append(
                _note(f"Random weights: {names}. Nothing was learned: these numbers reproduce nothing.", True)
            )
        elif kind != TRAINED:
            found.append(_note(f"{names}: the weights’ evidence is “{kind}”, not training on ImageNet."))
    foreign = [one.name for one in study.networks if not one.title]
    if foreign:
        found.append(_note(f"The paper states nothing of {', '.join(foreign)}."))
    skipped = max(one.facts["skipped"] for one in study.networks)
    if skipped:
        found.append(_note(f"{skipped:,} images of the data set are damaged and count nowhere."))
    return "".join(found)


def _note(words: str, bad: bool = False) -> str:
    return f'<p class="note{" bad" if bad else ""}" role="note">{escape(words)}</p>'


def _table1(study: Study, numbers: Sequence[ComparedNumber]) -> str:
    head = [HeadCell("network"), HeadCell("evidence"), HeadCell("error ± deviation", True)]
    head += [HeadCell(name, True) for name in ("chance", "p", "overlap", "Spearman’s ρ", "cells")]
    rows = [
        [
            escape(one.name),
            evidence(one.facts["evidence"]),
            f"{digits(one.whole['error'], 2)} ± {digits(one.whole['error_sd'], 2)} %",
            f"{digits(one.whole['chance'], 2)} %",
            digits(one.whole["p_value"], 4),
            digits(one.whole["overlap"], 3),
            digits(one.whole["spearman"], 3),
            f"{one.facts['cells']:,} of {one.facts['cells'] + one.facts['cells_left_out']:,}",
        ]
        for one in study.networks
    ]
    return section(
        "table1",
        "Table I: agreement of IoU and relevance",
        "The share of a layer’s units that are among the top by IoU with a class’s object or by relevance "
        "for the class, but not by both.",
        beside(numbers),
        "<h3>Beside chance</h3>",
        table(head, rows),
        details("Every layer, mean over classes", _layer_errors(study)),
    )


def _layer_errors(study: Study) -> str:
    head = [HeadCell("network"), HeadCell("layer")]
    head += [HeadCell(name, True) for name in ("classes", "k", "error", "chance")]
    rows = []
    for one in study.networks:
        for layer in one.facts["layers"]:
            cells = [row for row in one.agreement if row["layer"] == layer]
            if cells:
                error = mean([row["error"] for row in cells])
                numbers = (
                    f"{len(cells)}",
                    f"{cells[0]['k']}",
                    f"{error:.2f} %",
                    f"{cells[0]['chance']:.2f} %",
                )
            else:
                numbers = ("0", DASH, DASH, DASH)
            rows.append([escape(one.name), escape(layer), *numbers])
    return table(head, rows)


def _others(numbers: Sequence[ComparedNumber]) -> str:
    return section(
        "others",
        "Other published numbers",
        "A unit that the paper names, and Network Dissection’s own numbers of AlexNet and Broden.",
        beside(numbers),
    )


def _choices(study: Study) -> str:
    head = [HeadCell("setting"), HeadCell("here"), HeadCell("the paper"), HeadCell("how")]
    rows = [[text(one.name), text(one.ours), text(one.paper), how(one.section)] for one in settings(study)]
    left = [
        [escape(one.name), escape(what), escape(why)] for one in study.networks for what, why in one.left_out
    ]
    out = (
        table([HeadCell("network"), HeadCell("class"), HeadCell("why")], left) if left else "<p>Nothing.</p>"
    )
    return section(
        "choices",
        "Settings",
        "What the paper does not define is this program’s default. Which ten classes the paper takes is not "
        "known here, beside the two that it ablates.",
        table(head, rows, "settings"),
        "<h3>Left out</h3>",
        out,
        details("Classes, and images of each", _class_table(study)),
    )


def _class_table(study: Study) -> str:
    head = [HeadCell("network"), HeadCell("class")]
    head += [HeadCell(name, True) for name in ("images that rank", "right of them", "images evaluated")]
    rows = [
        [
            escape(one.name),
            escape(name),
            f"{count:,}",
            f"{one.facts['right'][name]:,}",
            f"{one.facts['evaluated'][name]:,}" if name in one.facts["evaluated"] else DASH,
        ]
        for one in study.networks
        for name, count in one.facts["classes"].items()
    ]
    return table(head, rows)


def _how(method: bool) -> str:
    return '<section id="how"><h2>How it is computed</h2>' + "".join(_notes(method)) + "</section>"


def _notes(method: bool) -> Iterable[str]:
    for anchor, note in notes().items():
        place = f"docs/{METHOD}#{anchor}"
        where = f'<a href="{METHOD}#{anchor}">{place}</a>' if method else place
        yield (
            f'<h3 id="how-{anchor}">{escape(note["title"])}</h3><p>{escape(note["text"])} '
            f'<span class="quiet">{where}</span></p>'
        )


def _made(study: Study) -> str:
    files = "".join(
        f'<li><a href="{one.name}">{one.name}</a>: {escape(one.about)}</li>' for one in sheets(study)
    )
    return (
        '<section id="made"><h2>Made with</h2><dl>'
        + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in _facts(study))
        + f'</dl><h3>Files</h3><ul>{files}<li><a href="{FACTS}">{FACTS}</a>: digests, settings, what was '
        "left out</li></ul></section>"
    )


def _facts(study: Study) -> Iterator[tuple[str, str]]:
    yield "program", escape(study.made_with)
    first = study.networks[0].facts
    images = f"{first['images']:,} of {study.length:,} images read"
    concepts = f"{first['concepts']:,} concepts compared, {first['rare_concepts']:,} too rare"
    yield "data set", f"{escape(study.dataset)}, {images}, {concepts}<br><code>{study.digest}</code>"
    if study.licences:
        yield "licences", "<br>".join(map(escape, study.licences))
    for one in study.networks:
        flagged = f"{one.facts['flagged']:,} of {one.facts['pairs']:,} pairs of image and layer flagged"
        yield (
            one.name,
            f"{evidence(one.facts['evidence'])} images by {escape(one.facts['class_source'])}, {flagged}"
            f"<br><code>{one.facts['digest']}</code>",
        )
