"""Copies of a module: with parameters of its own, or sharing them. The module itself is never changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]

from interpret_core.errors import NetworkError
from interpret_core.networks.diagnosis import reason


def private_copy(module: nn.Module) -> nn.Module:
    """A copy in eval mode that shares no tensor with the module, and asks for no gradients of its weights.

    Whoever owns the module may train it on: neither its mode nor its parameters' memory format, type or
    `requires_grad` change, and what the copy computes does not change with it.
    """
    with torch.no_grad():
        try:
            made = copy.deepcopy(module)
        except Exception:
            # A tensor with a history, a lock or a logger among the attributes cannot be copied deeply.
            made = _cloned(module, _own_tensor())
    return _frozen(made.eval())


def unwrapped(module: nn.Module) -> nn.Module:
    """The network inside what torch.compile, DataParallel and DistributedDataParallel put around it."""
    while True:
        inner = getattr(module, "_orig_mod", None)  # of torch.compile
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = module.module
        if not isinstance(inner, nn.Module):
            return module
        module = inner


def _frozen(module: nn.Module) -> nn.Module:
    """No parameter asks for gradients; one of a lazy module cannot be asked before its first run."""
    for parameter in module.parameters():
        if not isinstance(parameter, UninitializedTensorMixin):
            parameter.requires_grad_(False)
    return module


def shared_clone(module: nn.Module) -> nn.Module:
    """A copy of a module tree that shares the parameters; buffers are copied, so that a run may write to
    them.

    Containers among the attributes are copied too (one level), hooks that the module came with stay.
    """
    return _cloned(module, lambda parameter: parameter)


def channels_last(module: nn.Module) -> None:
    """Lay out a module's four-dimensional parameters and buffers units last, in place; others stay."""
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.ndim == 4:
                tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)


def _own_tensor() -> Callable[[torch.Tensor], torch.Tensor]:
    """Makes copies of tensors, the same one of a tensor met again: what is tied stays tied."""
    made: dict[
        int, tuple[torch.Tensor, torch.Tensor]
    ] = {}  # the original lives on, so its address is its own

    def own(tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in made:
            twin = tensor.detach().clone()
            is_parameter = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = (tensor, nn.Parameter(twin, requires_grad=False) if is_parameter else twin)
        return made[id(tensor)][1]

    return own


def _cloned(module: nn.Module, parameter: Callable[[Any], Any]) -> nn.Module:
    twins: dict[int, nn.Module] = {}

    def clone(original: nn.Module) -> nn.Module:
        twin = twins.get(id(original))
        if twin is None:
            twin = twins[id(original)] = original.__new__(type(original))
            twin.__dict__ = {key: copied(value) for key, value in original.__dict__.items()}
            twin._parameters = {
                k: None if p is None else parameter(p) for k, p in original._parameters.items()
            }
            twin._buffers = {k: None if b is None else b.clone() for k, b in original._buffers.items()}
            twin._modules = {k: None if m is None else clone(m) for k, m in original._modules.items()}
        return twin

    def copied(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return parameter(value)
        if isinstance(value, nn.Module):
            return clone(value)
        if type(value) in {list, tuple}:
            return type(value)(
                copied(one) if isinstance(one, torch.Tensor | nn.Module) else one for one in value
            )
        return copy.copy(value) if isinstance(value, (dict, list, set)) else value

    return clone(module)


def initialised(module: nn.Module, size: tuple[int, int], name: str) -> nn.Module:
    """Give lazy modules their shapes, by one run on black images; any other module stays as it is.

    Args:
        module: a copy of Unitscope's own, in eval mode.
        size: (H, W) of the network's input.
        name: for the message.

    Raises:
        NetworkError: it cannot be run.
    """
    tensors = (*module.parameters(), *module.buffers())
    if not any(isinstance(one, UninitializedTensorMixin) for one in tensors):
        return module
    images = torch.zeros(2, 3, *size)
    with torch.no_grad():
        try:
            module(images)
        except Exception as error:  # the user's own code
            raise NetworkError(
                f"{name} cannot be run: {reason(module, error, tuple(images.shape))}"
            ) from error
    return _frozen(module)
