"""Copies of a module: with parameters of its own, or sharing them. The module itself is never changed."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]

from interpret_core.errors import NetworkError
from interpret_core.networks.examination.diagnosis import reason
from interpret_core.networks.objects.copier import Copier, unwrapped

__all__ = ["channels_last", "initialised", "private_copy", "shared_clone", "unwrapped"]


def private_copy(module: nn.Module) -> nn.Module:
    """A copy in eval mode that shares no tensor with the module, and asks for no gradients of its weights.

    Whoever owns the module may train it on: neither its mode nor its parameters' memory format, type or
    `requires_grad` change, and what the copy computes does not change with it.

    Raises:
        NetworkError: something in the copy would still run or read the module itself.
    """
    with torch.no_grad():
        copier = Copier(module)
        made = copier.module()
        leak = copier.leak()
    if leak:
        raise NetworkError(
            f"{type(module).__name__} cannot be copied: through {leak}, the copy would run the module "
            "itself. Expected its code to reach its parts through self: write it so, or delete the attribute."
        )
    return _frozen(made.eval())


def _frozen(module: nn.Module) -> nn.Module:
    """No parameter asks for gradients; one of a lazy module cannot be asked before its first run."""
    for parameter in module.parameters():
        if not isinstance(parameter, UninitializedTensorMixin):
            parameter.requires_grad_(False)
    return module


def shared_clone(module: nn.Module) -> nn.Module:
    """A copy of a module tree that shares the parameters; all else is copied, so that a run may write to it.

    Hooks that the module came with stay, and belong to the clone.
    """
    with torch.no_grad():
        return Copier(module, share=True).module()


def channels_last(module: nn.Module) -> None:
    """Lay out a module's four-dimensional parameters and buffers units last, in place; others stay."""
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.ndim == 4:
                tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)


def initialised(module: nn.Module, shape: tuple[int, int, int], name: str) -> nn.Module:
    """Give lazy modules their shapes, by one run on black images; any other module stays as it is.

    Args:
        module: a copy of Unitscope's own, in eval mode.
        shape: (C, H, W) of the network's input.
        name: for the message.

    Raises:
        NetworkError: it cannot be run.
    """
    tensors = (*module.parameters(), *module.buffers())
    if not any(isinstance(one, UninitializedTensorMixin) for one in tensors):
        return module
    images = torch.zeros(2, *shape)
    with torch.no_grad():
        try:
            module(images)
        except Exception as error:  # the user's own code
            raise NetworkError(
                f"{name} cannot be run: {reason(module, error, tuple(images.shape))}"
            ) from error
    return _frozen(module)
