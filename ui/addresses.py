"""Addresses of pictures and downloads: registered names and a digest that pins the cache, never a path."""

from __future__ import annotations

from urllib.parse import urlencode

from streamlit import config

from ui.view import LayerView

API = "/api"


def prefix() -> str:
    """`server.baseUrlPath` with one leading slash; Streamlit does not put it before custom routes."""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return (f"/{path}" if path else "") + API


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
    query = {"dataset": view.facts.dataset, "v": view.facts.dataset_digest[:16]}
    return f"{prefix()}/photo/", f".jpg?{urlencode(query)}"


def download(view: LayerView, kind: str, unit: int | None = None) -> str:
    """Address of `layer.csv`, `layer.json` or `unit.json` for this view."""
    query: dict[str, object] = {
        "network": view.facts.network,
        "dataset": view.facts.dataset,
        "layer": view.layer.name,
        "min_images": view.summary.settings.min_images,
        "cutoff": f"{view.cutoff:g}",
    }
    if unit is not None:
        query["unit"] = unit
    return f"{prefix()}/download/{kind}?{urlencode(query)}"
