"""Which objects a function or a module leads to: by closures, global names, bound methods and attributes."""

from __future__ import annotations

import enum
import functools
import random
import sys
import types
import weakref
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from interpret_core.networks.objects.global_values import closed_over, global_names

# What leads nowhere, and need not be copied.
SHARED = (
    type(None), bool, int, float, complex, str, bytes, type, range, enum.Enum, types.ModuleType,
    types.CodeType, property, torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Size,
)  # fmt: skip
BOUND_IN_C = (types.BuiltinMethodType, types.MethodWrapperType)


def leading(function: types.FunctionType, inside: Collection[int]) -> list[str]:
    """Global names that a function reads and that stand for one of some objects, or for what is bound to it.

    Args:
        function: the function.
        inside: addresses of the objects.
    """
    return [
        name for name in global_names(function) if _leads(function.__globals__[name], inside, {id(function)})
    ]


def _leads(value: Any, inside: Collection[int], seen: set[int]) -> bool:
    if id(value) in inside:
        return True
    if id(value) in seen:
        return False
    seen.add(id(value))
    if isinstance(value, types.MethodType):
        return id(value.__self__) in inside
    if isinstance(value, types.FunctionType):
        held = [value.__globals__[name] for name in global_names(value)]
        held += closed_over(value)
        return any(_leads(one, inside, seen) for one in held if not isinstance(one, list | tuple | dict))
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list | tuple) and any(id(one) in inside for one in value)


def differ(before: Any, after: Any) -> bool:
    """Whether two tuples or mappings hold other objects."""
    if isinstance(before, dict):
        before, after = list(before.values()), list(after.values())
    return any(one is not other for one, other in zip(before or (), after or (), strict=True))


def leak(root: nn.Module, originals: Collection[int]) -> str:
    """The way on which a module leads to one of some objects, for a message; empty where it does not.

    Args:
        root: the module.
        originals: addresses of the objects.
    """
    for path, value in reached(root):
        if id(value) in originals:
            return path
        if isinstance(value, types.FunctionType) and leading(value, originals):
            return f"{path} ({value.__qualname__}, by the global name {leading(value, originals)[0]})"
        if isinstance(value, nn.Module):
            for method in _methods(type(value)):
                if _leads(method, originals, set()):
                    return f"the code of {method.__qualname__}"
    return ""


def has_generator(root: nn.Module) -> bool:
    """Whether a module holds a stream of random numbers of its own."""
    kinds = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)
    return any(isinstance(value, kinds) for _, value in reached(root))


def reached(root: nn.Module) -> Iterator[tuple[str, Any]]:
    """All objects that a module leads to, itself included, each with the attribute that it is reached by."""
    pending: list[tuple[str, Any]] = [("", root)]
    seen: set[int] = set()
    while pending:
        path, value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield path, value
        if not isinstance(value, (*SHARED, torch.Tensor)):
            pending += [(f"{path}.{name}".lstrip(".") if name else path, one) for name, one in _parts(value)]


def _methods(kind: type) -> Iterator[types.FunctionType]:
    """A module's own methods; torch's read no global of anybody."""
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] not in {"torch", "builtins", "typing"}:
            yield from (one for one in vars(base).values() if isinstance(one, types.FunctionType))


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    """What an object holds, with the name of an attribute where it has one."""
    if isinstance(value, dict):
        return [
            (key if isinstance(key, str) and "_" not in key[:1] else "", one) for key, one in value.items()
        ]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return [("", one) for one in value]
    if isinstance(value, types.FunctionType):
        cells = closed_over(value)
        return [("", one) for one in (*cells, value.__defaults__, value.__kwdefaults__, vars(value))]
    if isinstance(value, functools.partial):
        return [("", value.func), ("", value.args), ("", value.keywords)]
    if isinstance(value, (types.MethodType, *BOUND_IN_C)):
        return [("", value.__self__), ("", getattr(value, "__func__", None))]
    if isinstance(value, weakref.ref):
        return [("", value())]
    if type(value).__module__.partition(".")[0] in sys.stdlib_module_names or not hasattr(value, "__dict__"):
        return [("", getattr(value, "__wrapped__", None))]
    return _parts(vars(value))
