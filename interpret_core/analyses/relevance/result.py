"""What is kept of one class: every image's relevance of every unit, and what tells how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.attribution.path import SMALLEST_CHANGE
from interpret_core.numbers import share
from interpret_core.positions import GridLines

FEW = 10  # images, below which a mean says little


class LayerShape(NamedTuple):
    """A layer as the record knows it: its name, its units, its activation grid."""

    name: str
    units: int
    grid: tuple[int, int]


@dataclass(frozen=True, eq=False)
class LayerRelevance:
    """One layer's part of a class's relevance: U units, n images, means over the images.

    Attributes:
        relevance: (U,) float64, R: |G| upsampled to the annotation grid and summed inside the object's mask.
        positive: (U,) float64 ≥ 0, the same sum over positive G alone.
        negative: (U,) float64 ≤ 0, over negative G: relevance = positive − negative.
        in_mask_share: (U,) float64 in [0, 1], ⟨UᵀM, |G|⟩ / ⟨Uᵀ1, |G|⟩ over all images; NaN where G is 0.
        per_pixel_mean: (U,) float64, mean over images of R divided by the mask's pixels.
        per_image: (n, U) float32, R of each image.
        residual: (n,) float64, |Σ G − ΔF| / max(|ΔF|, 0.01).
        points: (n,) int32, gradients evaluated on the path.
        flagged: (n,) bool, the residual stayed above the tolerance.
    """

    shape: LayerShape
    relevance: NDArray[np.float64]
    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    in_mask_share: NDArray[np.float64]
    per_pixel_mean: NDArray[np.float64]
    per_image: NDArray[np.float32]
    residual: NDArray[np.float64]
    points: NDArray[np.int32]
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ClassRelevance:
    """The relevance of every unit of every listed layer for one class.

    Args:
        arrays: with n images, L layers and V units of all layers side by side:
            images (n,) i64 in the data set; relevance (n, V) f32; positive, negative, total (V,) f32, means
            over the images, total without a mask; mask_pixels (n,) i64 on the annotation grid; score (n,)
            f64, F_c(x); predicted (n,) i64, the largest output; change (n, L) f64, ΔF between the layer's
            endpoints; gap (n, L) f64, Σ G − ΔF; points (n, L) i32; mass (n, L) f64 where
            positions are anchored.
        metadata: network (name, title, digest, evidence, note), dataset (name, digest, images), class,
            outputs (indices), output_names, split, method, baseline, output, tolerance, first_points,
            most_points; where positions are anchored, placing and lines (by layer, as `GridLines.note`);
            concept (the object whose pixels are the mask; None where M = 1), masked (bool: False
            where M = 1), annotation_size, layers [[name, units, grid]],
            image_names (n), candidates (images of the class in the split), of_class (in all splits),
            left_out [[image, reason]].
    """

    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The class."""
        return str(self.metadata["class"])

    @property
    def images(self) -> NDArray[np.int64]:
        """(n,) indices into the data set, ascending."""
        return self.arrays["images"]

    @cached_property
    def layers(self) -> tuple[LayerShape, ...]:
        """Listed layers in forward order."""
        return tuple(
            LayerShape(str(name), int(units), (int(grid[0]), int(grid[1])))
            for name, units, grid in self.metadata["layers"]
        )

    def lines(self, layer: str) -> GridLines | None:
        """Where a layer's positions lie in the picture; None where they are spread evenly."""
        lines = self.metadata.get("lines")
        return None if lines is None else GridLines.from_note(lines[layer])

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """(n,) whether the largest output is one of the class's."""
        return np.isin(self.arrays["predicted"], self.metadata["outputs"])

    @cached_property
    def residual(self) -> NDArray[np.float64]:
        """(n, L) |Σ G − ΔF| / max(|ΔF|, 0.01)."""
        return np.abs(self.arrays["gap"]) / np.maximum(np.abs(self.arrays["change"]), SMALLEST_CHANGE)

    @cached_property
    def flagged(self) -> NDArray[np.bool_]:
        """(n, L) pairs whose residual stayed above the tolerance."""
        return np.asarray(self.residual > float(self.metadata["tolerance"]))

    def layer(self, name: str) -> LayerRelevance:
        """One layer's part, worked out once.

        Raises:
            KeyError: a layer that is not listed.
        """
        if name not in self._parts:
            self._parts[name] = self._part(name)
        return self._parts[name]

    @cached_property
    def _parts(self) -> dict[str, LayerRelevance]:
        return {}

    def _part(self, name: str) -> LayerRelevance:
        at = next((number for number, shape in enumerate(self.layers) if shape.name == name), None)
        if at is None:
            raise KeyError(name)
        start = sum(shape.units for shape in self.layers[:at])
        part = slice(start, start + self.layers[at].units)
        per_image = self.arrays["relevance"][:, part]
        wide = per_image.astype(np.float64)
        relevance = wide.mean(0)
        positive, negative, total = (
            self.arrays[name][part].astype(np.float64) for name in ("positive", "negative", "total")
        )
        inside = share(relevance, total)
        return LayerRelevance(
            self.layers[at],
            relevance,
            positive,
            negative,
            np.minimum(inside, 1.0),
            (wide / np.maximum(self.arrays["mask_pixels"], 1)[:, None]).mean(0),
            per_image,
            self.residual[:, at],
            self.arrays["points"][:, at],
            self.flagged[:, at],
        )

    def mass(self, name: str) -> float:
        """Relevance mass of a layer, so that grids of any size compare (method §7): Σ_i R_i · hw / (HW) where
        every position has as many pixels, else every position's |G| by the share of its pixels in the mask.
        """
        part = self.layer(name)
        if "mass" in self.arrays:
            return float(self.arrays["mass"][:, self.layers.index(part.shape)].mean())
        (h, w), (height, width) = part.shape.grid, self.metadata["annotation_size"]
        return float(part.relevance.sum() * h * w / (height * width))
