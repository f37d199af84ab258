"""Which implementation a device is served by."""

from __future__ import annotations

from typing import Any

import torch

from interpret_core.errors import ParameterError
from interpret_core.measures.dissection.twin.compiled import CompiledKernels
from interpret_core.measures.dissection.twin.kernels import Kernels
from interpret_core.measures.dissection.twin.tensors import TensorKernels

AUTO, TORCH, NUMBA = "auto", "torch", "numba"


def kernels_for(device: torch.device, tally: str = AUTO) -> Kernels[Any, Any]:
    """The kernels for responses on a device: torch's on an accelerator, Numba's on the processor.

    Args:
        device: the network's.
        tally: "torch" or "numba" to have these whatever the device is; the integers are the same.

    Raises:
        ParameterError: another word.
    """
    if tally not in (AUTO, TORCH, NUMBA):
        raise ParameterError(f"tally is {tally!r}, expected {AUTO}, {TORCH} or {NUMBA}: choose one of these.")
    by_tensors = device.type != "cpu" if tally == AUTO else tally == TORCH
    return TensorKernels(device) if by_tensors else CompiledKernels()
