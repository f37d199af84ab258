"""Random weights that are the same every time, and what tells one draw from another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from interpret_core.errors import NetworkError, UserError
from interpret_core.networks import streams, torchvision_ops
from interpret_core.networks.weights import RANDOM, Weights, file_digest

SEED = 0


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a module with the fixed seed, leaving every random state as it was; eval mode."""
    with streams.seeded(SEED):
        return build().eval()


def seeded_call(
    function: Callable[[], Any], name: str, seed: int = SEED, *, makes: str = "the network"
) -> Any:
    """Call a user's factory with a seed.

    Args:
        function: the factory.
        name: of it, for the message.
        seed: of all streams.
        makes: what it is to return, for the message.

    Raises:
        NetworkError: it fails; the message gives its error.
    """
    with streams.seeded(seed):
        try:
            return function()
        except UserError as error:
            raise NetworkError(f"{name}: {error}") from error
        except SystemExit as error:
            raise NetworkError(
                f"{name} ended the process (SystemExit: {error}). Expected a function that returns "
                f"{makes} and does not read the command line: parse_args([]) takes the defaults."
            ) from error
        except Exception as error:  # the user's own code
            told = " ".join(str(error).split())
            raise NetworkError(
                f"{name} failed with {type(error).__name__}: {told}. Expected a function without "
                f"arguments that returns {makes}."
            ) from error


def weights_identity(weights: Weights) -> dict[str, Any]:
    """The file's digest, or for random weights the seed and who draws them."""
    if weights.file is not None:
        return {"weights": file_digest(weights.file)}
    # Vector instructions of another width draw other numbers in the last bit.
    drawn_by = [torch.__version__, torchvision_ops.version(), torch.backends.cpu.get_cpu_capability()]
    return {"weights": RANDOM, "seed": SEED, "drawn by": drawn_by}
