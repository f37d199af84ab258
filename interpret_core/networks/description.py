"""What Python objects are, as plain JSON that is the same in every process: parts of a network's identity.

No address, no order of a set, nothing that differs between two equal objects. Functions and classes are
named; their code counts where nobody else reads it (`code_of`, and the modules in `Describer.modules`).
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

from interpret_core.networks.code import has_no_file, is_own

Plain = Any  # what JSON can say

# What every module has, whatever it computes; hooks are looked at by themselves.
_COMMON = frozenset(vars(nn.Module()))
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_SPELLED = (range, torch.dtype, torch.device, torch.layout, torch.memory_format, type(Ellipsis), PurePath)
_LISTS = (list, tuple, set, frozenset, deque)
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
        loose = [loose_code(base) for base in type(module).__mro__ if has_no_file(base.__module__)]
        return [*described, loose] if loose else described

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
            if isinstance(value, Mapping):
                return ["mapping", self._entries(value)]
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
            return ["method", qualified(value.__func__), self.plain(value.__self__)]
        if isinstance(value, types.ModuleType):
            self.modules.add(value.__name__)
            return ["package", value.__name__]
        if callable(value) and hasattr(value, "__name__"):
            self._owner(value)
            return ["code", qualified(value), code_of(value)]
        if isinstance(value, fx.Node):
            raise TypeError(f"A node of a graph, {value.name}, is described by whoever knows its place.")
        return self._instance(value)

    def _instance(self, value: Any) -> Plain:
        """An object by its class and attributes; of one that has none that can be read, its class alone."""
        self._owner(type(value))
        if type(value).__module__.partition(".")[0] in sys.stdlib_module_names - {"argparse", "types"}:
            shown = repr(value)  # locks, loggers, generators: what they hold changes without a meaning
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


def code_of(function: Callable[..., Any]) -> Plain:
    """What an own function does: its byte code, defaults and what it closes over; None for installed ones."""
    function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    if code is None or not is_own(getattr(function, "__module__", "") or ""):
        return None
    describer = Describer()
    cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    bound = [function.__defaults__, function.__kwdefaults__, cells]
    return sha(canonical([_code(code), describer.plain(bound)]))


def loose_code(kind: type) -> Plain:
    """The code of a class that was typed into a notebook: its methods, and what they call beside it there."""
    pending: list[Any] = [kind]
    found: dict[str, Plain] = {}
    while pending:
        thing = pending.pop()
        name = qualified(thing)
        if name in found or not has_no_file(getattr(thing, "__module__", None) or ""):
            continue
        inside = vars(thing).values() if isinstance(thing, type) else [thing]
        functions = [getattr(one, "__func__", getattr(one, "fget", one)) for one in inside]
        functions = [one for one in functions if hasattr(one, "__code__")]
        found[name] = [code_of(one) for one in functions]
        for one in functions:
            pending += [one.__globals__[word] for word in one.__code__.co_names if word in one.__globals__]
    return sorted(map(list, found.items()))


def _code(code: types.CodeType) -> Plain:
    constants = [_constant(one) for one in code.co_consts]
    return [code.co_code.hex(), constants, list(code.co_names), list(code.co_varnames)]


def _constant(value: Any) -> Plain:
    if isinstance(value, types.CodeType):
        return _code(value)
    if isinstance(value, frozenset):  # whose order differs from process to process
        return ["set", sorted(map(repr, value))]
    return repr(value)


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return False
    return True


def _slots(base: type) -> tuple[str, ...]:
    named = base.__dict__.get("__slots__", ())
    names = (named,) if isinstance(named, str) else tuple(named)
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})


def canonical(value: Plain) -> str:
    """The one spelling of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
