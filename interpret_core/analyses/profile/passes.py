"""The passes over the images: count, tally, masks. Each takes batches and returns what adds up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.material import Fed, Material, extremes, visit
from interpret_core.measures.dissection.bands import Largest
from interpret_core.measures.dissection.brackets import Brackets
from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.listed import ListedResponses
from interpret_core.measures.dissection.masks import Runs, no_images, strongest
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.widths import added
from interpret_core.networks import Layer
from interpret_core.runtime.reporter import Reporter

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
        self.add_strongest(other.top_response, other.top_image)

    def add_strongest(self, response: NDArray[np.float32], image: NDArray[np.int32]) -> None:
        """Take in further images, (U, k) maxima and indices."""
        best = strongest((self.top_response, self.top_image), (response, image))
        self.top_response, self.top_image = best


def look_around(material: Material, layers: Iterable[str], fed: Feed) -> dict[str, tuple[Counts, Windows]]:
    """Counts of a few images over the whole range of values."""
    seen: dict[str, tuple[Counts, Windows]] = {}

    def see(one: Fed, layer: Layer, responses: Any) -> None:
        low, high = extremes(material, one, layer, responses)
        valid = one.batch.valid
        windows = Windows.whole(low[valid].min(0, initial=np.inf))
        counts = material.kernels.counts(windows)
        counts.see(low[valid], high[valid])
        counts.add(responses, valid)
        seen[layer.name] = counts.total(), windows

    visit(material, fed, tuple(layers), see)
    return seen


def count(
    material: Material, windows: Mapping[str, Windows], fed: Feed, reporter: Reporter
) -> dict[str, Counted]:
    """First pass: counts and strongest images of every layer."""
    sums = {name: material.kernels.counts(window) for name, window in windows.items()}
    best = {name: no_images(len(window.low)) for name, window in windows.items()}

    def see(one: Fed, layer: Layer, responses: Any) -> None:
        low, high = extremes(material, one, layer, responses)
        valid, name = one.batch.valid, layer.name
        sums[name].see(low[valid], high[valid])
        sums[name].add(responses, valid)
        images = one.batch.indices[valid].astype(np.int32)
        more = high[valid].T, np.broadcast_to(images, (layer.units, len(images)))
        best[name] = strongest(best[name], more)

    visit(
        material, fed, tuple(windows), see, lambda one: reporter.advance("thresholds", len(one.batch.valid))
    )
    return {name: Counted(sums[name].total(), *best[name]) for name in windows}


@dataclass(frozen=True)
class Outline:
    """What counting told about a layer: its brackets, and the edges (U, bins + 1) of its histogram."""

    brackets: Brackets
    edges: NDArray[np.float32]

    def digest(self) -> bytes:
        """Differs where a tally would count otherwise."""
        return _digest(*(getattr(self.brackets, one.name) for one in fields(Brackets)), self.edges)


def windows_digest(windows: Windows) -> bytes:
    """Differs where a histogram over the windows would count otherwise."""
    return _digest(*(getattr(windows, one.name) for one in fields(Windows)))


def _digest(*parts: NDArray[Any]) -> bytes:
    return hashlib.sha256(b"".join(hashlib.sha256(part.tobytes()).digest() for part in parts)).digest()


@dataclass(frozen=True)
class Tallied:
    """One layer after the tally; `histogram` is (U, bins) int64 or int32."""

    tally: Tally
    listed: ListedResponses
    largest: Largest
    histogram: NDArray[Any]

    def without_pixels(self) -> Tallied:
        """The same without the pixels that are listed: most of what is, and not needed for thresholds."""
        return replace(self, listed=self.listed.without_pixels())

    @classmethod
    def joined(cls, parts: Iterable[Tallied]) -> Tallied:
        """The sum of several sets of images, in any order; the first one's counts are added to."""
        remaining = iter(parts)  # one at a time: a part holds a whole (U, C) table
        first = next(remaining)
        listed, largest, histogram = [first.listed], [first.largest], first.histogram
        for other in remaining:
            first.tally.merge(other.tally)
            histogram = added(histogram, other.histogram)
            listed.append(other.listed)
            largest.append(other.largest)
        return cls(first.tally, ListedResponses.joined(listed), Largest.joined(largest), histogram)


def tally(
    material: Material,
    outlines: Mapping[str, Outline],
    fed: Feed,
    reporter: Reporter,
    histograms: bool = True,
) -> dict[str, Tallied]:
    """Second pass: masks against annotations, and (unless left out) the histograms of responses."""
    kernels, shape = material.kernels, (material.columns, len(material.table.categories))
    tallies, bins, listed, largest = {}, {}, {}, {}
    for name, outline in outlines.items():
        tallies[name] = kernels.tally(outline.brackets, shape, material.lines(name))
        bins[name] = kernels.histogram(outline.edges)
        listed[name], largest[name] = list[ListedResponses](), list[Largest]()

    def see(one: Fed, layer: Layer, responses: Any) -> None:
        if one.annotated is None:
            raise TypeError("The tally needs annotations.")
        name, batch = layer.name, one.batch
        high, brackets = kernels.maxima(responses), outlines[name].brackets
        listed[name].append(tallies[name].add(responses, high, one.annotated))
        largest[name].append(Largest.of(high, batch.indices, batch.valid, brackets, material.ranked))
        if histograms:
            bins[name].add(responses, batch.valid)

    visit(material, fed, tuple(outlines), see, lambda one: reporter.advance("IoU", len(one.batch.valid)))
    return {
        name: Tallied(
            tallies[name].total(),
            ListedResponses.joined(listed[name]),
            Largest.joined(largest[name]),
            bins[name].total(),
        )
        for name in outlines
    }


@dataclass(frozen=True)
class MaskPlan:
    """Which masks of a layer are wanted.

    Attributes:
        threshold: (U,) float32, exact.
        gallery: (U, K) int32 images, those of all galleries side by side, −1 for none.
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

    def digest(self) -> bytes:
        """Differs where what is wanted differs."""
        return _digest(self.threshold, self.gallery, self.chance)


def masks(
    material: Material, plans: Mapping[str, MaskPlan], fed: Feed, reporter: Reporter
) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Third pass: exact masks of the strongest images and of the chance images.

    Returns:
        by layer: gallery_unit, gallery_image, gallery_peak (G,), gallery_length (G,) runs each, gallery_runs;
        chance_image (n,), chance_length (n·U,), chance_runs.
    """
    parts: dict[str, list[dict[str, NDArray[np.generic]]]] = {name: [] for name in plans}

    def see(one: Fed, layer: Layer, responses: Any) -> None:
        plan = plans[layer.name]
        indices = np.where(one.batch.valid, one.batch.indices, -2)
        gallery = (plan.gallery[None] == indices[:, None, None]).any(2)
        whole = plan.chance[one.batch.indices] & one.batch.valid
        size, lines = material.dataset.annotation_size, material.lines(layer.name)
        wanted = gallery | whole[:, None]
        runs = material.kernels.masks(responses, plan.threshold, wanted, size, lines)
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
