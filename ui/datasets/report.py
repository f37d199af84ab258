"""What was found in a data set: pictures with their labels drawn in, counts, likely mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import streamlit as st

from interpret_core.datasets.inspection import CategoryShare, DatasetCheck
from ui.components.table.markup import table_markup
from ui.components.table.table import Cell, Column
from ui.session.datasets.candidates import Staged
from ui.session.datasets.sample import Patch, SamplePicture
from ui.shell.plain import plain
from ui.shell.theme import count_text, percent_text

NAMED = 4  # labels below a picture
ROWS = 12  # classes of a table
EXAMPLES = 3
CATEGORIES = (
    Column("category", named=False),
    Column("concepts", number=True, share=0.6),
    Column("pictures", help="with a label of the category", number=True, share=0.6),
    Column("unlabelled", help="share of these pictures' annotation", number=True, share=0.7),
    Column("most frequent", help="and in how many pictures each is", share=2.6),
)
CLASSES = (Column("class", named=False, share=1.6), Column("pictures", number=True, share=0.7))


def report(found: Staged) -> None:
    """Draw it."""
    st.markdown("\n".join(f"- {plain(line)}" for line in lines(found)))
    if found.trouble:
        st.warning(plain(found.trouble))
    st.html(f'<div class="us-sample">{"".join(map(_figure, found.sample))}</div>')
    if any(patch.colour for one in found.sample for patch in one.patches):
        st.caption("Labels are drawn over the pictures; their colours are those below each picture.")
    if found.check is not None:
        _checked(found.check, whole=found.imported is None or not found.imported.left_out)


def lines(found: Staged) -> Iterator[str]:
    """What it is, in sentences."""
    dataset = found.dataset
    yield f"{count_text(len(dataset), 'picture')}, {_annotated(found)}"
    if found.imported is not None:
        yield "The first folder on the way to a picture is its class, train, val and test aside."
        for name, why in found.imported.left_out[:EXAMPLES]:
            yield f"Left out: {name}: {why}"
        if len(found.imported.left_out) > EXAMPLES:
            yield f"{len(found.imported.left_out):,} pictures are left out in all."
    if found.classes:
        named = [f"{name} ({count:,})" for name, count in _most(found.classes)[:NAMED]]
        more = len(found.classes) - len(named)
        rest = f" and {more:,} more" if more > 0 else ""
        yield f"{count_text(len(found.classes), 'class', 'classes')}: {', '.join(named)}{rest}."
    if dataset.resampling:
        yield dataset.resampling
    if found.left_out:
        shown = ", ".join(found.left_out[:EXAMPLES])
        more = len(found.left_out) - EXAMPLES
        rest = f" and {more:,} more" if more > 0 else ""
        yield f"Not taken, since neither pictures nor tables: {shown}{rest}."


def _annotated(found: Staged) -> str:
    dataset = found.dataset
    if dataset.annotated:
        concepts = len(dataset.concepts().concepts)
        return f"annotated pixel by pixel with {count_text(concepts, 'concept')}."
    if found.classes:
        return "no annotated pixels: units are labelled by classes, which tell when, not where."
    return "no labels: every unit’s strongest pictures, tenths and colours can be seen."


def _figure(one: SamplePicture) -> str:
    words = [f"<b>{escape(one.label)}</b>"] if one.label else []
    words += [_patch(patch) for patch in one.patches[:NAMED]]
    if len(one.patches) > NAMED:
        rest = ", ".join(patch.name for patch in one.patches[NAMED:])
        words.append(f'<span title="{escape(rest, quote=True)}">and {len(one.patches) - NAMED} more</span>')
    if one.problem:
        words.append(f'<span class="us-problem">{escape(one.problem)}</span>')
    if not words:
        words.append("<span>no label</span>")
    name = escape(one.name, quote=True)
    picture = (
        f'<img src="{one.source}" alt="{name}" title="{name}">' if one.source else "<i>cannot be read</i>"
    )
    return f"<figure>{picture}<figcaption>{''.join(words)}</figcaption></figure>"


def _patch(patch: Patch) -> str:
    mark = f'<i style="--tone:{patch.colour}"></i>' if patch.colour else ""
    share = percent_text(patch.share)
    return f'<span title="{escape(patch.name, quote=True)}: {share}">{mark}{escape(patch.name)}</span>'


def _checked(found: DatasetCheck, *, whole: bool) -> None:
    """Findings first: they are what somebody has to decide on."""
    if found.findings:
        st.markdown(f"**{count_text(len(found.findings), 'thing')} to look at**")
        st.markdown("\n".join(f"- {plain(one.line(EXAMPLES))}" for one in found.findings))
    else:
        read = "All files were read" if whole else "All that is not left out was read"
        st.success(f"{read}: nothing suspicious was found.", icon=":material/check:")
    if found.categories:
        _table(CATEGORIES, [_category(found, one) for one in found.categories], "Categories")
    if found.classes:
        rows: list[list[str | Cell]] = [
            [name, Cell(f"{count:,}", count)] for name, count in _most(found.classes)
        ]
        _table(CLASSES, rows, "Classes")


def _most(classes: Mapping[str, int]) -> list[tuple[str, int]]:
    """Those of most pictures first."""
    return sorted(classes.items(), key=lambda one: -one[1])


def _category(found: DatasetCheck, one: CategoryShare) -> list[str | Cell]:
    """A category: how many concepts, in how many pictures, how much is unlabelled, and the most frequent."""
    there = [concept for concept in found.concepts if concept.category == one.category and concept.images]
    most = sorted(there, key=lambda concept: -concept.images)[:NAMED]
    return [
        one.category,
        Cell(f"{len(there):,}", len(there)),
        Cell(f"{one.images:,}", one.images),
        Cell(percent_text(one.unlabelled), one.unlabelled),
        ", ".join(f"{concept.name} ({concept.images:,})" for concept in most),
    ]


def _table(columns: tuple[Column, ...], rows: Sequence[Sequence[str | Cell]], name: str) -> None:
    st.html(table_markup(columns, [list(row) for row in rows[:ROWS]], name))
    if len(rows) > ROWS:
        st.caption(f"and {len(rows) - ROWS:,} more")
