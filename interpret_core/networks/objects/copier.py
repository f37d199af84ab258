"""Copies of objects that never lead back to the original: functions and what they close over included.

`copy.deepcopy` hands functions on as they are, and with them the module that they are bound to: a copy whose
`forward` is decorated, or whose hook closes over the module, would run and change the original. Here every
object is copied once, whoever holds it: attributes, cells of closures, defaults, hooks, bound methods.

What cannot be copied (locks, loggers, generators) is shared.
"""

from __future__ import annotations

import copy
import copyreg
import functools
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from contextlib import suppress
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from interpret_core.networks.objects.global_values import filled, writes_cells
from interpret_core.networks.objects.reachability import BOUND_IN_C, SHARED, differ, leading, leak

_MAPPINGS = (dict, OrderedDict, defaultdict)
_SEQUENCES = (list, set, frozenset, deque, tuple)
_CACHED = type(functools.lru_cache(lambda: None))


def unwrapped(module: nn.Module) -> nn.Module:
    """The network inside what torch.compile, DataParallel and DistributedDataParallel put around it."""
    while True:
        inner = getattr(module, "_orig_mod", None)  # of torch.compile
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = module.module
        if not isinstance(inner, nn.Module):
            return module
        module = inner


class Copier:
    """Copies one module with all that belongs to it; wrappers that compute nothing are taken off."""

    def __init__(self, root: nn.Module, *, share: bool = False) -> None:
        """Prepare to copy.

        Args:
            root: the module.
            share: hand its parameters on instead of copying them.
        """
        self._root, self._share = root, share
        self._made: dict[int, Any] = {}  # by the original's address; also deepcopy's memo
        self._kept: list[Any] = []  # originals, so that an address stays its own
        self._inside = {id(one) for one in (*root.modules(), *root.parameters(), *root.buffers())}
        for parameter in root.parameters() if share else ():
            self._note(parameter, parameter)  # known from the start to parts that copy themselves

    def module(self) -> nn.Module:
        """The copy."""
        made: nn.Module = self.copy(self._root)
        return made

    def copy(self, value: Any) -> Any:
        """The copy of any object, the same one whenever it is asked for."""
        if isinstance(value, SHARED):
            return value
        if id(value) in self._made:
            return self._made[id(value)]
        if isinstance(value, torch.Tensor):
            return self._note(value, self._tensor(value))
        if isinstance(value, nn.Module):
            return self._module(value)
        if type(value) in _MAPPINGS or type(value) in _SEQUENCES:
            return self._container(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return self._note(value, self._method(value))
        return self._other(value)

    def leak(self) -> str:
        """Where the copy leads back to an original, for a message; empty where it does not."""
        originals = {
            id(one)
            for one in self._kept
            if isinstance(one, nn.Module | torch.Tensor) and self._made[id(one)] is not one
        }
        return leak(self._made[id(self._root)], originals)

    def _note(self, original: Any, made: Any) -> Any:
        self._made[id(original)] = made
        self._kept.append(original)
        return made

    def _tensor(self, value: torch.Tensor) -> torch.Tensor:
        if self._share:
            return value if isinstance(value, nn.Parameter) else value.detach().clone()
        try:
            return copy.deepcopy(value)
        except Exception:  # one with a history cannot be copied deeply
            return value.detach().clone()

    def _module(self, value: nn.Module) -> nn.Module:
        inner = unwrapped(value)
        if inner is not value:
            return self._note(value, self.copy(inner))
        kind = type(value)
        plain = kind.__new__ is object.__new__ and kind.__reduce_ex__ is object.__reduce_ex__
        if not plain or (hasattr(kind, "__deepcopy__") and not parametrize.is_parametrized(value)):
            with suppress(Exception):  # of what it cannot copy either
                return self._copies_itself(value)
        twin: nn.Module = self._note(value, object.__new__(kind))
        # Without a compiled way to call it, whose name begins so.
        twin.__dict__ = {
            name: self.copy(one) for name, one in vars(value).items() if name != "_compiled_call_impl"
        }
        return twin

    def _copies_itself(self, value: Any) -> Any:
        """By the object's own `__deepcopy__`; functions among a module's attributes are left to us."""
        made = self._note(value, copy.deepcopy(value, self._made))
        if isinstance(made, nn.Module):
            for part in made.modules():
                vars(part).update(
                    {
                        n: self.copy(one)
                        for n, one in vars(part).items()
                        if isinstance(one, types.FunctionType)
                    }
                )
                for hooks in (part._forward_hooks, part._forward_pre_hooks):
                    hooks.update(
                        {
                            key: self.copy(one)
                            for key, one in hooks.items()
                            if isinstance(one, types.FunctionType)
                        }
                    )
        return made

    def _container(self, value: Any) -> Any:
        kind = type(value)
        if kind in _MAPPINGS:
            twin = self._note(value, defaultdict(value.default_factory) if kind is defaultdict else kind())
            twin.update({self.copy(key): self.copy(one) for key, one in list(value.items())})
        elif kind in (tuple, frozenset):
            parts = kind(self.copy(one) for one in value)
            if id(value) not in self._made:  # met again inside itself
                self._note(value, parts)
            twin = self._made[id(value)]
        else:
            twin = self._note(value, deque(maxlen=value.maxlen) if kind is deque else kind())
            add = twin.add if kind is set else twin.append
            for one in list(value):
                add(self.copy(one))
        return twin

    def _method(self, value: types.MethodType) -> Any:
        function, owner = self.copy(value.__func__), self.copy(value.__self__)
        same = function is value.__func__ and owner is value.__self__
        return value if same else types.MethodType(function, owner)

    def _function(self, value: types.FunctionType) -> Any:
        """With cells, defaults, attributes and names of copies; itself where none of them has a copy."""
        compiled = getattr(value, "_torchdynamo_orig_callable", None)
        if compiled is not None:
            return self._note(value, self.copy(compiled))
        meant = leading(value, self._inside)
        closure = value.__closure__ or ()
        if not (meant or closure or value.__defaults__ or value.__kwdefaults__ or vars(value)):
            return self._note(value, value)
        names = dict(value.__globals__) if meant else value.__globals__
        cells = tuple(self._made.get(id(cell)) or self._note(cell, types.CellType()) for cell in closure)
        twin = types.FunctionType(value.__code__, names, value.__name__, None, cells)
        self._note(value, twin)  # before anything else is copied: functions may name each other
        for name in meant:
            names[name] = self.copy(value.__globals__[name])
        changed = bool(meant) or writes_cells(value)
        for old, new in zip(closure, cells, strict=True):
            if filled(old):
                new.cell_contents = self.copy(old.cell_contents)
                changed |= new.cell_contents is not old.cell_contents
        for name in ("__defaults__", "__kwdefaults__", "__dict__"):
            before = getattr(value, name)
            setattr(twin, name, after := self.copy(before))
            changed |= differ(before, after)
        for name in ("__qualname__", "__module__", "__doc__", "__annotations__"):
            setattr(twin, name, getattr(value, name))
        return twin if changed else self._note(value, value)

    def _other(self, value: Any) -> Any:
        if isinstance(value, functools.partial):
            return self._note(
                value, type(value)(self.copy(value.func), *self.copy(value.args), **self.copy(value.keywords))
            )
        if isinstance(value, _CACHED):
            inner = self.copy(value.__wrapped__)
            same = inner is value.__wrapped__
            return self._note(
                value, value if same else functools.lru_cache(**value.cache_parameters())(inner)
            )
        if isinstance(value, BOUND_IN_C):
            owner = self.copy(value.__self__)
            return self._note(value, value if owner is value.__self__ else getattr(owner, value.__name__))
        if isinstance(value, weakref.ref):
            target = value()
            known = id(target) in self._inside or id(target) in self._made
            return self._note(value, weakref.ref(self.copy(target)) if known else value)
        try:
            if hasattr(type(value), "__deepcopy__"):
                return self._copies_itself(value)
            return self._rebuilt(value)
        except Exception:  # a lock, a generator, a file: nobody can copy it
            return self._note(value, value)

    def _rebuilt(self, value: Any) -> Any:
        """By the protocol of `copy` and `pickle`, with our own copies of the parts."""
        reduce = copyreg.dispatch_table.get(type(value))
        reduced = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(reduced, str):
            return self._note(value, value)
        make, given, state, items, pairs = (*reduced, None, None, None)[:5]
        twin = self._note(value, make(*self.copy(given)))
        state = self.copy(state)
        if state is not None and hasattr(twin, "__setstate__"):
            twin.__setstate__(state)
        elif state is not None:
            plain, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
            vars(twin).update(plain or {})
            for name, one in (slots or {}).items():
                setattr(twin, name, one)
        for one in items or ():
            twin.append(self.copy(one))
        for key, one in pairs or ():
            twin[self.copy(key)] = self.copy(one)
        return twin
