"""`networks` and `datasets`: what is known here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interpret_core import config
from interpret_core.cli.checked import show_check
from interpret_core.cli.examined import show_examination
from interpret_core.cli.options import NoPictures
from interpret_core.cli.terminal import console, table
from interpret_core.errors import NetworkError, ParameterError, UserError
from interpret_core.tables import many

if TYPE_CHECKING:
    from interpret_core.datasets import Dataset
    from interpret_core.networks import Network

NAMES_SHOWN = 8
CLASSES = "classes.csv"
CHECK = "check"


def list_networks(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One network: its layers, classes and digest; what several names begin with: those "
            "(torchvision/); or the word check.",
            show_default=False,
        ),
    ] = None,
    checked: Annotated[
        str | None, typer.Argument(help="After check: the network to examine.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report of check as JSON.")] = False,
) -> None:
    """Known networks and where their weights are; with a name, its layers. Downloads nothing.

    "networks torchvision/" or "networks torchvision/vgg" lists those whose names begin so.

    "networks check NAME" reports what an examination finds: every layer with its range of values, whether
    gradients reach it and whether it has masks, what the outputs mean, and every convolution that is not
    offered, with the reason.
    """
    from interpret_core import networks

    if name == CHECK and checked is not None:
        show_examination(checked, as_json=as_json)
        return
    if checked is not None or as_json:
        raise ParameterError(
            f"Expected one name, or {CHECK} and a name (--json belongs to it): networks {CHECK} "
            f"{checked or name or 'NAME'}."
        )
    every = networks.known()
    chosen = every if name is None else _beginning(name, every)
    if name is not None and not chosen:
        _show_network(networks.load(name, fetch=False))
        return
    listed = table("", "name", "title", "weights")
    for known in chosen:
        try:
            spec = networks.find(known)
            listed.add_row(known, spec.title, spec.place())
        except UserError as error:
            listed.add_row(known, "", f"problem: {error}")
    console().print(listed)
    console().print(
        "A network of your own: package.module:factory[@weights.safetensors], or a name for it under "
        f"[networks] in {config.DEFAULT_CONFIG}.",
        soft_wrap=True,
    )


def _beginning(text: str, names: Sequence[str]) -> list[str]:
    """Names that begin so, where a text is the beginning of several, or of a folder; none for a name."""
    from interpret_core import networks

    found = [] if text in names else [name for name in names if name.startswith(text)]
    if text.endswith("/") or not found:
        return found
    try:
        networks.find(text)  # not every name that means a network is listed
    except NetworkError:
        return found if len(found) > 1 else []
    return []


def _show_network(network: Network) -> None:
    screen = console()
    size = "×".join(str(extent) for extent in network.preprocessing.size)
    classes = f"{len(network.class_names):,} classes" if network.class_names else "classes without names"
    screen.print(f"{network.name}: {network.spec.title}", soft_wrap=True)
    screen.print(f"evidence: {network.evidence}. {network.note}".rstrip(), soft_wrap=True)
    screen.print(f"input {size} px, {classes}, digest {network.digest}", soft_wrap=True)
    numbers = ("units", "grid", "receptive field", "stride")
    for title, layers in (("", network.layers), ("further layers, by name", network.further)):
        if not layers:
            continue
        listed = table(title, "layer", "module", *numbers, numbers=numbers)
        for layer in layers:
            grid = "×".join(str(extent) for extent in layer.grid)
            field, stride = (
                f"{pixels} px" if pixels else "?" for pixels in (layer.receptive_field, layer.stride)
            )
            name = layer.name if not title else f"{layer.name} ({layer.sort})"
            listed.add_row(name, layer.path, str(layer.units), grid, field, stride)
        screen.print(listed)
    left = (*network.left_out, *network.not_offered)
    for path, why in left[:NAMES_SHOWN]:
        screen.print(f"not offered: {path}: {why}", soft_wrap=True)
    if len(left) > NAMES_SHOWN:
        screen.print(f"and {len(left) - NAMES_SHOWN} more: networks {CHECK} {network.name}", soft_wrap=True)


def list_datasets(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            help="One data set, by name or folder: its concepts; or the word check.", show_default=False
        ),
    ] = None,
    checked: Annotated[
        str | None, typer.Argument(help="After check: the data set to look through.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report of check as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every concept in the report of check.")
    ] = False,
    no_pictures: NoPictures = False,
) -> None:
    """Registered data sets with their images and concepts; reads their tables, no picture.

    "datasets check NAME" reads every file: pictures per concept, the share that is unlabelled, and whatever
    looks like a mistake, with what to do about it.
    """
    from interpret_core import datasets

    screen = console()
    if name == CHECK and checked is not None:
        show_check(checked, context.obj, as_json=as_json, verbose=verbose, pictures=not no_pictures)
        return
    if checked is not None or as_json:
        raise ParameterError(
            f"Expected one name, or {CHECK} and a name (--json belongs to it): datasets {CHECK} "
            f"{checked or name or 'NAME'}."
        )
    if name is not None:
        _show_dataset(datasets.open_dataset(name))
        return
    known = datasets.known()
    if not known:
        screen.print(
            f"No data set is registered. Write into {config.DEFAULT_CONFIG}: [datasets] and "
            'name = "folder". To get Broden: python -m interpret_core fetch broden',
            soft_wrap=True,
        )
        return
    listed = table("", "name", "images", "concepts", "folder", numbers=("images",))
    for known_name, folder in known.items():
        listed.add_row(known_name, *_dataset_cells(known_name, folder))
    screen.print(listed)


def _dataset_cells(name: str, folder: Path) -> tuple[str, str, str]:
    from interpret_core import datasets

    try:
        dataset = datasets.open_dataset(name)
    except UserError as error:
        return "", f"problem: {error}", str(folder)
    counts = ", ".join(f"{category} {len(names)}" for category, names in concept_names(dataset).items())
    return f"{len(dataset):,}", counts if dataset.annotated else "nothing annotated", str(folder)


def concept_names(dataset: Dataset) -> dict[str, list[str]]:
    """Concepts of each category in label.csv's order, under the names that options take."""
    found: dict[str, list[str]] = {category: [] for category in dataset.categories}
    labelled = {category for label in dataset.labels.values() for category in label.categories}
    if within := labelled.intersection(found):
        table = dataset.concepts(within)
        for concept, name in zip(table.concepts, table.names, strict=True):
            found[concept.category].append(name)
    return found


def _show_dataset(dataset: Dataset) -> None:
    from interpret_core.datasets.rights import rights_of

    screen = console()
    size = "×".join(str(extent) for extent in dataset.annotation_size)
    annotations = f"annotations {size}" if dataset.annotated else "nothing annotated"
    screen.print(f"{dataset.name}: {many(len(dataset), 'image', 'images')}, {annotations}", soft_wrap=True)
    screen.print(f"folder {dataset.root}", soft_wrap=True)
    for told in filter(None, (dataset.resampling, dataset.repetition)):
        screen.print(told, soft_wrap=True)
    for told in rights_of(dataset.root).lines():
        screen.print(told, soft_wrap=True)
    if dataset.classes_table is not None:
        screen.print(_classes_line(dataset), soft_wrap=True)
    if dataset.without_column:
        screen.print(_without_column(dataset), soft_wrap=True)
    if not dataset.annotated:
        return
    listed = table("", "category", "concepts", "images with a map", "names", numbers=("concepts",))
    for category, names in concept_names(dataset).items():
        images = sum(bool(record.maps.get(category)) for record in dataset.records)
        more = " …" if len(names) > NAMES_SHOWN else ""
        shown = ", ".join(names[:NAMES_SHOWN]) + more
        listed.add_row(category, f"{len(names):,}", f"{images:,}", shown)
    screen.print(listed)


def _without_column(dataset: Dataset) -> str:
    stray = [
        f"{label.number} {label.name} ({category})"
        for category, labels in dataset.without_column.items()
        for label in labels
    ]
    more = " …" if len(stray) > NAMES_SHOWN else ""
    return (
        f"{len(stray):,} labels are listed under a category that index.csv has no column for, where they do "
        f"not count: {'; '.join(stray[:NAMES_SHOWN])}{more}"
    )


def _classes_line(dataset: Dataset) -> str:
    import numpy as np

    from interpret_core.datasets import read_classes
    from interpret_core.datasets.classes import NO_CLASS, lists_classes

    if not lists_classes(dataset):
        return f"{CLASSES} names no class"
    classes = read_classes(dataset)
    images = {split: len(classes.images(split)) for split in ("all", "train", "val")}
    rowless = [dataset.records[at].image for at in np.flatnonzero(classes.of_image == NO_CLASS)[:NAMES_SHOWN]]
    without = int((classes.of_image == NO_CLASS).sum())
    others = (
        f"; {many(without, 'image', 'images')} in no row of {CLASSES}: {', '.join(rowless)}"
        if without
        else ""
    )
    others += " …" if without > NAMES_SHOWN else ""
    shown = ", ".join(classes.names[:NAMES_SHOWN]) + (" …" if len(classes.names) > NAMES_SHOWN else "")
    return (
        f"{len(classes.names):,} classes of {images['all']:,} images "
        f"({images['train']:,} train, {images['val']:,} val): {shown}{others}"
    )
