"""Tables as pandas and xarray hold them; both are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from interpret_core.errors import ParameterError
from interpret_core.tables import Row

if TYPE_CHECKING:
    import pandas
    import xarray

Variables = Mapping[str, tuple[tuple[str, ...], Any]]


def frame_of(columns: Sequence[str], rows: Iterable[Row]) -> pandas.DataFrame:
    """Rows as a frame with these columns, in their order."""
    found: pandas.DataFrame = needed("pandas").DataFrame(list(rows), columns=list(columns))
    return found


def rows_of(frame: pandas.DataFrame) -> xarray.Dataset:
    """A frame's columns as variables over the dimension `row`."""
    found: xarray.Dataset = needed("xarray").Dataset(
        {name: (("row",), frame[name].to_numpy()) for name in frame.columns}
    )
    return found


def arrays_of(variables: Variables, coordinates: Mapping[str, Mapping[str, Any]]) -> xarray.Dataset:
    """Arrays with names for their axes.

    Args:
        variables: name -> (dimensions, array).
        coordinates: dimension -> name -> a value for each place on it.
    """
    named = {
        name: ((dimension,), list(values))
        for dimension, of in coordinates.items()
        for name, values in of.items()
    }
    found: xarray.Dataset = needed("xarray").Dataset(dict(variables), coords=named)
    return found


def needed(package: str) -> Any:
    """A package that not everybody has.

    Raises:
        ParameterError: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ParameterError(
            f"{package} is not installed ({error}), but expected here: pip install {package}."
        ) from error
