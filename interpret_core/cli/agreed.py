"""What `agreement` reports: facts in words, tables of layers and of networks, and the rows of `--out`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from interpret_core import __version__
from interpret_core.analyses.agreement.compute import COLUMNS, PERCENT, Agreement, left_out_cells, number
from interpret_core.analyses.agreement.compute import rows as cells_and_summary
from interpret_core.cli.relating import FEW
from interpret_core.cli.terminal import cell, some, table
from interpret_core.cli.writing import Row
from interpret_core.measures.agreement import Cell, mean
from interpret_core.store.schema import SCHEMA


@dataclass(frozen=True)
class Answer:
    """A network's agreement under the names that were asked for.

    Attributes:
        name, dataset: as asked; stored results may bear older ones.
        without: (class, why) of classes of the data set that have no relevance.
    """

    name: str
    dataset: str
    agreement: Agreement
    without: tuple[tuple[str, str], ...]

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """(class, why) of every class that is not compared."""
        return [*self.without, *self.agreement.left_out]


Twins = Mapping[str, tuple[str, Answer | None]]


def show(screen: Console, answers: Sequence[Answer], twins: Twins, verbose: bool) -> None:
    """The report, ending with the networks side by side.

    Args:
        screen: where to.
        answers: of the networks that were asked for.
        twins: untrained ones that were not, by network: name, and the answer if it is stored.
        verbose: leave nothing out.
    """
    for line in facts_in_words(answers, verbose):
        screen.print(line, soft_wrap=True)
    for answer in answers:
        screen.print(layers_table(answer))
        screen.print()
    screen.print(networks_table(beside(answers, twins)))
    for name, (twin, found) in twins.items():
        if found is None:
            screen.print(
                f"{name}: no baseline; --untrained computes that of its untrained twin {twin}",
                soft_wrap=True,
            )


def beside(answers: Sequence[Answer], twins: Twins) -> list[Answer]:
    """Each network, and below it its untrained twin where that is stored."""
    made = []
    for answer in answers:
        _, twin = twins.get(answer.name, ("", None))
        made += [answer, twin] if twin else [answer]
    return made


def columns(answers: Sequence[Answer]) -> tuple[str, ...]:
    """Of the table that `--out` names; networks are told apart only where there are several."""
    return COLUMNS if len(answers) == 1 else ("network", *COLUMNS)


def rows(answers: Sequence[Answer]) -> Iterator[Row]:
    """Rows of `columns`: a network's cells and its summary, network by network."""
    for answer in answers:
        name = {} if len(answers) == 1 else {"network": answer.name}
        yield from (name | row for row in cells_and_summary(answer.agreement))


def description(answers: Sequence[Answer]) -> Row:
    """Everything beside the rows: what was compared, how, and what was left out."""
    first = answers[0].agreement
    settings, metadata = first.settings, first.metadata
    told = ("quantile", "method", "baseline", "output", "split")
    return {
        "version": __version__,
        "schema": SCHEMA,
        "dataset": {
            "name": answers[0].dataset,
            **{name: metadata["dataset"][name] for name in ("digest", "images")},
        },
        "parameters": {
            "top": settings.top,
            "permutations": settings.permutations,
            "seed": settings.seed,
            **{name: metadata[name] for name in told},
        },
        "units": "error, chance and error_sd in percent; overlap and p_value as shares",
        "networks": [
            {
                **answer.agreement.metadata["network"],
                "name": answer.name,
                "layers": list(answer.agreement.layers),
                "classes": dict(zip(answer.agreement.classes, answer.agreement.concepts, strict=True)),
                "images": answer.agreement.metadata["images"],
                "left_out_classes": answer.left_out,
                "left_out_cells": left_out_cells(answer.agreement),
            }
            for answer in answers
        ],
    }


def facts_in_words(answers: Sequence[Answer], verbose: bool) -> Iterator[str]:
    """What was compared, the evidence, n, and what was left out, a line each."""
    first = answers[0].agreement
    metadata, top = first.metadata, first.settings.top
    yield (
        f"{', '.join(answer.name for answer in answers)} on {answers[0].dataset}: the top {top:.3g} of a "
        "layer's units by IoU with the class's object, and by relevance for the class"
    )
    yield (
        f"IoU at quantile {metadata['quantile']:g}; relevance by {metadata['method']}, baseline "
        f"{metadata['baseline']}, {metadata['output']}, split {metadata['split']}"
    )
    for answer in answers:
        yield from _facts_of(answer, verbose)


def _facts_of(answer: Answer, verbose: bool) -> Iterator[str]:
    found = answer.agreement
    network, images = found.metadata["network"], found.metadata["images"]
    yield f"{answer.name}: evidence: {network['evidence']}. {network['note']}".rstrip()
    least, most = min(images.values()), max(images.values())
    span = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    yield f"{answer.name}: {len(found.classes):,} classes, relevance from n = {span} images each"
    few = [f"{name} ({n})" for name, n in images.items() if n < FEW]
    if few:
        yield f"{answer.name}: fewer than {FEW} images: {some(few, verbose)}"
    cells = [f"{layer} {name} ({why})" for layer, name, why in left_out_cells(found)]
    if cells:
        yield f"{answer.name}: {len(cells):,} cells left out: {some(cells, verbose)}"
    if answer.left_out:
        classes = [f"{name} ({why})" for name, why in answer.left_out]
        yield f"{answer.name}: {len(classes):,} classes left out: {some(classes, verbose)}"


def layers_table(answer: Answer) -> Table:
    """A row per layer of one network: means over the classes that count there."""
    numbers = ("units", "k", "classes", "error %", "chance %", "overlap", "Spearman")
    made = table(f"{answer.name} by layer", "layer", *numbers, numbers=numbers)
    found = answer.agreement
    for name, layer in zip(found.layers, found.network.layers, strict=True):
        shown = (
            layer.units,
            layer.count,
            int(layer.kept.sum()),
            _percent(number(PERCENT * layer.mean_error)),
            _percent(PERCENT * layer.chance),
            cell(number(mean(layer.overlap))),
            cell(number(mean(layer.spearman))),
        )
        made.add_row(name, *(cell(value) for value in shown))
    return made


def networks_table(answers: Sequence[Answer]) -> Table:
    """The paper's Table I: a row per network, mean over layers and classes, deviation over layers."""
    numbers = ("cells", "error %", "± sd", "chance %", "p", "overlap", "Spearman")
    made = table("Disagreement of IoU and relevance", "network", *numbers, numbers=numbers)
    for answer in answers:
        whole = answer.agreement.network
        p_value = number(whole.p_value)
        made.add_row(
            answer.name,
            cell(whole.cells(Cell.KEPT)),
            _percent(number(PERCENT * whole.error)),
            _percent(number(PERCENT * whole.error_sd)),
            _percent(number(PERCENT * whole.chance)),
            cell(None if p_value is None else f"{p_value:.4f}"),
            cell(number(whole.overlap)),
            cell(number(whole.spearman)),
        )
    return made


def _percent(value: float | None) -> str:
    """Two digits, as in the paper's Table I."""
    return cell(None if value is None else f"{value:.2f}")
