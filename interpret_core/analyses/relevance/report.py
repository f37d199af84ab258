"""What `relevance` reports: facts in words, a table of classes, the relevance mass of each layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from interpret_core import __version__
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.result import FEW, ClassRelevance
from interpret_core.concepts import PREDICTED_MASKS, is_predicted
from interpret_core.tables import Row, Table, many, some


def report(found: Related, verbose: bool) -> Iterator[str | Table]:
    """Lines and tables."""
    ordered = list(found.classes.values())
    yield from facts_in_words(found, verbose)
    yield classes_table(ordered)
    yield ""
    yield mass_table(ordered)
    computed = f"{many(len(found.computed), 'class', 'classes')} computed in"
    spent = computed if found.computed else "All found in the cache,"
    yield f"{spent} {found.seconds:.1f} s."


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
                **_bounded(one, request),
                "objects": one.metadata["objects"],
            }
            for one in found.classes.values()
        ],
        "left_out": [list(pair) for pair in (*plan.class_plan.left_out, *found.left_out)],
    }


def _bounded(one: ClassRelevance, request: RelevanceRequest) -> Row:
    """The gradients that a class had time for, where they are fewer than asked for."""
    first, most = one.metadata["first_points"], one.metadata["most_points"]
    begun = {} if first == request.points else {"points": first}
    return begun if most == request.most_points else begun | {"most_points": most}


def _early(one: ClassRelevance, request: RelevanceRequest) -> bool:
    """Whether finer paths would have said more of a class."""
    bounded = _bounded(one, request)
    return "points" in bounded or ("most_points" in bounded and bool(one.flagged.any()))


def facts_in_words(found: Related, verbose: bool) -> Iterator[str]:
    """Evidence, classes, completeness and what was left out, a line each."""
    request, plan = found.plan.request, found.plan
    classes = list(found.classes.values())
    network = classes[0].metadata["network"]
    yield (
        f"{request.network} on {request.dataset}, split {request.split}, {request.method} of the "
        f"{request.output} from a {request.baseline} baseline, {request.positions} positions"
    )
    yield f"evidence: {network['evidence']}. {network['note']}".rstrip()
    yield f"{many(len(classes), 'class', 'classes')}, images by {plan.class_plan.source}"
    checked = np.concatenate([one.residual.ravel() for one in classes])
    flagged = int(sum(one.flagged.sum() for one in classes))
    pairs = int(np.isfinite(checked).sum())
    if pairs:
        yield (
            f"completeness: {pairs - flagged:,} of {pairs:,} pairs of image and layer within "
            f"{request.tolerance:.0%}, median residual {np.nanmedian(checked):.4f}"
        )
    if early := [_fineness(one) for one in classes if _early(one, request)]:
        yield f"no time for finer paths: {some(early, verbose)}"
    if not plan.class_plan.masked:
        yield "the data set has no object annotation: relevance is summed over the whole image"
    if any(is_predicted(label) for one in classes for _, label in one.metadata["objects"]):
        yield PREDICTED_MASKS
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


def _fineness(one: ClassRelevance) -> str:
    """How far a class came: the gradients on its paths, and what they leave unexplained."""
    return f"{one.name} ({one.arrays['points'].mean():.0f} gradients, residual {_residual(one):.2f})"


def _residual(one: ClassRelevance) -> float | None:
    """The median over images and layers; None where nothing was checked."""
    checked = one.residual[np.isfinite(one.residual)]
    return float(np.median(checked)) if checked.size else None


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
    numbers = ("images", "right", "mean score", "residual", "flagged pairs", "mean points")
    cells = []
    for one in classes:
        names = one.metadata["output_names"]
        cells.append(
            (
                one.name,
                some(names, False) if len(names) > 1 else names[0],
                len(one.images),
                int(one.right.sum()),
                float(one.arrays["score"].mean()),
                _residual(one),
                int(one.flagged.sum()),
                float(one.arrays["points"].mean()),
            )
        )
    return Table("Classes", ("class", "outputs", *numbers), cells, numbers)


def mass_table(classes: Sequence[ClassRelevance]) -> Table:
    """Relevance mass by layer and class."""
    names = tuple(one.name for one in classes)
    cells = [(shape.name, *(one.mass(shape.name) for one in classes)) for shape in classes[0].layers]
    title = "Relevance mass" if "mass" in classes[0].arrays else "Relevance mass, Σ R·hw/HW,"
    return Table(f"{title} by layer", ("layer", *names), cells, names)
