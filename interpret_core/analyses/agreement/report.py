"""What `agreement` reports: facts in words, tables of layers and of networks, what stands beside the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interpret_core import __version__
from interpret_core.analyses.agreement.result import (
    PERCENT,
    Agreed,
    Answer,
    UntrainedControls,
    left_out_cells,
)
from interpret_core.analyses.relevance.result import FEW
from interpret_core.concepts import PREDICTED_MASKS, is_predicted
from interpret_core.measures.agreement import Cell
from interpret_core.numbers import known, mean
from interpret_core.positions import Placing
from interpret_core.store.schema import SCHEMA
from interpret_core.tables import Row, Table, cell, some


def report(found: Agreed, verbose: bool) -> Iterator[str | Table]:
    """The report, ending with the networks side by side."""
    yield from facts_in_words(found.answers, verbose)
    for answer in found.answers:
        yield layers_table(answer)
        yield ""
    yield networks_table(beside(found.answers, found.controls))
    for name, (control, stored) in found.controls.items():
        if stored is None:
            yield f"{name}: its untrained control {control} is not computed; --untrained does that"
    yield f"Compared in {found.seconds:.2f} s."


def beside(answers: Sequence[Answer], controls: UntrainedControls) -> list[Answer]:
    """Each network, and below it its untrained control where that is stored."""
    made = []
    for answer in answers:
        _, control = controls.get(answer.name, ("", None))
        made += [answer, control] if control else [answer]
    return made


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
            "positions": _placing(metadata),
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


def _placing(metadata: Mapping[str, Any]) -> str:
    return str(metadata.get("placing", Placing.STRETCHED))


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
        f"{metadata['baseline']}, {metadata['output']}, split {metadata['split']}; "
        f"{_placing(metadata)} positions"
    )
    if any(is_predicted(name) for one in first.concepts for name in one.split(" + ")):
        yield PREDICTED_MASKS
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
    found = answer.agreement
    cells = [
        (
            name,
            layer.units,
            layer.count,
            int(layer.kept.sum()),
            _percent(known(PERCENT * layer.mean_error)),
            _percent(PERCENT * layer.chance),
            known(mean(layer.overlap)),
            known(mean(layer.spearman)),
        )
        for name, layer in zip(found.layers, found.network.layers, strict=True)
    ]
    return Table(f"{answer.name} by layer", ("layer", *numbers), cells, numbers)


def networks_table(answers: Sequence[Answer]) -> Table:
    """The paper's Table I: a row per network, mean over layers and classes, deviation over layers."""
    numbers = ("cells", "error %", "± sd", "chance %", "p", "overlap", "Spearman")
    cells = []
    for answer in answers:
        whole = answer.agreement.network
        p_value = known(whole.p_value)
        cells.append(
            (
                answer.name,
                whole.cells(Cell.KEPT),
                _percent(known(PERCENT * whole.error)),
                _percent(known(PERCENT * whole.error_sd)),
                _percent(known(PERCENT * whole.chance)),
                None if p_value is None else f"{p_value:.4f}",
                known(whole.overlap),
                known(whole.spearman),
            )
        )
    return Table("Disagreement of IoU and relevance", ("network", *numbers), cells, numbers)


def _percent(value: float | None) -> str:
    """Two digits, as in the paper's Table I."""
    return cell(None if value is None else f"{value:.2f}")
