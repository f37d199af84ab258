"""Conductance: the path runs in input space, and every layer's units are credited from the same sweep.

    C = ∫₀¹ ∂F/∂a(x_α) ⊙ da(x_α)/dα dα,   x_α = x' + α (x − x')

The path is cut into n cells. A cell's part is the gradient at its middle times the change of the response
from one end to the other: a midpoint rule for the Stieltjes integral, exact for a network that is linear
along the cell (captum's `LayerConductance` is a left sum without its ends).

Source: Dhamdhere et al. 2018, eq. 2; completeness holds at layers that every path crosses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.measures.attribution.path import SMALLEST_CHANGE, Integrated, Rule
from interpret_core.networks.arithmetic import double

Target = Callable[[Tensor], Tensor]


class Sweeper(Protocol):
    """Runs a network, with its responses."""

    @property
    def crossed(self) -> frozenset[str]:
        """Layers that every path from the images to the output crosses."""

    def responses(self, images: Tensor, layers: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
        """Output and responses, without gradients."""

    def gradients(self, images: Tensor, layers: Sequence[str], target: Target) -> list[Tensor]:
        """∂F/∂a of every row, by layer, in the order of `layers`."""


def conductance(
    network: Sweeper, target: Target, image: Tensor, baseline: Tensor, layers: Sequence[str], rule: Rule
) -> list[Integrated]:
    """Conductance of one image, layer by layer.

    The cells are halved until every layer that can be checked is within the tolerance, or `most` is reached.

    Args:
        network: to run.
        target: (M, K) output -> (M,) F.
        image: (1, 3, H, W).
        baseline: (1, 3, H, W).
        layers: names.
        rule: cells to begin with and at most, tolerance, and how many are computed at once.

    Returns:
        One image's `Integrated` per layer; `change` and `gap` are NaN where a path goes around the layer.
    """
    ends = (image, baseline)
    change = _change(network, target, ends)
    cells = rule.points
    while True:
        borders = np.arange(cells + 1) / cells
        found = swept(network, target, ends, layers, (borders, (borders[1:] + borders[:-1]) / 2), rule.batch)
        made = [
            _checked(one, change if layer in network.crossed else np.nan, cells)
            for one, layer in zip(found, layers, strict=True)
        ]
        missing = [abs(float(one.gap[0])) for one in made if np.isfinite(one.gap[0])]
        enough = rule.tolerance * max(abs(change), SMALLEST_CHANGE)
        if rule.tolerance == 0 or 2 * cells > rule.most or max(missing, default=0.0) <= enough:
            return made
        cells *= 2


def swept(
    network: Sweeper,
    target: Target,
    ends: tuple[Tensor, Tensor],
    layers: Sequence[str],
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    batch: int,
) -> list[Tensor]:
    """Gradients times changes of the response, summed along the path.

    Args:
        network: as `conductance`.
        target: as `conductance`.
        layers: as `conductance`.
        ends: image and baseline, (1, 3, H, W) each.
        places: the cells' n + 1 borders, ascending, and the n places where the gradients are taken, as shares
            of the way from the baseline to the image.
        batch: cells computed at once.

    Returns:
        (1, U, h, w) of every layer.
    """
    borders, inner = places
    sums: list[Tensor] = []
    for start in range(0, len(inner), batch):
        stop = min(start + batch, len(inner))
        _, responses = network.responses(_along(*ends, borders[start : stop + 1]), layers)
        gradients = network.gradients(_along(*ends, inner[start:stop]), layers, target)
        parts = [
            (gradient * (response[1:] - response[:-1])).sum(0, keepdim=True)
            for gradient, response in zip(gradients, responses, strict=True)
        ]
        sums = parts if not sums else [one + part for one, part in zip(sums, parts, strict=True)]
    return sums


def _change(network: Sweeper, target: Target, ends: tuple[Tensor, Tensor]) -> float:
    """F of the image less F of its baseline."""
    values = target(network.responses(torch.cat(ends), ())[0])
    return float(values[0] - values[1])


def _along(image: Tensor, baseline: Tensor, places: NDArray[np.float64]) -> Tensor:
    share = torch.from_numpy(places).to(image).view(-1, 1, 1, 1)
    made = baseline + share * (image - baseline)
    last = image.is_contiguous(memory_format=torch.channels_last)
    return made.contiguous(memory_format=torch.channels_last) if last else made


def _checked(attribution: Tensor, change: float, cells: int) -> Integrated:
    changes = np.array([change])
    gap = double(attribution).sum((1, 2, 3)).cpu().numpy() - changes
    return Integrated(attribution, changes, gap, np.array([cells], np.int32))
