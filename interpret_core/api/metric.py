"""The profile's counts as a metric that is updated batch by batch, for whoever has responses of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.analyses.profile.passes import Counted
from interpret_core.analyses.profile.tallies import Rounds, settled
from interpret_core.errors import NonFiniteError, ParameterError
from interpret_core.measures.dissection.brackets import first_windows
from interpret_core.measures.dissection.counts import Windows
from interpret_core.measures.dissection.iou_table import EVERY, IouTable
from interpret_core.measures.dissection.listed import Annotated, ListedResponses
from interpret_core.measures.dissection.masks import no_images
from interpret_core.measures.dissection.quantile import check_quantile
from interpret_core.measures.dissection.twin.compiled import CompiledKernels
from interpret_core.positions import GridLines

MOST = np.iinfo(np.uint16).max  # label numbers
LAYER = "responses"

Given = torch.Tensor | NDArray[Any]


@dataclass(frozen=True, eq=False)
class UnitOverlap:
    """What `UnitIoU` counted: U units, C concepts, the integers of a profile.

    Attributes:
        threshold: (U,) float32; a mask is strictly above it.
        state: (U,) uint8, `measures.dissection.thresholds.State`: live, dead or tied.
        exceeding: (U,) int64, positions above the threshold.
        intersection: (U, C) int64, pixels of mask and concept.
        active: (U, categories) int64, pixels of the mask in the pictures that have the category.
        active_total: (U,) int64, pixels of the mask in all pictures.
        concept_pixels: (C,) int64.
        category_of: (C,) int64, index of each concept's category.
    """

    threshold: NDArray[np.float32]
    state: NDArray[np.uint8]
    exceeding: NDArray[np.int64]
    intersection: NDArray[np.int64]
    active: NDArray[np.int64]
    active_total: NDArray[np.int64]
    concept_pixels: NDArray[np.int64]
    category_of: NDArray[np.int64]

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """(U, C) intersection over union in the pictures that have the concept's category; 0/0 is 0."""
        table = IouTable(self.intersection, self.active, self.concept_pixels, self.category_of)
        return table.rows(EVERY)


class UnitIoU:
    """IoU of every unit with every concept, in the shape of a torchmetrics metric.

    Thresholds are exact: each unit's is taken over all that was given, so nothing is counted before
    `compute`. Until then every batch is kept in memory, 4 bytes a response and 2 a label:
    N·U·h·w·4 + N·L·H·W·2 bytes. For more than memory holds there is `profile`, which runs the network again.

    Args:
        quantile: share of a unit's positions above its threshold, in (0, 1); the paper uses 0.005.
        categories: (C,) index of each concept's category: a unit is compared with a concept in the pictures
            that have a pixel of its category. By default all are of one, and C is the largest number given.
        lines: where the grid's positions lie in the picture, `network.layer(name).lines`, as a profile with
            anchored positions has them; None spreads them evenly.

    Raises:
        ParameterError: a quantile outside (0, 1), or categories that are no whole numbers from 0 on.

    Source: Bau et al. 2017, section 2.2; the kernels are those of `profile`.

    Example:
        >>> import numpy as np
        >>> import interpret_core as ic
        >>> labels = np.zeros((2, 8, 8), int)
        >>> labels[:, :2, :4] = 1
        >>> responses = np.random.default_rng(0).random((2, 3, 8, 8), np.float32)
        >>> responses[:, 0] += labels
        >>> metric = ic.UnitIoU(quantile=0.125)
        >>> for batch, annotations in zip(np.split(responses, 2), np.split(labels, 2)):
        ...     _ = metric.update(batch, annotations)
        >>> found = metric.compute()
        >>> found.iou.shape, float(found.iou[0, 0]), int(found.intersection[0, 0])
        ((3, 1), 1.0, 16)
    """

    def __init__(
        self,
        quantile: float = 0.005,
        categories: Sequence[int] | None = None,
        lines: GridLines | None = None,
    ) -> None:
        self.quantile = check_quantile(quantile)
        self.categories = None if categories is None else _whole(categories)
        self.lines = lines
        self._kernels = CompiledKernels()
        self._kept: list[tuple[NDArray[np.float32], NDArray[np.uint16]]] = []

    def update(self, responses: Given, annotations: Given) -> Self:
        """Take in a batch; both arrays are copied.

        Args:
            responses: (N, U, h, w) floating, finite, of any device, in the layer's own scale.
            annotations: (N, L, H, W) or (N, H, W) whole numbers: 0 unlabelled, c + 1 for concept c. A
                concept that several of the L maps give to a pixel counts once.

        Returns:
            The metric itself.

        Raises:
            ParameterError: other shapes, types or numbers than expected, or than the batches before.
            NonFiniteError: a response that is no number; the message names the unit and the picture.
        """
        taken = _responses(responses, self._kernels)
        labels = _labels(annotations)
        if len(labels) != len(taken):
            raise ParameterError(
                f"Expected as many annotations as responses, but got {len(labels)} and {len(taken)} pictures."
            )
        if self.categories is not None and labels.max(initial=0) > len(self.categories):
            raise ParameterError(
                f"Expected numbers up to {len(self.categories)}, one for each category given, but got "
                f"{int(labels.max())}."
            )
        for before, after in self._kept[:1]:
            expected, got = (*before.shape[1:], *after.shape[2:]), (*taken.shape[1:], *labels.shape[2:])
            if expected != got:
                names = ("h", "w", "U", "H", "W")
                one, other = (
                    ", ".join(f"{name} {size}" for name, size in zip(names, sizes, strict=True))
                    for sizes in (expected, got)
                )
                raise ParameterError(f"Expected {one} as in the batches before, but got {other}.")
        self._kept.append((taken, labels))
        return self

    def compute(self) -> UnitOverlap:
        """Thresholds and counts over all that was given so far; the batches stay, and more may follow.

        Raises:
            ParameterError: nothing was given.
        """
        if not self._kept:
            raise ParameterError("Expected at least one batch, but nothing was given: call update first.")
        category_of = self._category_of()
        batches = list(self._batches(category_of))
        responses = [one for one, _ in self._kept]
        rounds = self._bracketed(responses, batches[0].size)
        height, width = responses[0].shape[1:3]
        lines = self.lines or GridLines.evenly((height, width))
        shape = 1 + len(category_of), int(category_of.max(initial=0)) + 1
        sums = self._kernels.tally(rounds.brackets[LAYER], shape, lines)
        listed = [
            sums.add(one, self._kernels.maxima(one), batch)
            for one, batch in zip(responses, batches, strict=True)
        ]
        tally = sums.total()
        counted, brackets = rounds.counted[LAYER], rounds.brackets[LAYER]
        found = settled(counted, brackets, tally, ListedResponses.joined(listed), self.quantile)
        numbers = sum(
            np.bincount(batch.labels.ravel(), minlength=len(category_of) + 1).astype(np.int64)
            for batch in batches
        )
        return UnitOverlap(
            threshold=found.value,
            state=found.state,
            exceeding=tally.exceeding,
            intersection=tally.intersection[:, 1:].astype(np.int64),
            active=tally.active,
            active_total=tally.active_total,
            concept_pixels=np.asarray(numbers)[1:],
            category_of=category_of,
        )

    def reset(self) -> None:
        """Forget every batch."""
        self._kept.clear()

    def _category_of(self) -> NDArray[np.int64]:
        if self.categories is not None:
            return self.categories
        return np.zeros(max(int(labels.max(initial=0)) for _, labels in self._kept), np.int64)

    def _batches(self, category_of: NDArray[np.int64]) -> Iterator[Annotated]:
        """The annotations as the kernels read them."""
        maps = max(1, *(labels.shape[1] for _, labels in self._kept))
        # The category of each number; that of 0, unlabelled, is none of them.
        of = np.concatenate([[-1], category_of])
        for _, labels in self._kept:
            images, planes, height, width = labels.shape
            flat = np.zeros((images, height * width, maps), np.uint16)
            flat[:, :, :planes] = labels.reshape(images, planes, height * width).transpose(0, 2, 1)
            member = np.zeros((images, int(category_of.max(initial=0)) + 1), np.bool_)
            for image, one in enumerate(labels):
                there = of[np.unique(one)]
                member[image, there[there >= 0]] = True
            nothing = np.zeros((images, 0, 3), np.uint8)
            yield Annotated(flat, nothing, member, np.ones(images, np.bool_), (height, width))

    def _bracketed(self, responses: Sequence[NDArray[np.float32]], size: tuple[int, int]) -> Rounds:
        """Count until every unit's threshold is bracketed."""
        units = responses[0].shape[-1]
        spread = size[0] * size[1] / (responses[0].shape[1] * responses[0].shape[2])
        whole = Windows.whole(self._kernels.extremes(responses[0])[0].min(0))
        following: Windows | None = first_windows(
            self._counted(responses[:1], whole, units).counts, whole, self.quantile
        )
        rounds = Rounds()
        while following is not None:
            sums = self._counted(responses, following, units)
            following = rounds.take(LAYER, sums, following, self.quantile, spread)
        return rounds

    def _counted(self, responses: Sequence[NDArray[np.float32]], windows: Windows, units: int) -> Counted:
        counts = self._kernels.counts(windows)
        for one in responses:
            counts.see(*self._kernels.extremes(one))
            counts.add(one, np.ones(len(one), np.bool_))
        return Counted(counts.total(), *no_images(units))


def _whole(values: Sequence[int]) -> NDArray[np.int64]:
    numbers = np.asarray(values)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer) or numbers.min(initial=0) < 0:
        raise ParameterError(f"Expected categories as whole numbers from 0 on, but got {values!r}.")
    return numbers.astype(np.int64)


def _responses(given: Given, kernels: CompiledKernels) -> NDArray[np.float32]:
    """(N, h, w, U) float32, a copy.

    Raises:
        ParameterError: of another shape or type.
        NonFiniteError: a response that is no number.
    """
    tensor = torch.as_tensor(given)
    if tensor.ndim != 4 or 0 in tensor.shape or not tensor.is_floating_point():
        raise ParameterError(
            "Expected responses to be (N, U, h, w) floating-point numbers, none of them 0, but got "
            f"{tuple(tensor.shape)} of {tensor.dtype}."
        )
    taken = np.array(kernels.responses(tensor), order="C")
    wrong = np.argwhere(~np.isfinite(taken))
    if len(wrong):
        image, _, _, unit = wrong[0].tolist()
        raise NonFiniteError(
            f"The response of unit {unit} to picture {image} of the batch is {taken[tuple(wrong[0])]}, "
            "expected finite numbers: look at the layer's input and weights."
        )
    return taken


def _labels(given: Given) -> NDArray[np.uint16]:
    """(N, L, H, W) uint16, a copy; a number that several maps give to a pixel is kept in the first.

    Raises:
        ParameterError: of another shape or type, or a number that no label has.
    """
    numbers = np.asarray(given.detach().cpu() if isinstance(given, torch.Tensor) else given)
    if numbers.ndim not in (3, 4) or not np.issubdtype(numbers.dtype, np.integer):
        raise ParameterError(
            "Expected annotations to be (N, L, H, W) or (N, H, W) whole numbers, but got "
            f"{numbers.shape} of {numbers.dtype}."
        )
    if numbers.size and (numbers.min() < 0 or numbers.max() > MOST - 1):
        raise ParameterError(
            f"Expected label numbers from 0 to {MOST - 1}, but got {numbers.min()} to {numbers.max()}."
        )
    planes = numbers[:, None] if numbers.ndim == 3 else numbers
    labels = np.array(planes, np.uint16)
    for plane in range(1, labels.shape[1]):
        again = (labels[:, :plane] == labels[:, plane : plane + 1]).any(1)
        labels[:, plane][again] = 0
    return labels
