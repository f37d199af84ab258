"""Why a network's first run failed, and what its owner can do: one line that names the true cause."""

from __future__ import annotations

import re

from torch import nn

_CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels")
_ARGUMENTS = re.compile(r"missing \d+ required positional arguments?: (.+)")
_DEVICES = ("same device", "on cpu", "on cuda")
_SIZES = ("cannot be multiplied", "size mismatch", "Kernel size can't be greater", "shape '",
          "Output size is too small", "Sizes of tensors must match", "must match the size",
          "Expected more than 1 spatial", "Wrong image size", "doesn't match model")  # fmt: skip
_TYPES = ("same dtype", "should be the same", "expected scalar type", "expected m1 and m2", "dtype")


def reason(module: nn.Module, error: Exception, shape: tuple[int, ...]) -> str:
    """What went wrong and what to do, as the end of a sentence.

    Args:
        module: that was run.
        error: what it raised.
        shape: (N, 3, H, W) of the images.
    """
    text = " ".join(str(error).split())
    told = f"{type(error).__name__}: {text[:300]}"
    channels, arguments = _CHANNELS.search(text), _ARGUMENTS.search(text)
    taken = first_channels(module)
    if (
        channels
        and taken not in (None, shape[1])
        and channels[1] == str(taken)
        and channels[2] == str(shape[1])
    ):
        fed = f"{shape[1]} (RGB)" if shape[1] == 3 else "1 (grey)"
        way = (
            "give its preprocessing one mean and one std"
            if taken == 1
            else "give its preprocessing three means and three stds"
            if taken == 3
            else "wrap it in a module that takes RGB (fill the others with what it expects)"
        )
        plural = "s" if taken != 1 else ""
        return f"its first convolution takes {taken} channel{plural}, Unitscope feeds {fed}: {way}."
    if arguments:
        return f"it takes more than images ({arguments[1]}): wrap it in a module that supplies the rest."
    if any(word in text for word in _DEVICES):
        return f"a tensor of its own stays on another device ({told}): register it as a buffer."
    if any(word in text for word in _TYPES):
        kinds = ", ".join(sorted({str(one.dtype).removeprefix("torch.") for one in module.parameters()}))
        return f"types do not fit inside ({told}); its parameters are {kinds}: return module.float()."
    if any(word in text for word in _SIZES):
        return f"{told}. Check the preprocessing's size, {shape[2]}×{shape[3]} px."
    return f"{told}. Expected a network that takes one batch of images {shape}."


def first_channels(module: nn.Module) -> int | None:
    """Input channels of the first convolution in the order of the modules; None without any."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            return int(part.in_channels)
    return None
