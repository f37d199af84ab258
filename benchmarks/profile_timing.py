"""What `bench profile` times: batches that are in memory already, and the engine's work on them.

*Ours* is what the engine does with the batches: the pilot, the counting pass (strongest images included), the
tally (shades and colours included) and the exact thresholds. *Bare* is the network's own forward pass up to
its output. Both run in one process, on the same batches, preprocessed before the clock starts, channels_last.
Where torch's kernels count, the compiled ones do the same work beside them (`numba`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.naive_profile import naive_profile
from interpret_core import datasets, networks
from interpret_core.analyses.profile import passes
from interpret_core.analyses.profile.assembly import layer_arrays, shown_images
from interpret_core.analyses.profile.chance import Lottery, Sample
from interpret_core.analyses.profile.material import Fed, Material, annotated, feed
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.tallies import Rounds, settled
from interpret_core.measures.dissection.brackets import first_windows
from interpret_core.measures.dissection.thresholds import Thresholds
from interpret_core.measures.dissection.twin.choice import AUTO, NUMBA, TORCH
from interpret_core.measures.dissection.twin.compiled import CompiledKernels
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.runtime.reporter import Reporter
from interpret_core.store.records import Arrays

NAIVE_IMAGES = 8


@dataclass
class Bench:
    """Batches in memory, and what is timed on them."""

    material: Material
    request: ProfileRequest
    fed: list[Fed]
    pilot: list[Fed]
    module: torch.nn.Module
    decode_seconds: float
    compiled: Bench | None = None
    last: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def prepared(
        cls, name: str, dataset: datasets.Dataset, batch_size: int, device: str = "cpu", tally: str = AUTO
    ) -> Bench:
        """Read and preprocess everything."""
        network = networks.load(name, device)
        table = dataset.concepts()
        survey = datasets.survey(dataset, table)
        request = ProfileRequest(name, str(dataset.root), batch_size=batch_size, min_images=1)
        material = Material(network, dataset, table, survey, batch_size, tally=tally)
        start = time.perf_counter()
        fed = list(feed(material, material.batches, annotations=True))
        spent = time.perf_counter() - start
        pilot = list(feed(material, [material.pilot()], annotations=False))
        module = network.spec.build(network.spec.weights()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        bench = cls(material, request, fed, pilot, module.to(network.device), spent)
        if bench.tally == TORCH:
            bench.compiled = bench.by(NUMBA)
        return bench

    def by(self, tally: str) -> Bench:
        """The same batches for other kernels."""
        material = replace(self.material, tally=tally)
        ready = [material.kernels.annotated(annotated(material, one.batch)) for one in self.fed]
        fed = [replace(one, annotated=found) for one, found in zip(self.fed, ready, strict=True)]
        return replace(self, material=material, fed=fed, last={})

    @property
    def tally(self) -> str:
        """Whose kernels count."""
        return NUMBA if isinstance(self.material.kernels, CompiledKernels) else TORCH

    @property
    def layers(self) -> list[str]:
        """Every listed layer."""
        return [layer.name for layer in self.material.network.layers]

    @property
    def naive_images(self) -> int:
        """Images that the plain implementation is timed on."""
        return min(NAIVE_IMAGES, len(self.fed[0].batch.valid))

    def once(self) -> dict[str, float]:
        """Seconds of one turn by stage."""
        seconds = {"forward": self._timed(self._forward)} | self._ours()
        if self.compiled is not None:
            seconds["numba"] = self._timed(self.compiled.both)
        return seconds

    def both(self) -> None:
        """Thresholds and IoU, as they are timed."""
        self._iou(self._thresholds(), self.fed)

    def _timed(self, function: Callable[[], object]) -> float:
        start = self._clock()
        function()
        return self._clock() - start

    def _clock(self) -> float:
        """Once a card has done what it was told to."""
        if self.material.network.device.type == "cuda":
            torch.cuda.synchronize(self.material.network.device)
        return time.perf_counter()

    def _forward(self) -> None:
        with plain_arithmetic(), torch.inference_mode():
            for one in self.fed:
                self.module(one.images)

    def _ours(self) -> dict[str, float]:
        start = self._clock()
        rounds = self._thresholds()
        counted = self._clock()
        self._iou(rounds, self.fed)
        tallied = self._clock()
        without = [replace(one, annotated=self._without_shades(one)) for one in self.fed]
        plain = self._timed(lambda: self._iou(rounds, without))
        again = self._clock()
        self.last = {"rounds": rounds, **self._iou(rounds, self.fed, histograms=True)}
        drawn = self._clock() - again
        self.last["arrays"] = {name: self._arrays(name) for name in self.layers}
        return {
            "thresholds": counted - start,
            "iou": tallied - counted,
            "shades": tallied - counted - plain,
            "histograms": max(drawn - (tallied - counted), 0.0),
        }

    def _without_shades(self, one: Fed) -> Any:
        """The annotations less the shade map and the colours, for the same kernels."""
        full = annotated(self.material, one.batch)
        nothing = np.zeros((len(full.colours), 0, 3), np.uint8)
        labels = np.ascontiguousarray(full.labels[..., :-1])
        return self.material.kernels.annotated(replace(full, labels=labels, colours=nothing))

    def _thresholds(self) -> Rounds:
        """As `engine.tallying` does it, with batches that are in memory already."""
        quantile = self.request.quantile
        seen = passes.look_around(self.material, self.layers, self.pilot)
        windows = {name: first_windows(*pair, quantile) for name, pair in seen.items()}
        rounds = Rounds()
        while windows:
            sums = passes.count(self.material, windows, self.fed, Reporter())
            following = {
                name: rounds.take(name, one, windows[name], quantile, self.material.spread(name))
                for name, one in sums.items()
            }
            windows = {name: window for name, window in following.items() if window is not None}
        return rounds

    def _iou(self, rounds: Rounds, fed: Iterable[Fed], histograms: bool = False) -> dict[str, Any]:
        outlines = {name: rounds.outline(name) for name in self.layers}
        tallies = passes.tally(self.material, outlines, fed, Reporter(), histograms)
        thresholds: dict[str, Thresholds] = {}
        for name, found in tallies.items():
            counted, brackets = rounds.counted[name], rounds.brackets[name]
            thresholds[name] = settled(counted, brackets, found.tally, found.listed, self.request.quantile)
        return {"tallies": tallies, "thresholds": thresholds}

    def _arrays(self, name: str) -> Arrays:
        counted, tallied = self.last["rounds"].counted[name], self.last["tallies"][name]
        thresholds = self.last["thresholds"][name]
        return layer_arrays(self.material, counted, thresholds, tallied)

    def beside(self) -> dict[str, float]:
        """Seconds of what is measured once: masks of the strongest images, masks of all, chance."""
        nobody = np.zeros(len(self.material.dataset), np.bool_)
        gallery = self._timed(lambda: self._masks(nobody))
        start = self._clock()
        found = self._masks(self.material.survey.valid)
        whole = self._clock() - start
        start = self._clock()
        images = np.flatnonzero(self.material.survey.valid)
        sample = Sample.read(self.material, images, self.request.min_images)
        lottery = Lottery.prepared(sample, self.request)
        for name in self.layers:
            lottery.record(found[name], self.last["arrays"][name]["state"], lambda _: None)
        return {"masks": gallery, "chance": self._clock() - start + max(whole - gallery, 0.0)}

    def _masks(self, chance: NDArray[np.bool_]) -> dict[str, Arrays]:
        arrays = self.last["arrays"]
        plans = {
            name: passes.MaskPlan(arrays[name]["threshold"], shown_images(arrays[name]), chance)
            for name in self.layers
        }
        return passes.masks(self.material, plans, self.fed, Reporter())

    def naive(self) -> float:
        """Seconds an image of the plain implementation, on the first few images."""
        material, one = self.material, self.fed[0]
        number = self.naive_images
        if one.batch.labels is None:
            raise TypeError("The batch was read without annotations.")
        labels = one.batch.labels[:number]
        with material.network.recording(self.layers) as record:

            def responses(images: torch.Tensor) -> Sequence[torch.Tensor]:
                found = record(images).responses
                return [found[name].cpu() for name in self.layers]

            spent = self._timed(
                lambda: naive_profile(
                    responses,
                    one.images[:number],
                    labels,
                    self.request.quantile,
                    material.dataset.annotation_size,
                    len(material.table),
                    material.table.category_of,
                )
            )
        return spent / number

    def report(
        self, seconds: dict[str, list[float]], beside: dict[str, float], naive: float
    ) -> dict[str, Any]:
        """The contract's numbers first, then what stands beside them; milliseconds are per image."""
        images = len(self.material.dataset)
        middle = {name: statistics.median(values) for name, values in seconds.items()}
        ours = [sum(pair) for pair in zip(seconds["thresholds"], seconds["iou"], strict=True)]
        numba = [mine / theirs for mine, theirs in zip(ours, seconds.get("numba", ours), strict=True)]
        ratios = [mine / bare for mine, bare in zip(ours, seconds["forward"], strict=True)]
        stages = {
            "decode": self.decode_seconds,
            **{name: middle[name] for name in ("thresholds", "iou", "histograms")},
            **beside,
        }
        whole = sum(stages.values())
        return {
            "over_forward": statistics.median(ours) / middle["forward"],
            "over_naive": naive / (statistics.median(ours) / images),
            "forward_ms": 1e3 * middle["forward"] / images,
            "ours_ms": 1e3 * statistics.median(ours) / images,
            "naive_ms": 1e3 * naive,
            "over_forward_runs": ratios,
            "shades_ms_of_iou": 1e3 * middle["shades"] / images,
            "stages_ms": {name: 1e3 * spent / images for name, spent in stages.items()},
            "shares": {name: spent / whole for name, spent in stages.items()},
            "tally": self.tally,
            "over_numba": statistics.median(numba) if "numba" in seconds else None,
            "images": images,
            "threads": torch.get_num_threads(),
        }


def first(dataset: datasets.Dataset, images: int) -> datasets.Dataset:
    """A data set's first images, as a data set."""
    if len(dataset) <= images:
        return dataset
    shorter = datasets.open_dataset(dataset.root)
    shorter.records = shorter.records[:images]
    return shorter
