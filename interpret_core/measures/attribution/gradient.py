"""Gradients of a number with respect to responses, and how it is told that there are none."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from interpret_core.errors import NoGradientError

MEMORY = 768 * 2**20  # bytes that responses on the path, and all that is computed from them, may take
CPU_MEMORY = 384 * 2**20  # … on a CPU, which gains nothing by more and shares its memory with everything else
KEPT = 3  # what autograd keeps and what the backward pass makes, per byte of a response computed
MOST_ROWS = 256
# A CPU computes no faster for more rows than these. Beyond so many bytes, what is freed goes back to the
# system and comes again page by page, each of them cleared.
SWIFT_ROWS, SWIFT_BYTES = 8, 96 * 2**20


def room(device: torch.device) -> int:
    """Bytes that responses on paths, and all that is computed from them, may take on a device."""
    return CPU_MEMORY if device.type == "cpu" else MEMORY


def rows_at_once(row: int, device: torch.device) -> int:
    """How many rows to compute gradients of at once.

    Args:
        row: bytes of all that is computed of one of them.
        device: that computes.
    """
    each = max(1, KEPT * row)
    most = room(device) // each
    if device.type == "cpu":
        most = min(most, max(SWIFT_ROWS, SWIFT_BYTES // each))
    return min(max(1, most), MOST_ROWS)


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
