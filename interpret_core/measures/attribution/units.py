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
from torch.nn import functional


@lru_cache(maxsize=64)
def _upsampling(source: int, target: int) -> NDArray[np.float64]:
    """(target, source) bilinear upsampling along one axis: half-pixel centres, never antialiased."""
    rows = torch.eye(source, dtype=torch.float64)[None]
    matrix: NDArray[np.float64] = functional.interpolate(rows, target, mode="linear")[0].T.numpy()
    return matrix


def pulled_down(masks: NDArray[np.bool_], grid: tuple[int, int]) -> NDArray[np.float64]:
    """UᵀM: what each position of the grid contributes to the pixels of the mask.

    Args:
        masks: (N, H, W) on the annotation grid.
        grid: (h, w) of the layer.

    Returns:
        (N, h, w); of a whole mask it sums to H·W.
    """
    height, width = masks.shape[1:]
    rows, columns = _upsampling(grid[0], height), _upsampling(grid[1], width)
    return np.asarray(np.einsum("nHW,Hh,Ww->nhw", masks.astype(np.float64), rows, columns, optimize=True))


class Sums(NamedTuple):
    """Per image and unit, (N, U) float64: Σ over the mask of positive G, of negative G (≤ 0), and of |G| over
    the whole annotation grid.
    """

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    total: NDArray[np.float64]

    @property
    def relevance(self) -> NDArray[np.float64]:
        """R: the sum of |G| inside the mask."""
        return self.positive - self.negative


def unit_sums(attribution: Tensor, masks: NDArray[np.bool_]) -> Sums:
    """Sums of upsampled attributions inside the masks, without upsampling them.

    Args:
        attribution: (N, U, h, w), G.
        masks: (N, H, W), of the object in each image, on the annotation grid.
    Source: Eq. 3 of the paper, by linearity of the upsampling.
    """
    grid = (int(attribution.shape[2]), int(attribution.shape[3]))
    inside = torch.from_numpy(pulled_down(masks, grid)).to(attribution.device)
    whole = torch.from_numpy(pulled_down(np.ones_like(masks[:1]), grid)[0]).to(attribution.device)
    positive, negative = attribution.clamp(min=0).double(), attribution.clamp(max=0).double()

    def summed(values: Tensor, weight: Tensor, rule: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = torch.einsum(rule, values, weight).cpu().numpy()
        return found

    return Sums(
        summed(positive, inside, "nuhw,nhw->nu"),
        summed(negative, inside, "nuhw,nhw->nu"),
        summed(positive - negative, whole, "nuhw,hw->nu"),
    )
