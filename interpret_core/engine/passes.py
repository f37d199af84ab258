"""The passes over the images: count, tally, masks. Each takes batches and returns what adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.engine.material import Fed, Material, Reporter, extremes, maxima, visit
from interpret_core.networks import Layer
from interpret_core.profile.brackets import Brackets
from interpret_core.profile.counting import Counts, Windows
from interpret_core.profile.histogram import DISPLAY_BINS, add_to_histogram
from interpret_core.profile.masks import TOP, Runs, encode, no_images, strongest
from interpret_core.profile.tally import Listed, Tally

Feed = Iterable[Fed]


@dataclass
class Counted:
    """One layer after counting: its counts, and the strongest images so far, (U, TOP) maxima and indices."""

    counts: Counts
    top_response: NDArray[np.float32]
    top_image: NDArray[np.int32]

    def merge(self, other: Counted) -> None:
        """Add other images; the order does not matter."""
        self.counts.merge(other.counts)
        self.top_response, self.top_image = _merged_top(self, other)


def _merged_top(one: Counted, other: Counted) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    value = np.concatenate([one.top_response, other.top_response], 1)
    index = np.concatenate([one.top_image, other.top_image], 1)
    last = np.iinfo(np.int32).max
    order = np.lexsort((np.where(index < 0, last, index), -value))[:, :TOP]
    return np.take_along_axis(value, order, 1), np.take_along_axis(index, order, 1)


def look_around(material: Material, layers: Iterable[str], fed: Feed) -> dict[str, tuple[Counts, Windows]]:
    """Counts of a few images over the whole range of values."""
    seen: dict[str, tuple[Counts, Windows]] = {}

    def see(one: Fed, layer: Layer, responses: NDArray[np.float32]) -> None:
        low, high = extremes(material, one, layer, responses)
        counts = Counts.empty(layer.units)
        counts.see(low[one.batch.valid], high[one.batch.valid])
        windows = Windows.whole(counts.minimum)
        counts.add(responses.reshape(len(responses), -1, layer.units), one.batch.valid, windows)
        seen[layer.name] = counts, windows

    visit(material, fed, tuple(layers), see)
    return seen


def count(
    material: Material, windows: Mapping[str, Windows], fed: Feed, reporter: Reporter
) -> dict[str, Counted]:
    """First pass: counts and strongest images of every layer."""
    units = {name: len(window.low) for name, window in windows.items()}
    result = {name: Counted(Counts.empty(number), *no_images(number)) for name, number in units.items()}

    def see(one: Fed, layer: Layer, responses: NDArray[np.float32]) -> None:
        low, high = extremes(material, one, layer, responses)
        valid, so_far = one.batch.valid, result[layer.name]
        so_far.counts.see(low[valid], high[valid])
        so_far.counts.add(responses.reshape(len(responses), -1, layer.units), valid, windows[layer.name])
        best = strongest(
            (so_far.top_response, so_far.top_image), high[valid], one.batch.indices[valid].astype(np.int32)
        )
        so_far.top_response, so_far.top_image = best

    visit(
        material, fed, tuple(windows), see, lambda one: reporter.advance("thresholds", len(one.batch.valid))
    )
    return result


@dataclass(frozen=True)
class Outline:
    """What counting told about a layer: its brackets, and the edges (U, bins + 1) of its histogram."""

    brackets: Brackets
    edges: NDArray[np.float32]


@dataclass(frozen=True)
class Tallied:
    """One layer after the tally; `histogram` is (U, bins) int64."""

    tally: Tally
    listed: Listed
    histogram: NDArray[np.int64]

    def merged(self, other: Tallied) -> Tallied:
        """With other images; the order does not matter. These counts are added to."""
        self.tally.merge(other.tally)
        return Tallied(
            self.tally, Listed.joined([self.listed, other.listed]), self.histogram + other.histogram
        )


def tally(
    material: Material,
    outlines: Mapping[str, Outline],
    fed: Feed,
    reporter: Reporter,
    histograms: bool = True,
) -> dict[str, Tallied]:
    """Second pass: masks against annotations, and (unless left out) the histograms of responses."""
    categories = len(material.table.categories)
    tallies, bins, listed = {}, {}, {}
    for name, outline in outlines.items():
        units = len(outline.edges)
        tallies[name] = Tally.empty(units, material.columns, categories)
        bins[name], listed[name] = np.zeros((units, DISPLAY_BINS), np.int64), list[Listed]()

    def see(one: Fed, layer: Layer, responses: NDArray[np.float32]) -> None:
        if one.annotated is None:
            raise TypeError("The tally needs annotations.")
        name, outline = layer.name, outlines[layer.name]
        found = tallies[name].add(responses, maxima(responses), outline.brackets, one.annotated)
        listed[name].append(found)
        if histograms:
            flat = responses.reshape(len(responses), -1, layer.units)
            add_to_histogram(bins[name], flat, one.batch.valid, outline.edges)

    visit(material, fed, tuple(outlines), see, lambda one: reporter.advance("IoU", len(one.batch.valid)))
    return {name: Tallied(tallies[name], Listed.joined(listed[name]), bins[name]) for name in outlines}


@dataclass(frozen=True)
class MaskPlan:
    """Which masks of a layer are wanted.

    Attributes:
        threshold: (U,) float32, exact.
        gallery: (U, TOP) int32 images, −1 for none.
        chance: (N,) bool, images whose every mask is wanted.
    """

    threshold: NDArray[np.float32]
    gallery: NDArray[np.int32]
    chance: NDArray[np.bool_]

    def needs(self) -> NDArray[np.bool_]:
        """(N,) bool, images with any wanted mask."""
        needed = self.chance.copy()
        needed[self.gallery[self.gallery >= 0]] = True
        return needed


def masks(
    material: Material, plans: Mapping[str, MaskPlan], fed: Feed, reporter: Reporter
) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Third pass: exact masks of the strongest images and of the chance images.

    Returns:
        by layer: gallery_unit, gallery_image, gallery_peak (G,), gallery_length (G,) runs each, gallery_runs;
        chance_image (n,), chance_length (n·U,), chance_runs.
    """
    parts: dict[str, list[dict[str, NDArray[np.generic]]]] = {name: [] for name in plans}

    def see(one: Fed, layer: Layer, responses: NDArray[np.float32]) -> None:
        plan = plans[layer.name]
        indices = np.where(one.batch.valid, one.batch.indices, -2)
        gallery = (plan.gallery[None] == indices[:, None, None]).any(2)
        whole = plan.chance[one.batch.indices] & one.batch.valid
        runs = encode(responses, plan.threshold, gallery | whole[:, None], material.dataset.annotation_size)
        parts[layer.name].append(_chosen(runs, gallery, whole, one.batch.indices))

    visit(material, fed, tuple(plans), see, lambda one: reporter.advance("masks", len(one.batch.valid)))
    return {name: joined(found) for name, found in parts.items()}


def _chosen(
    runs: Runs, gallery: NDArray[np.bool_], whole: NDArray[np.bool_], indices: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    length = np.diff(runs.offsets)
    row = np.repeat(np.arange(len(length)), length)
    in_gallery, in_chance = gallery.ravel(), np.repeat(whole, gallery.shape[1])
    image, unit = np.nonzero(gallery)
    return {
        "gallery_unit": unit.astype(np.int32),
        "gallery_image": indices[image].astype(np.int32),
        "gallery_peak": runs.peaks[in_gallery],
        "gallery_length": length[in_gallery],
        "gallery_runs": runs.runs[in_gallery[row]],
        "chance_image": indices[whole].astype(np.int32),
        "chance_length": length[in_chance],
        "chance_runs": runs.runs[in_chance[row]],
    }


def joined(parts: list[dict[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    """Several parts' arrays, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
