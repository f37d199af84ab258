"""From attributions on a layer's grid to a number per unit: their sum inside an object's mask.

    R = Σ_p M ⊙ upsample(|G|) = ⟨UᵀM, |G|⟩

Upsampling is linear, so the mask is pulled down once, by its transpose, instead of upsampling every map.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.networks.arithmetic import double
from interpret_core.positions import GridLine, GridLines, coordinates


@lru_cache(maxsize=256)
def upsampling(source: int, target: int, line: GridLine) -> NDArray[np.float64]:
    """(target, source) bilinear upsampling along one axis: every pixel's shares of the positions."""
    position = coordinates(line, source, target)
    low = np.floor(position).astype(np.int64)
    matrix = np.zeros((target, source))
    matrix[np.arange(target), low] = 1 - (position - low)
    # Beyond the last position the share of the next one is 0.
    matrix[np.arange(target), np.minimum(low + 1, source - 1)] += position - low
    return matrix


def pulled_down(
    masks: NDArray[np.bool_], grid: tuple[int, int], lines: GridLines | None = None
) -> NDArray[np.float64]:
    """UᵀM: what each position of the grid contributes to the pixels of the mask.

    Args:
        masks: (N, H, W) on the annotation grid.
        grid: (h, w) of the layer.
        lines: where the grid lies in the picture; without them it is spread evenly.

    Returns:
        (N, h, w); of a whole mask it sums to H·W.
    """
    height, width = masks.shape[1:]
    lines = lines or GridLines.evenly(grid)
    rows = upsampling(grid[0], height, lines.rows)
    columns = upsampling(grid[1], width, lines.columns)
    return np.asarray(np.einsum("nHW,Hh,Ww->nhw", masks.astype(np.float64), rows, columns, optimize=True))


class Sums(NamedTuple):
    """Per image and unit, (N, U) float64: Σ over the mask of positive G, of negative G (≤ 0), and of |G| over
    the whole annotation grid; `mass` is Σ |G| · (share of the position's pixels that lie in the mask), which
    grids of any size have in common.
    """

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    total: NDArray[np.float64]
    mass: NDArray[np.float64]

    @property
    def relevance(self) -> NDArray[np.float64]:
        """R: the sum of |G| inside the mask."""
        return self.positive - self.negative


def unit_sums(attribution: Tensor, masks: NDArray[np.bool_], lines: GridLines | None = None) -> Sums:
    """Sums of upsampled attributions inside the masks, without upsampling them.

    Args:
        attribution: (N, U, h, w), G.
        masks: (N, H, W), of the object in each image, on the annotation grid.
        lines: where the grid lies in the picture; without them it is spread evenly.
    Source: Eq. 3 of the paper, by linearity of the upsampling.
    """
    grid = (int(attribution.shape[2]), int(attribution.shape[3]))
    pulled = pulled_down(masks, grid, lines)
    everywhere = pulled_down(np.ones_like(masks[:1]), grid, lines)[0]
    share = np.divide(pulled, everywhere, out=np.zeros_like(pulled), where=everywhere > 0)
    positive, negative = double(attribution.clamp(min=0)), double(attribution.clamp(max=0))
    inside, whole, part = (torch.from_numpy(one).to(positive.device) for one in (pulled, everywhere, share))

    def summed(values: Tensor, weight: Tensor, rule: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = torch.einsum(rule, values, weight).cpu().numpy()
        return found

    return Sums(
        summed(positive, inside, "nuhw,nhw->nu"),
        summed(negative, inside, "nuhw,nhw->nu"),
        summed(positive - negative, whole, "nuhw,hw->nu"),
        summed(positive - negative, part, "nuhw,nhw->nu"),
    )
