"""Pieces of the page: tables, cells, links to how a number is computed. Every text is escaped here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from interpret_core.networks.weights import RANDOM
from interpret_core.reproduction.comparison import ComparedNumber
from interpret_core.reproduction.statements import NOT_STATED

NOTES = Path(__file__).with_name("notes.toml")
DASH = "–"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"


class HeadCell(NamedTuple):
    """The head of a column, and whether it holds numbers."""

    name: str
    number: bool = False


@cache
def notes() -> dict[str, dict[str, str]]:
    """anchor -> title and text, in the order of the file."""
    return tomllib.loads(NOTES.read_text(encoding="utf-8"))


def table(head: Sequence[HeadCell], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of cells that are markup already; a cell that begins with `<td` or `<th` brings its own."""
    top = "".join(f'<th{_kind(one.number)} scope="col">{escape(one.name)}</th>' for one in head)
    body = "".join(
        "<tr>"
        + "".join(
            cell if cell.startswith(("<td", "<th")) else f"<td{_kind(one.number)}>{cell}</td>"
            for one, cell in zip(head, row, strict=False)
        )
        + "</tr>"
        for row in rows
    )
    look = f' class="{kind}"' if kind else ""
    whole = f"<table{look}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0">{whole}</div>'


def _kind(number: bool) -> str:
    return ' class="n"' if number else ""


def compared_table(numbers: Sequence[ComparedNumber]) -> str:
    """Ours, published, difference, network by network; how and where stand above where all share them."""
    if not numbers:
        return ""
    sections, places = ({getattr(one, name) for one in numbers} for name in ("section", "place"))
    head = [HeadCell("number"), HeadCell("ours", True), HeadCell("published", True)]
    head += [HeadCell("difference", True)]
    head += [HeadCell(name) for name, told in (("how", sections), ("where", places)) if len(told) > 1]
    rows: list[Sequence[str]] = []
    for at, one in enumerate(numbers):
        if one.network and (at == 0 or numbers[at - 1].network != one.network):
            rows.append(
                [f'<th class="group" scope="rowgroup" colspan="{len(head)}">{escape(one.network)}</th>']
            )
        cells = [
            text(one.quantity, one.statement.note if one.statement else ""),
            f'<td class="n ours">{shown(one, one.ours)}</td>',
            published(one),
            difference(one),
        ]
        rows.append(
            cells + [how(one.section)] * (len(sections) > 1) + [escape(one.place)] * (len(places) > 1)
        )
    common = [f"Computed as in {how(one)}." for one in sections if len(sections) == 1]
    common += [f"Published: {escape(one)}." for one in places if len(places) == 1]
    above = f'<p class="quiet">{" ".join(common)}</p>' if common else ""
    return above + table(head, rows, "compared")


def beside(numbers: Sequence[ComparedNumber]) -> str:
    """The same, on demand where none of them is stated."""
    if any(one.statement for one in numbers) or not numbers:
        return compared_table(numbers)
    words = f"{len(numbers):,} numbers beside the paper’s, which are {NOT_STATED} in our documents"
    return details(words, compared_table(numbers))


def shown(one: ComparedNumber, value: float | int | str | None) -> str:
    """A value as this number is shown."""
    if value is None:
        return DASH
    if isinstance(value, str):
        return escape(value)
    return f"{value:,.{one.digits}f}".replace("-", MINUS) + (f"{SPACE}{one.unit}" if one.unit else "")


def published(one: ComparedNumber) -> str:
    """The published value, or that there is none."""
    return NONE if one.statement is None else shown(one, one.statement.value)


def difference(one: ComparedNumber) -> str:
    """With its sign; a dash where one side is no number."""
    if one.difference is None:
        return DASH
    return f"{one.difference:+,.{one.digits}f}".replace("-", MINUS)


NONE = f'<span class="none">{NOT_STATED}</span>'


def text(words: str, note: str = "") -> str:
    """Words, and a smaller note below."""
    return escape(words) + (f"<small>{escape(note)}</small>" if note else "")


def how(section: str) -> str:
    """A link to the note on this page that says how it is computed."""
    return f'<a href="#how-{section}">{escape(notes()[section]["title"])}</a>'


def evidence(word: str) -> str:
    """What the weights are evidence of; red where nothing was learned."""
    return f'<span class="evidence{" bad" if word == RANDOM else ""}">{escape(word)}</span>'


def details(summary: str, content: str) -> str:
    """Content that is shown on demand."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def figure(caption: str, quiet: str, drawing: str) -> str:
    """A drawing below its caption."""
    return (
        f"<figure><figcaption>{escape(caption)} <span>{escape(quiet)}</span></figcaption>{drawing}</figure>"
    )


def section(anchor: str, title: str, words: str, *content: str) -> str:
    """A section of the page: its heading, a sentence, and content that is markup already."""
    return (
        f'<section id="{anchor}"><h2>{escape(title)}</h2><p>{escape(words)}</p>{"".join(content)}</section>'
    )


def digits(value: float | None, number: int) -> str:
    """A value with so many digits after the point; a dash where there is none."""
    return DASH if value is None else f"{value:.{number}f}".replace("-", MINUS)
