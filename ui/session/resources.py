"""Addresses of pictures and downloads: registered names and a digest that pins the cache, never a path."""

from __future__ import annotations

from urllib.parse import urlencode

from ui.session.view import LayerView
from ui.shell.addresses import prefix


def thumbnail(view: LayerView) -> tuple[str, str]:
    """What stands before and after a unit's number in the address of its tile."""
    query = {
        "network": view.facts.network,
        "dataset": view.facts.dataset,
        "layer": view.layer.name,
        "min_images": view.summary.settings.min_images,
        "v": view.key,
    }
    return f"{prefix()}/thumb/", f".jpg?{urlencode(query)}"


def photo(view: LayerView) -> tuple[str, str]:
    """What stands before and after an image's index in the address of its photograph."""
    return photo_of(view.facts.dataset, view.facts.dataset_digest)


def photo_of(dataset: str, digest: str) -> tuple[str, str]:
    """The same for a data set by its registered name and digest."""
    return f"{prefix()}/photo/", f".jpg?{urlencode({'dataset': dataset, 'v': digest[:16]})}"


def relevance_map(kind: str, **query: str | int) -> tuple[str, str]:
    """What stands before and after an image's index in the address of integrated gradients to lay over it.

    Args:
        kind: "layer" (with a unit among the query, that unit's) or "pixel".
        query: whose they are; see `ui.server.routes.relevance_map`.
    """
    return f"{prefix()}/map/{kind}/", f".png?{urlencode(query)}"


def download(view: LayerView, kind: str, unit: int | None = None, *, named: bool = True) -> str:
    """Address of `layer.csv`, `layer.json` or `unit.json` for this view; files of pictures named or not."""
    query: dict[str, object] = {
        "network": view.facts.network,
        "dataset": view.facts.dataset,
        "layer": view.layer.name,
        "min_images": view.summary.settings.min_images,
        "cutoff": f"{view.cutoff:g}",
    }
    if unit is not None:
        query["unit"] = unit
    if not named:
        query["pictures"] = 0
    return f"{prefix()}/download/{kind}?{urlencode(query)}"
