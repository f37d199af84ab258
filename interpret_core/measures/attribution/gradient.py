"""Gradients of a number with respect to responses, and how it is told that there are none."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from interpret_core.errors import NoGradientError

MEMORY = 768 * 2**20  # bytes that responses on the path, and all that is computed from them, may take
KEPT = 3  # what autograd keeps and what the backward pass makes, per byte of a response computed


class BlockedError(Exception):
    """No gradient leads from the output to a response; never reaches the user, who gets a layer's name.

    Attributes:
        number: of the response among those asked for.
    """

    def __init__(self, number: int) -> None:
        """Say which."""
        super().__init__(f"No gradient reaches response {number}.")
        self.number = number


def gradients(value: Tensor, places: Sequence[Tensor]) -> list[Tensor]:
    """∂value/∂place for each place.

    Args:
        value: one number.
        places: of any shape, that gradients are wanted for.

    Raises:
        BlockedError: the value does not depend on a place, as far as gradients tell (`detach`, `no_grad`).
    """
    if not value.requires_grad:
        raise BlockedError(0)
    found = torch.autograd.grad(value, list(places), allow_unused=True)
    missing = next((number for number, one in enumerate(found) if one is None), None)
    if missing is not None:
        raise BlockedError(missing)
    return list(found)


def no_gradient(network: str, layer: str) -> NoGradientError:
    """The error to raise where no gradient reaches a layer's response, in one line."""
    place = f"layer {layer}" if layer else "the pixels"
    return NoGradientError(
        f"No gradient reaches {place} of {network} from its output, expected one to attribute the "
        "output to its units: detach(), no_grad() or a rounding between them stops it, or the output does "
        "not depend on them. Leave that out of the forward."
    )
