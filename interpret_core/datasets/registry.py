"""Finding a data set by its registered name or, on the command line, by its folder."""

from __future__ import annotations

import os
from pathlib import Path

from interpret_core import config, demo
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.folder import read_folder
from interpret_core.datasets.tables import CLASSES, INDEX, Tables, read_tables
from interpret_core.errors import DatasetError, unknown


def known() -> dict[str, Path]:
    """Registered names and their folders: the configuration's (`config.current`), then the demo if shown.

    A configured data set of the demo's name takes its place.
    """
    found = dict(config.current().datasets)
    if demo.shown():
        found.setdefault(demo.NAME, demo.DATASET)
    return found


def open_dataset(name_or_path: str | Path, *, registered_only: bool = False) -> Dataset:
    """Open a data set in Broden's layout, or a folder of images with classes.csv: its tables, no picture.

    Args:
        name_or_path: a registered name, or a folder.
        registered_only: refuse folders; pages pass True, since names there come from URLs and forms.

    Returns:
        The Dataset; a folder is called by its own name.

    Raises:
        DatasetError: unknown name, missing folder, or a layout that is neither, in one clear line.
    """
    names = known()
    text = os.fspath(name_or_path)
    if text in names:
        return Dataset(text, names[text].resolve(), _read(names[text]))
    path = Path(text).expanduser()
    path_like = isinstance(name_or_path, Path) or path.is_dir() or Path(text).name != text
    if registered_only or not text or not path_like:
        remedy = 'Register a folder in unitscope.toml, under [datasets] as name = "folder".'
        raise DatasetError(unknown("data set", text, names, remedy))
    return Dataset(path.resolve().name, path.resolve(), _read(path))


def _read(root: Path) -> Tables:
    """The tables of a folder in either layout."""
    if not root.is_dir() or (root / INDEX).is_file():
        return read_tables(root)
    if (root / CLASSES).is_file():
        return read_folder(root)
    raise DatasetError(
        f"{root} has neither {INDEX} (annotated, Broden's layout: {INDEX}, label.csv, images/) nor {CLASSES} "
        "(a folder of images, with the columns image,class), expected one of them: point to the folder that "
        "holds it."
    )
