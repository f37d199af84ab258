"""What Python objects are, as plain JSON that is the same in every process: parts of a network's identity.

No address, no order of a set, nothing that differs between two equal objects. Functions and classes are
named, with the modules their code is in (`Describer.modules`, whose files others read); an own function also
with its byte code and all that it reads: defaults, what it closes over, global values. Those may differ where
the files are the same: taken from a setting, from another file, from a notebook's earlier cell.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import json
import sys
import types
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from interpret_core.networks.objects.code import is_own
from interpret_core.networks.objects.global_values import closed_over, globals_read, inside

Plain = Any  # what JSON can say

# What every module has, whatever it computes; hooks are looked at by themselves.
_COMMON = frozenset(vars(nn.Module()))
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_SPELLED = (range, torch.dtype, torch.device, torch.layout, torch.memory_format, type(Ellipsis), PurePath)
_LISTS = (list, tuple, set, frozenset, deque)
_OF_CLASSES = frozenset(
    {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__slots__",
     "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__"}
)  # fmt: skip
_DEPTH = 30  # of objects within objects, beyond which only classes are named


def sha(text: str | bytes) -> str:
    """SHA-256, hex."""
    content = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    return hashlib.sha256(content).hexdigest()


def tensor_digest(tensor: torch.Tensor) -> str:
    """SHA-256 (hex) over type, shape and values; device, memory format and gradients do not enter."""
    plain = tensor.detach()
    if plain.is_quantized:
        steps = (plain.q_scale(), plain.q_zero_point()) if plain.qscheme() == torch.per_tensor_affine else (
            tensor_digest(plain.q_per_channel_scales()), tensor_digest(plain.q_per_channel_zero_points())
        )  # fmt: skip
        return sha(f"{plain.dtype} {steps} {tensor_digest(plain.int_repr())}")
    if plain.layout is not torch.strided:
        plain = plain.to_dense()
    dense = plain.resolve_conj().resolve_neg().cpu().contiguous()
    total = hashlib.sha256(f"{dense.dtype} {tuple(dense.shape)}\n".encode())
    total.update(dense.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def qualified(thing: Any) -> str:
    """`package.module.Name` of a class or function."""
    name = getattr(thing, "__qualname__", getattr(thing, "__name__", type(thing).__qualname__))
    return f"{getattr(thing, '__module__', None) or 'builtins'}.{name}"


class Describer:
    """Describes objects, and remembers the modules whose code they rely on.

    Attributes:
        modules: dotted names of the modules of every class and function met so far.
    """

    def __init__(self) -> None:
        """Nothing is met yet."""
        self.modules: set[str] = set()
        self._under_way: set[int] = set()
        self._known: dict[int, tuple[Any, Plain]] = {}  # the thing lives on, so its address is its own

    def plain(self, value: Any) -> Plain:
        """A value as JSON; equal values give equal JSON, and 1, 1.0 and True differ."""
        if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, enum.Enum)):
            return value
        if isinstance(value, (float, complex)):
            return [type(value).__name__, repr(value)]
        if isinstance(value, (torch.Tensor, np.ndarray, np.generic, bytes, bytearray)):
            return self._data(value)
        if isinstance(value, (*_LISTS, Mapping)):
            return self._container(value)
        if isinstance(value, slice):
            return ["slice", self.plain([value.start, value.stop, value.step])]
        if isinstance(value, _SPELLED):
            return [type(value).__name__, str(value)]
        return self._object(value)

    def module(self, module: nn.Module) -> Plain:
        """A module's class and configuration; parameters, buffers and children are described elsewhere."""
        self._owner(type(module))
        for base in type(module).__mro__:
            self._owner(base)
        own = {name: value for name, value in vars(module).items() if name not in _COMMON}
        if isinstance(module, fx.GraphModule):
            own = {"code": module.code}
        own.pop("inplace", None)  # how a result is stored, not what it is
        hooks = [hook for name in _HOOKS for hook in vars(module).get(name, {}).values()]
        described: list[Plain] = [qualified(type(module)), self._entries(own), bool(module.training)]
        described += [[self.plain(hook) for hook in hooks]] if hooks else []
        kinds = [one for base in type(module).__mro__ if (one := self.kind(base)) is not None]
        return [*described, kinds] if kinds else described

    def kind(self, kind: type) -> Plain:
        """An own class by its methods and the values among its attributes; of an installed one, None."""
        if not is_own(kind.__module__):
            return None
        values = {name: inside(value) for name, value in vars(kind).items() if name not in _OF_CLASSES}
        return self._once(kind, lambda: self._entries(values))

    def function(self, function: Any) -> Plain:
        """An own function by its byte code and what it reads; of an installed one, None."""
        if not hasattr(function, "__code__") and hasattr(function, "__wrapped__"):  # of functools.lru_cache
            return self.function(function.__wrapped__)
        if not hasattr(function, "__code__") or not is_own(getattr(function, "__module__", "") or ""):
            return None
        read = dict(globals_read(function))
        bound = [function.__defaults__, function.__kwdefaults__, closed_over(function)]
        return self._once(
            function,
            lambda: sha(canonical([_code(function.__code__), self.plain(bound), self._entries(read)])),
        )

    def _once(self, thing: Any, describe: Callable[[], Plain]) -> Plain:
        """Described the first time; many modules share a class, and many functions one that they call."""
        if id(thing) not in self._known:
            if not self._enter(thing):
                return "itself"
            try:
                self._known[id(thing)] = (thing, describe())
            finally:
                self._under_way.discard(id(thing))
        return self._known[id(thing)][1]

    def _data(self, value: Any) -> Plain:
        if isinstance(value, torch.Tensor):
            return ["tensor", tensor_digest(value)]
        if isinstance(value, np.generic):
            return self.plain(value.item()) if value.dtype.kind in "biufcSU" else ["scalar", repr(value)]
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":
            return ["array", list(value.shape), [self.plain(one) for one in value.ravel().tolist()]]
        if isinstance(value, np.ndarray):
            return ["array", value.dtype.str, list(value.shape), sha(np.ascontiguousarray(value).tobytes())]
        return ["bytes", sha(bytes(value))]

    def _container(self, value: Any) -> Plain:
        if not self._enter(value):
            return "itself"
        try:
            if isinstance(value, Mapping):  # in its order: that of a dictionary of steps is what they do
                return ["mapping", [[self.plain(key), self.plain(one)] for key, one in value.items()]]
            parts = [self.plain(one) for one in value]
            if isinstance(value, set | frozenset):
                return ["set", sorted(parts, key=canonical)]
            return ["tuple", parts] if isinstance(value, tuple) else parts
        finally:
            self._under_way.discard(id(value))

    def _entries(self, mapping: Mapping[Any, Any]) -> Plain:
        return sorted(([self.plain(key), self.plain(one)] for key, one in mapping.items()), key=canonical)

    def _object(self, value: Any) -> Plain:
        if isinstance(value, enum.Enum):
            return [qualified(type(value)), value.name]
        if isinstance(value, nn.Module):
            return self._module_tree(value)
        if isinstance(value, functools.partial):
            return ["partial", self.plain(value.func), self.plain(value.args), self.plain(value.keywords)]
        if isinstance(value, types.MethodType):
            return ["method", self.plain(value.__func__), self.plain(value.__self__)]
        if isinstance(value, types.ModuleType):
            self.modules.add(value.__name__)
            return ["package", value.__name__]
        if callable(value) and hasattr(value, "__name__"):
            self._owner(value)
            inner = self.kind(value) if isinstance(value, type) else self.function(value)
            return ["code", qualified(value), inner]
        if isinstance(value, fx.Node):
            raise TypeError(f"A node of a graph, {value.name}, is described by whoever knows its place.")
        return self._instance(value)

    def _instance(self, value: Any) -> Plain:
        """An object by its class and attributes; of one that has none that can be read, its class alone."""
        self._owner(type(value))
        if type(value).__module__.partition(".")[0] in sys.stdlib_module_names - {"argparse", "types"}:
            # What locks, loggers and generators hold changes without a meaning.
            shown = "" if type(value).__module__ == "logging" else repr(value)
            return [qualified(type(value)), "" if " at 0x" in shown else shown]
        slots = [name for base in type(value).__mro__ for name in _slots(base) if hasattr(value, name)]
        entries = {**getattr(value, "__dict__", {}), **{name: getattr(value, name) for name in slots}}
        if not self._enter(value):
            return "itself"
        try:
            return [qualified(type(value)), self._entries(entries)]
        finally:
            self._under_way.discard(id(value))

    def _module_tree(self, value: nn.Module) -> Plain:
        """A module that hides among another one's attributes."""
        if not self._enter(value):
            return "itself"
        try:
            tensors = {name: tensor_digest(tensor) for name, tensor in named_tensors(value).items()}
            parts = [[name, self.module(part)] for name, part in value.named_modules()]
            return ["module", parts, self._entries(tensors)]
        finally:
            self._under_way.discard(id(value))

    def _enter(self, value: Any) -> bool:
        """Whether it is not being described already: objects may hold each other."""
        if id(value) in self._under_way or len(self._under_way) >= _DEPTH:
            return False
        self._under_way.add(id(value))
        return True

    def _owner(self, thing: Any) -> None:
        module = getattr(thing, "__module__", None)
        if isinstance(module, str):
            self.modules.add(module)


def named_tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters, buffers and what else the state dict holds, by name; tied ones under every name.

    Counters of the batches seen in training are left out: nothing that is computed in eval mode reads them.
    """
    named: dict[str, torch.Tensor] = dict(module.named_parameters(remove_duplicate=False))
    named |= dict(module.named_buffers(remove_duplicate=False))
    for name, entry in module.state_dict().items():  # packed weights of quantised layers are neither
        parts = entry if isinstance(entry, tuple) else (entry,)
        for number, part in enumerate(parts):
            if isinstance(part, torch.Tensor):
                named.setdefault(name if not number else f"{name}.{number}", part)
    return {name: one for name, one in named.items() if not name.endswith("num_batches_tracked")}


def _code(code: types.CodeType) -> Plain:
    constants = [_constant(one) for one in code.co_consts]
    return [code.co_code.hex(), constants, list(code.co_names), list(code.co_varnames)]


def _constant(value: Any) -> Plain:
    if isinstance(value, types.CodeType):
        return _code(value)
    if isinstance(value, frozenset):  # whose order differs from process to process
        return ["set", sorted(map(repr, value))]
    return repr(value)


def _slots(base: type) -> tuple[str, ...]:
    named = base.__dict__.get("__slots__", ())
    names = (named,) if isinstance(named, str) else tuple(named)
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})


def canonical(value: Plain) -> str:
    """The one spelling of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
