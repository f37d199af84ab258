"""Network Dissection as one writes it down first: the baseline of `bench profile`.

All maps are stored, thresholds are read off each unit's stored responses, every map is upsampled, and a loop
over the units counts. It computes the same thresholds and counts as the product (see `tests/reference`), so
that the two differ in time and memory only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def naive_profile(  # noqa: PLR0913 — one plain function, as one writes it down first
    forward_with_responses: Callable[[Tensor], Sequence[Tensor]],
    images: Tensor | Sequence[Tensor],
    labels: np.ndarray,
    quantile: float,
    annotation_size: tuple[int, int],
    concept_count: int,
    category_of: np.ndarray | None = None,
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Thresholds and tallies of a list of layers.

    Args:
        forward_with_responses: batch (n, 3, H, W) -> one (n, U, h, w) tensor per layer, which nobody
            changes later.
        images: one batch, or the batches in order.
        labels: (N, L, H, W) or (N, L, H·W): 1 + concept index, 0 = unlabelled; a concept occurs at most
            once per pixel.
        quantile: tail mass in (0, 1).
        annotation_size: (H, W) of the labels.
        concept_count: C.
        category_of: (C,) category index of each concept; without it all belong to one.
    Returns:
        Per layer: thresholds (U,) float32, intersection (U, C) int64, and active (U, categories) int64, the
        active pixels in the images that have a labelled pixel of the category.
    """
    batches = [images] if isinstance(images, Tensor) else images
    with torch.inference_mode():
        stored = [forward_with_responses(batch) for batch in batches]
    layers = [torch.cat(parts) for parts in zip(*stored, strict=True)]
    del stored
    labels = labels.reshape(len(labels), labels.shape[1], -1).astype(np.int64)
    category_of = np.zeros(concept_count, np.int64) if category_of is None else np.asarray(category_of)
    member = _members(labels, category_of)
    thresholds, intersections, actives = [], [], []
    for responses in layers:
        cuts = np.array([_threshold(responses[:, unit], quantile) for unit in range(responses.shape[1])])
        both, active = _tally(responses, cuts, labels, member, annotation_size, concept_count)
        thresholds.append(cuts)
        intersections.append(both)
        actives.append(active)
    return thresholds, intersections, actives


def _members(labels: np.ndarray, category_of: np.ndarray) -> np.ndarray:
    """(N, categories) bool: the image has a labelled pixel in the category."""
    member = np.zeros((len(labels), category_of.max(initial=0) + 1), bool)
    for image, maps in enumerate(labels):
        present = np.unique(maps)
        member[image, category_of[present[present > 0] - 1]] = True
    return member


def _threshold(responses: Tensor, quantile: float) -> np.float32:
    """The value that a `quantile` share of one unit's stored responses exceeds."""
    values = responses.flatten()
    k = min(round(quantile * len(values)), len(values) - 1)
    if k == 0:
        return np.float32(values.max())
    top = values.topk(k + 1).values
    upper, lower = top[-2].item(), top[-1].item()
    if upper > lower:
        middle = np.float32((upper + lower) / 2)
        return middle if middle < upper else np.float32(lower)
    if upper == top[0].item() != 0:  # saturated: the next lower value, if there is one
        below = values[values < upper]
        return np.float32(below.max() if len(below) else upper)
    return np.float32(upper)


def _tally(
    responses: Tensor,
    cuts: np.ndarray,
    labels: np.ndarray,
    member: np.ndarray,
    size: tuple[int, int],
    concept_count: int,
) -> tuple[np.ndarray, np.ndarray]:
    units = responses.shape[1]
    both = np.zeros((units, concept_count), np.int64)
    active = np.zeros((units, member.shape[1]), np.int64)
    for image, maps in enumerate(responses):
        upsampled = F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]
        masks = (upsampled.flatten(1) > torch.from_numpy(cuts)[:, None]).numpy()
        for unit in range(units):
            inside = labels[image][:, masks[unit]]
            both[unit] += np.bincount(inside.ravel(), minlength=concept_count + 1)[1:]
            active[unit, member[image]] += masks[unit].sum()
    return both, active
