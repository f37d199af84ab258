"""Finding a data set by its registered name or, on the command line, by its folder."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

from interpret_core import config, demo
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.excerpts import opened_excerpt
from interpret_core.datasets.fetch.remote import copied
from interpret_core.datasets.layouts.base import Layout
from interpret_core.datasets.layouts.broden import BrodenLayout
from interpret_core.datasets.layouts.folder import FolderLayout, data_sets_in
from interpret_core.datasets.tables import Tables
from interpret_core.errors import DatasetError, unknown
from interpret_core.packages import installed

GROUP = "unitscope.datasets"


def known() -> dict[str, Path]:
    """Registered names and their folders: the configuration's (`config.current`), then the demo if shown.

    A configured data set of the demo's name takes its place. A folder of INTERPRET_DATASETS that holds data
    sets is none: they can be added one by one.
    """
    listed = set(config.listed_folders(os.environ.get("INTERPRET_DATASETS", "")).values())
    stated = config.current().datasets
    found = {name: one for name, one in stated.items() if one not in listed or not data_sets_in(one)}
    if demo.shown():
        found.setdefault(demo.NAME, demo.DATASET)
    return found


def open_dataset(name_or_path: str | Path, *, registered_only: bool = False) -> Dataset:
    """Open a data set in Broden's layout, or a folder of images with classes.csv: its tables, no picture.

    Args:
        name_or_path: a registered name, a folder, or an address such as s3://bucket/broden, which is copied.
        registered_only: refuse folders; pages pass True, since names there come from URLs and forms.

    Returns:
        The Dataset; a folder is called by its own name.

    Raises:
        DatasetError: unknown name, missing folder, or a layout that is neither, in one clear line.
    """
    names = known()
    text = os.fspath(name_or_path)
    if (some := opened_excerpt(text)) is not None:
        return some
    origin = config.current().origins.get(text, text if config.is_url(text) and not registered_only else "")
    if origin:
        root = copied(origin, fetch=not registered_only).resolve()
        name = text if text in names else origin.rstrip("/").rpartition("/")[2]
        return Dataset(name, root, _read(root), origin)
    if text in names:
        return Dataset(text, names[text].resolve(), _read(names[text]))
    path = Path(text).expanduser()
    path_like = isinstance(name_or_path, Path) or path.is_dir() or Path(text).name != text
    if registered_only or not text or not path_like:
        remedy = 'Register a folder in unitscope.toml, under [datasets] as name = "folder".'
        remedy = demo.remedy(text) or remedy
        raise DatasetError(unknown("data set", text, names, remedy))
    return Dataset(path.resolve().name, path.resolve(), _read(path))


@cache
def layouts() -> tuple[Layout, ...]:
    """Broden's, those of installed packages, and at last plain folders; found once per process."""
    others = installed(GROUP, Layout)  # type: ignore[type-abstract]  # it only tells what is one
    return (BrodenLayout(), *(one for _, one in others), FolderLayout())


def _read(root: Path) -> Tables:
    """The tables of a folder in whatever layout it is."""
    if not root.is_dir():
        raise DatasetError(
            f"Data set folder {root} does not exist, expected index.csv, label.csv and images/ in it: "
            "check the path, or get Broden with `python -m interpret_core fetch broden`."
        )
    for one in layouts():
        if one.recognises(root):
            found = one.read(root)
            if not one.version:
                return found
            read_by = {f"layout {type(one).__module__}.{type(one).__qualname__}": one.version}
            return replace(found, digests={**found.digests, **read_by})
    expected = " nor ".join(one.expects for one in layouts())
    raise DatasetError(
        f"{root} has neither {expected}, expected one of them: point to the folder that holds it."
    )
