"""First runs of a module: whether it runs at all, in which numbers and memory format, and always alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from interpret_core.errors import NetworkError
from interpret_core.networks import streams
from interpret_core.networks.arithmetic import in_reach
from interpret_core.networks.examination.diagnosis import reason
from interpret_core.networks.objects.copies import channels_last, shared_clone
from interpret_core.networks.objects.reachability import has_generator

CLOSE = 1e-3  # of the largest number: the same network in another memory format
SEEDS = 64  # what happens once in ten runs is missed by so many once in a thousand networks


@dataclass(frozen=True)
class Runnable:
    """A module that runs.

    Attributes:
        images: the probe, in the memory format that suits it.
        output: its own, of a run of its own.
        memory_format: of images and weights.
        notes: what a user should know.
    """

    images: Tensor
    output: Tensor
    memory_format: torch.memory_format
    notes: tuple[str, ...]


def first_runs(module: nn.Module, images: Tensor, name: str) -> Runnable:
    """Run the module on the probe, in the numbers and the memory format that it can take.

    Units-last memory halves the time of convolutions on a processor. It is Unitscope's choice, so a network
    that cannot take it (`view` across channels and positions) is run in torch's own format.

    The module itself is run once, for parts that come into being with the first run; whatever is run
    afterwards is a clone, so that no run finds what another has left.

    Args:
        module: in eval mode, Unitscope's own copy: types and memory formats of its tensors may change.
        images: (3, 3, H, W), the probe.
        name: for messages.

    Raises:
        NetworkError: it fails, returns no tensor, is random, or answers differently when it is run again.
    """
    plain, before = images.contiguous(), streams.state()
    first, notes = _first(module, plain, name)
    if streams.moved(before, streams.state()) or has_generator(module):
        _refuse_random(module, plain[:1], name)
    output = shared_clone(module)(plain.clone())
    if not _close(output, first):
        raise NetworkError(
            f"{name} gives another output for the same images when it is run again, expected the same: it "
            "keeps a state from run to run, or is random even in eval mode. Make it deterministic."
        )
    return _in_best_format(module, plain, output, notes)


def _first(module: nn.Module, plain: Tensor, name: str) -> tuple[Tensor, tuple[str, ...]]:
    """The output of the first run, and what had to be changed for it."""
    notes: tuple[str, ...] = ()
    try:
        output = module(plain.clone())
    except Exception as error:  # the user's own code
        kinds = {
            str(one.dtype).removeprefix("torch.") for one in module.parameters() if one.is_floating_point()
        }
        if kinds <= {"float32"}:
            raise _failed(module, error, plain, name) from error
        try:
            output = module.float()(plain.clone())
        except Exception:
            raise _failed(module, error, plain, name) from error
        notes = (f"Its weights are {', '.join(sorted(kinds))}: computed in float32.",)
    if not isinstance(output, Tensor):
        raise NetworkError(
            f"{name} returns {type(output).__name__}, expected one tensor (N, classes): wrap it in a module "
            "that returns the one with a number per class."
        )
    return output, notes


def _refuse_random(module: nn.Module, image: Tensor, name: str) -> None:
    """One image under many seeds: a network may draw numbers, if its answer does not depend on them.

    Raises:
        NetworkError: it does.
    """
    clone, expected = shared_clone(module), None
    for seed in range(SEEDS):
        with streams.seeded(seed):
            try:
                output = clone(image.clone())
            except Exception:  # on a batch of one: the examination says so
                return
        if expected is not None and not same(output, expected):
            raise NetworkError(
                f"{name} gives another output for the same image under other random numbers, expected the "
                "same bits: it is random even in eval mode. Make it deterministic."
            )
        expected = output


def _in_best_format(module: nn.Module, plain: Tensor, output: Tensor, notes: tuple[str, ...]) -> Runnable:
    last = plain.contiguous(memory_format=torch.channels_last)
    channels_last(module)
    try:
        alike = _close(again := shared_clone(module)(last.clone()), output)
    except Exception:  # the user's own code, in a format that was not the user's choice
        alike = False
    if alike:
        return Runnable(last, again, torch.channels_last, notes)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data.contiguous()
    return Runnable(plain, output, torch.contiguous_format, notes)


def _failed(module: nn.Module, error: Exception, images: Tensor, name: str) -> NetworkError:
    return NetworkError(f"{name} cannot be run: {reason(module, error, tuple(images.shape))}")


def _close(one: Tensor, other: Tensor) -> bool:
    """Equal up to the arithmetic of another memory format."""
    if one.shape != other.shape:
        return False
    largest = float(other.abs().nan_to_num(0.0).max()) if other.numel() else 0.0
    one, other = in_reach(one), in_reach(other)
    wide = torch.complex128 if one.is_complex() else torch.float64
    return torch.allclose(one.to(wide), other.to(wide), rtol=CLOSE, atol=CLOSE * largest, equal_nan=True)


def same(one: Tensor, other: Tensor) -> bool:
    """Equal bit for bit, NaN included: a profile names the layer and image a NaN comes from."""
    alike = one.shape == other.shape and one.dtype == other.dtype
    return alike and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
