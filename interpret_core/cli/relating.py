"""`relevance`: which classes each unit matters for, by integrated gradients inside the object's mask."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.table import Table

from interpret_core import __version__, config
from interpret_core.cli import options
from interpret_core.cli.stopping import Stop
from interpret_core.cli.terminal import Progress, cell, console, some, table

if TYPE_CHECKING:
    from interpret_core.analyses.relevance.compute import Related
    from interpret_core.analyses.relevance.request import RelevanceRequest
    from interpret_core.analyses.relevance.result import ClassRelevance
    from interpret_core.cli.writing import Row
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

COLUMNS = (
    "layer",
    "unit",
    "class",
    "relevance",
    "positive",
    "negative",
    "in_mask_share",
    "per_pixel_mean",
    "residual",
    "points",
    "images",
)
FEW = 10  # images, below which a mean says little

Method = Annotated[
    str, typer.Option(metavar="NAME", help="layer-ig (path in the layer's space) or conductance.")
]
Baseline = Annotated[str, typer.Option(metavar="NAME", help="Reference input: black, mean or blur.")]
Target = Annotated[
    str, typer.Option("--of", metavar="NAME", help="What is attributed: probability or logit.")
]
Images = Annotated[int, typer.Option(parser=options.whole, metavar="COUNT", help="At most, per class.")]
Points = Annotated[
    int, typer.Option(parser=options.whole, metavar="COUNT", help="Gradients on each path to begin with.")
]
MostPoints = Annotated[
    int, typer.Option(parser=options.whole, metavar="COUNT", help="Gradients on each path at most.")
]
Tolerance = Annotated[
    float,
    typer.Option(parser=options.number, metavar="SHARE", help="Residual at which refinement stops; 0: none."),
]


def relevance(  # noqa: PLR0913 - the options of the command
    context: typer.Context,
    network: options.Network,
    dataset: options.Data,
    classes: options.Classes = "all",
    method: Method = "layer-ig",
    baseline: Baseline = "black",
    of: Target = "probability",
    split: options.Split = "train",
    images: Images = 10,
    points: Points = 16,
    most_points: MostPoints = 256,
    tolerance: Tolerance = 0.05,
    device: options.Device = "auto",
    cache: options.Cache = None,
    out: options.Out = None,
    verbose: options.Verbose = False,
) -> None:
    """Which classes each unit matters for (integrated gradients); only what is missing is computed."""
    from interpret_core.analyses.relevance.request import RelevanceRequest
    from interpret_core.cli.writing import check_target, write_rows
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    target = check_target(out) if out is not None else None
    request = RelevanceRequest(
        network, dataset, classes, method, baseline, of, split, images, points, most_points, tolerance
    )
    stop: Stop = context.obj
    with Store(cache or config.current().cache) as store:
        found = _ran(request, store, Execution(device, cancelled=stop.asked), stop)
    screen = console()
    for line in facts_in_words(found, verbose):
        screen.print(line, soft_wrap=True)
    ordered = list(found.classes.values())
    screen.print(classes_table(ordered))
    screen.print()
    screen.print(mass_table(ordered))
    spent = f"{len(found.computed)} classes computed in" if found.computed else "All found in the cache,"
    screen.print(f"{spent} {found.seconds:.1f} s.", soft_wrap=True)
    if target is not None:
        written = write_rows(target, COLUMNS, rows(ordered), description(found))
        screen.print(f"{written:,} rows written to {target}", soft_wrap=True)


def _ran(request: RelevanceRequest, store: Store, execution: Execution, stop: Stop) -> Related:
    from dataclasses import replace

    from interpret_core.analyses.relevance.compute import run_relevance

    with stop.patiently(), Progress(console()) as progress:
        return run_relevance(request, store, replace(execution, tell=progress.tell))


def rows(classes: Sequence[ClassRelevance]) -> Iterator[Row]:
    """A row of COLUMNS per unit and class; residual is the largest of the images', points their mean."""
    for one in classes:
        for shape in one.layers:
            layer = one.layer(shape.name)
            residual = float(layer.residual.max())
            shared = {
                "residual": None if math.isnan(residual) else residual,
                "points": float(layer.points.mean()),
                "images": len(one.images),
            }
            for unit in range(shape.units):
                share = float(layer.in_mask_share[unit])
                yield {
                    "layer": shape.name,
                    "unit": unit,
                    "class": one.name,
                    "relevance": float(layer.relevance[unit]),
                    "positive": float(layer.positive[unit]),
                    "negative": float(layer.negative[unit]),
                    "in_mask_share": None if math.isnan(share) else share,
                    "per_pixel_mean": float(layer.per_pixel_mean[unit]),
                    **shared,
                }


def description(found: Related) -> Row:
    """Everything beside the rows: what was computed, how, and on which images of which classes."""
    request, plan = found.plan.request, found.plan
    first = next(iter(found.classes.values())).metadata
    return {
        "version": __version__,
        "network": first["network"],
        "dataset": first["dataset"],
        "parameters": {
            name: value for name, value in request.to_json().items() if name not in ("network", "dataset")
        },
        "class_source": plan.class_plan.source,
        "classes": [
            {
                "class": one.name,
                "outputs": one.metadata["output_names"],
                "found_by": plan.class_plan.how[one.name],
                "images": one.metadata["image_names"],
                "right": int(one.right.sum()),
                "flagged": [
                    [one.metadata["image_names"][image], one.layers[layer].name]
                    for image, layer in np.argwhere(one.flagged).tolist()
                ],
                "left_out": one.metadata["left_out"],
                "masked": one.metadata["masked"],
                "objects": one.metadata["objects"],
            }
            for one in found.classes.values()
        ],
        "left_out": [list(pair) for pair in (*plan.class_plan.left_out, *found.left_out)],
    }


def facts_in_words(found: Related, verbose: bool) -> Iterator[str]:
    """Evidence, classes, completeness and what was left out, a line each."""
    request, plan = found.plan.request, found.plan
    classes = list(found.classes.values())
    network = classes[0].metadata["network"]
    yield (
        f"{request.network} on {request.dataset}, split {request.split}, {request.method} of the "
        f"{request.output} from a {request.baseline} baseline"
    )
    yield f"evidence: {network['evidence']}. {network['note']}".rstrip()
    yield f"{len(classes):,} classes, images by {plan.class_plan.source}"
    checked = np.concatenate([one.residual.ravel() for one in classes])
    flagged = int(sum(one.flagged.sum() for one in classes))
    pairs = int(np.isfinite(checked).sum())
    if pairs:
        yield (
            f"completeness: {pairs - flagged:,} of {pairs:,} pairs of image and layer within "
            f"{request.tolerance:.0%}, median residual {np.nanmedian(checked):.4f}"
        )
    if not plan.class_plan.masked:
        yield "the data set has no object annotation: relevance is summed over the whole image"
    wrong = [one.name for one in classes if not one.right.any()]
    if wrong:
        yield f"no image is classified right, so little is explained: {some(wrong, verbose)}"
    few = [f"{one.name} ({len(one.images)})" for one in classes if len(one.images) < FEW]
    if few:
        yield f"fewer than {FEW} images: {some(few, verbose)}"
    yield from _images_in_words(classes, verbose)
    left_out = [f"{name} ({why})" for name, why in (*plan.class_plan.left_out, *found.left_out)]
    if left_out:
        yield f"{len(left_out):,} classes of the data set left out: {some(left_out, verbose)}"


def _images_in_words(classes: Sequence[ClassRelevance], verbose: bool) -> Iterator[str]:
    """Objects of several labels, and images that were left out."""
    several = [
        f"{one.name} ({', '.join(label for _, label in one.metadata['objects'])})"
        for one in classes
        if len(one.metadata["objects"]) > 1
    ]
    if several:
        yield f"objects of several labels, taken together: {some(several, verbose)}"
    unused = [f"{one.name}: {image} ({why})" for one in classes for image, why in one.metadata["left_out"]]
    if unused:
        yield f"{len(unused):,} images left out: {some(unused, verbose)}"


def classes_table(classes: Sequence[ClassRelevance]) -> Table:
    """A row per class: its outputs, its images, and how far to trust the attributions."""
    numbers = ("images", "right", "mean score", "flagged pairs", "mean points")
    made = table("Classes", "class", "outputs", *numbers, numbers=numbers)
    for one in classes:
        names = one.metadata["output_names"]
        made.add_row(
            one.name,
            some(names, False) if len(names) > 1 else names[0],
            cell(len(one.images)),
            cell(int(one.right.sum())),
            cell(float(one.arrays["score"].mean())),
            cell(int(one.flagged.sum())),
            cell(float(one.arrays["points"].mean())),
        )
    return made


def mass_table(classes: Sequence[ClassRelevance]) -> Table:
    """Relevance mass by layer and class."""
    names = tuple(one.name for one in classes)
    made = table("Relevance mass, Σ R·hw/HW, by layer", "layer", *names, numbers=names)
    for shape in classes[0].layers:
        made.add_row(shape.name, *(cell(one.mass(shape.name)) for one in classes))
    return made
