"""Where networks run: devices by their names."""

from __future__ import annotations

from functools import cache, lru_cache

import torch

from interpret_core.errors import ParameterError


@cache
def _best_device() -> str:
    """Asked once per process: a driver does not come and go, and looking for one takes a while."""
    accelerators = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
    return next((kind for kind, there in accelerators if there), "cpu")


def find_device(name: str | torch.device) -> torch.device:
    """A device by its name; "auto" is the best there is.

    Raises:
        ParameterError: it is not there.
    """
    return _device(_best_device() if name == "auto" else name)


@lru_cache(maxsize=16)
def _device(name: str | torch.device) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ParameterError(
            f"Device {str(name)!r} is not available ({reason}), expected auto, cpu, cuda or mps."
        ) from error
    return device
