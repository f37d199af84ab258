"""Gradients of a number with respect to responses, and how it is told that there are none."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


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
