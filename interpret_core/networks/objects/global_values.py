"""What a function reads besides its arguments: global values and what it closes over."""

from __future__ import annotations

import argparse
import dis
import enum
import types
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn

from interpret_core.networks.objects.code import is_own

_VALUES = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    enum.Enum,
    torch.Tensor,
    np.ndarray,
    np.generic,
    torch.dtype,
)
_CALLED = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_LISTS = (list, tuple, set, frozenset)
_SETTINGS = (argparse.Namespace, types.SimpleNamespace)


def inside(value: Any) -> Any:
    """The function in a static or class method, or a property; anything else as it is."""
    return getattr(value, "__func__", getattr(value, "fget", value))


def filled(cell: types.CellType) -> bool:
    """Whether a cell's name is bound."""
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def closed_over(function: types.FunctionType) -> list[Any]:
    """Values of the names that a function closes over, as far as they are bound yet."""
    return [cell.cell_contents for cell in function.__closure__ or () if filled(cell)]


def global_names(function: types.FunctionType) -> list[str]:
    """Names of the globals that a function reads, functions within it included, sorted."""
    read = _words(function.__code__, "LOAD_GLOBAL") | _words(function.__code__, "LOAD_NAME")
    return sorted(read & function.__globals__.keys())


def writes_cells(function: types.FunctionType) -> bool:
    """Whether a function changes what it closes over by name (`nonlocal`)."""
    return bool(_words(function.__code__, "STORE_DEREF") & set(function.__code__.co_freevars))


def globals_read(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """(name, value) of the globals that a function reads, functions nested in it included.

    Not those that a function of its module writes, nor containers of anything but plain values: counters and
    caches differ from call to call.
    """
    names, read = function.__globals__, global_names(function)
    written = {word for code in _codes(names) for word in _words(code, "STORE_GLOBAL")} if read else ()
    for word in read:
        if word not in written and _tells(names[word]):
            yield word, names[word]


def _tells(value: Any) -> bool:
    """Whether a global value says something of what is computed."""
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return bool(value) and _plain(value)
    if isinstance(value, (*_VALUES, *_CALLED, *_SETTINGS, nn.Module, types.ModuleType)):
        return True
    return callable(value) or is_own(type(value).__module__)


def _plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, Mapping):
        return depth < 9 and all(_plain(one, depth + 1) for pair in value.items() for one in pair)
    if isinstance(value, _LISTS):
        return depth < 9 and all(_plain(one, depth + 1) for one in value)
    return value is None or isinstance(value, (bool, int, float, complex, str, bytes, enum.Enum, *_CALLED))


def _codes(names: Mapping[str, Any]) -> Iterator[types.CodeType]:
    """Of the functions and methods of a module."""
    for value in list(names.values()):
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        for one in map(inside, members):
            if isinstance(one, types.FunctionType) and one.__globals__ is names:
                yield one.__code__


@lru_cache(maxsize=4096)
def _words(code: types.CodeType, operation: str) -> frozenset[str]:
    """Names that byte code loads or stores, nested code included."""
    own = {one.argval for one in dis.get_instructions(code) if one.opname == operation}
    nested = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return frozenset(own.union(*(_words(one, operation) for one in nested)))
