"""How the answer to a request is told to others: see `interpret_core.privacy`."""

from __future__ import annotations

from interpret_core import datasets
from interpret_core.datasets import Dataset
from interpret_core.datasets.rights import rights_of
from interpret_core.options import Request
from interpret_core.privacy import Discretion, discretion, pictures_leave
from interpret_core.tables import Row


def discretion_of(request: Request, dataset: Dataset | None = None, *, pictures: bool = True) -> Discretion:
    """What stands for the folders and, without pictures, for the files that an answer names.

    Args:
        request: what was asked.
        dataset: whose answer it is, where it is open; else it is opened by its name.
        pictures: whether names of pictures may stand in it; INTERPRET_PICTURES=0 says no in any case.

    Raises:
        DatasetError: the data set is gone.
    """
    one, several = getattr(request, "network", None), getattr(request, "networks", ())
    names = [name for name in (one, *several) if isinstance(name, str)]
    place = getattr(request, "dataset", None)
    if dataset is None and isinstance(place, str):
        dataset = datasets.open_dataset(place)
    if dataset is None:
        return discretion(names)
    hidden = () if pictures_leave(pictures) else [record.image for record in dataset.records]
    return discretion(names, (place or dataset.name, dataset.name, dataset.root), hidden)


def licences_of(request: Request, dataset: Dataset | None = None) -> Row:
    """`licences` of a request's data set, for what is told beside an answer; nothing where none is known.

    Raises:
        DatasetError: the data set is gone.
    """
    place = getattr(request, "dataset", None)
    if dataset is None and isinstance(place, str):
        dataset = datasets.open_dataset(place)
    return rights_of(dataset.root).to_json() if dataset is not None else {}
