"""How many channels a module takes, and the preprocessing that gives it as many."""

from __future__ import annotations

import torch
from torch import nn

from interpret_core.networks import streams
from interpret_core.networks.examination.diagnosis import first_channels
from interpret_core.networks.objects.copies import shared_clone
from interpret_core.networks.preprocessing import Preprocessing

MADE_GREY = (
    "It takes one channel: pictures are made grey, and the means and deviations of three channels that were "
    "stated, or that nobody stated, are averaged. State its own: one mean and one std."
)


def adapted(module: nn.Module, preprocessing: Preprocessing) -> tuple[Preprocessing, str]:
    """The preprocessing of as many channels as a module takes, and what to say of it; empty for nothing.

    A module may take RGB although its first convolution has one channel, and make it grey by itself: what it
    runs on decides.

    Args:
        module: Unitscope's own copy, in eval mode.
        preprocessing: as stated.
    """
    if preprocessing.channels != 3 or first_channels(module) != 1:
        return preprocessing, ""
    if _runs(module, 3, preprocessing) or not _runs(module, 1, preprocessing):
        return preprocessing, ""
    return preprocessing.grey(), MADE_GREY


def _runs(module: nn.Module, channels: int, preprocessing: Preprocessing) -> bool:
    parameter = next(module.parameters(), torch.empty(0))
    images = torch.zeros(2, channels, *preprocessing.size, dtype=parameter.dtype, device=parameter.device)
    with torch.no_grad(), streams.kept():
        try:
            shared_clone(module)(images)
        except Exception:  # the user's own code; the first run says what is wrong
            return False
    return True
