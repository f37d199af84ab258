"""What `image-labels` shows: facts in words, and the units that tell a label best."""

from __future__ import annotations

from collections.abc import Iterator

from interpret_core.analyses.image_labels.result import COLUMNS, FALSE_DISCOVERIES, UnitsByImageLabel
from interpret_core.numbers import known
from interpret_core.tables import Row, Table, some

SHOWN = 10
WHEN = "A label of whole images says when a unit responds, not where."


def report(found: UnitsByImageLabel, verbose: bool) -> Iterator[str | Table]:
    """Lines, then the strongest units of all layers."""
    yield from _facts(found, verbose)
    rows = sorted((row for row in found.rows() if row["label"] is not None), key=_order)
    shown = rows if verbose else rows[:SHOWN]
    caption = f"{len(shown):,} of {sum(layer.units for layer in found.layers.values()):,} units. {WHEN}"
    cells = [tuple(_shown(name, row[name]) for name in COLUMNS) for row in shown]
    yield Table(
        "Units that tell a label best", COLUMNS, cells, tuple(set(COLUMNS) - {"layer", "label"}), caption
    )
    yield _better(found, verbose)
    yield f"{'Computed in' if found.computed else 'Found in the cache,'} {found.seconds:.2f} s."


def _order(row: Row) -> tuple[bool, float]:
    """Those better than chance first; many have the smallest p that there is."""
    q = row["q_value"]
    return (q is None or q > FALSE_DISCOVERIES, -row["z"])


def _shown(name: str, value: object) -> object:
    """p and q of few decimals would all be 0.000."""
    return f"{value:.2g}" if name in ("p_value", "q_value") and isinstance(value, float) else value


def _facts(found: UnitsByImageLabel, verbose: bool) -> Iterator[str]:
    told = found.first.metadata
    network = told["network"]
    yield f"{found.request.network} on {found.request.dataset}"
    yield f"evidence: {network['evidence']}. {network['note']}".rstrip()
    groups = (
        f" in {told['groups']:,} groups that belong together" if told["groups"] < told["labelled"] else ""
    )
    yield (
        f"{told['labelled']:,} of {told['dataset']['images']:,} images with labels{groups}; "
        f"{len(told['labels']):,} labels of {', '.join(told['columns'])}"
    )
    left_out = [f"{name} ({why})" for name, why in told["left_out"]]
    if left_out:
        yield f"{told['left_out_in_all']:,} left out of the labels: {some(left_out, verbose)}"
    skipped = [why if image in why else f"{image}: {why}" for image, why in told["skipped"]]
    if skipped:
        yield f"{len(skipped):,} images skipped as damaged: {some(skipped, verbose)}"


def _better(found: UnitsByImageLabel, verbose: bool) -> str:
    if not found.request.permutations:
        return "Without permutations (--permutations 0) nobody knows what chance would give."
    by_layer = {name: layer.better for name, layer in found.layers.items()}
    number = sum(by_layer.values())
    of = sum(layer.units for layer in found.layers.values())
    limit = f"q ≤ {FALSE_DISCOVERIES:g}"
    if not number:
        least = min(
            (p for layer in found.layers.values() for p in map(known, layer["p_value"]) if p is not None),
            default=None,
        )
        said = "" if least is None else f"; the smallest p is {least:.2g}"
        return f"No unit of {of:,} tells a label better than chance ({limit}){said}."
    most = sorted((name for name, count in by_layer.items() if count), key=lambda name: -by_layer[name])
    layers = some([f"{name} {by_layer[name]:,}" for name in most], verbose)
    return f"{number:,} of {of:,} units tell a label better than chance ({limit}): {layers}"
