"""Profiles of a network while it is trained: what its units detect, from moment to moment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from interpret_core import datasets
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.api import frames
from interpret_core.api.opened import wrap
from interpret_core.api.plots import drawn
from interpret_core.api.questions import profile
from interpret_core.api.results import ProfileResult
from interpret_core.api.signatures import request_of, takes
from interpret_core.datasets import Dataset
from interpret_core.errors import ParameterError, unknown
from interpret_core.figures.moments import NUMBERS, training_lines
from interpret_core.networks import NetworkParts, streams
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.tables import Row

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_BASES = ("lightning.pytorch", "pytorch_lightning")  # Lightning takes callbacks of its own class alone
COLUMNS = ("moment", "layer", "units", "detectors", "concepts", "mean_iou", "changed", "network", "digest")
CHANGES = ("moment", "layer", "unit", "before", "after", "iou_before", "iou_after")


@dataclass(frozen=True, eq=False)
class WatchedLayer:
    """A layer at one moment: U units.

    Attributes:
        name: of the layer.
        labels: U names of the best concept, a dash where none overlaps.
        iou: (U,) float64 IoU with it.
        detectors, concepts: units above the cut-off, and distinct concepts among their labels.
    """

    name: str
    labels: Sequence[str]
    iou: NDArray[np.float64]
    detectors: int
    concepts: int

    @classmethod
    def of(cls, name: str, summary: LayerSummary) -> WatchedLayer:
        """What is kept of a profile."""
        labels = [summary.concept_name(int(one)) for one in summary.best_concept]
        detectors = int(summary.detector.sum())
        return cls(name, labels, np.array(summary.best_iou), detectors, summary.unique_detectors())


@dataclass(frozen=True, eq=False)
class Moment:
    """What was found at one moment.

    Attributes:
        number: steps before it; 0 is before the training.
        network, digest: of the copy of the weights as they were then; its results lie in the store under it.
        layers: in forward order.
    """

    number: int
    network: str
    digest: str
    layers: Sequence[WatchedLayer]


class Watch:
    """A record of a training; made by `watch`. Use `step()` after each epoch, or give it to Lightning.

    As a context manager it records the moment before the first step, and the last one where it ends well.

    Attributes:
        moments: what was recorded, in order.
        steps: calls of `step` so far.

    Example:
        >>> import numpy as np, torch
        >>> import interpret_core as ic
        >>> pictures = np.zeros((4, 32, 32, 3), np.uint8)
        >>> maps = np.zeros((4, 32, 32), int)
        >>> pictures[::2, 4:12, 4:12, 0], maps[::2, 4:12, 4:12] = 255, 1
        >>> data = ic.dataset(pictures, maps, {1: ("red", "color")})
        >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU())
        >>> with ic.watch(model, data, every=2, wrap={"size": 32}, permutations=0) as seen:
        ...     for epoch in range(3):
        ...         _ = model[0].weight.data.add_(0.1)  # a step of an optimizer
        ...         _ = seen.step()
        >>> [moment.number for moment in seen.moments], len(seen.to_frame())
        ([0, 2, 3], 3)
    """

    def __init__(
        self, model: nn.Module | NetworkParts, data: Dataset, every: int, asked: Mapping[str, Any]
    ) -> None:
        self.model, self.data, self.every = model, data, every
        self.moments: list[Moment] = []
        self.steps = 0
        self._asked = asked

    def step(self) -> ProfileResult | None:
        """An epoch has ended: profile the network now, if it is one of every so many.

        Returns:
            The profile, which is not kept here; None where nothing was recorded.

        Raises:
            NetworkError, DatasetError, NonFiniteError: as `profile`.
        """
        self.steps += 1
        return None if self.steps % self.every else self.record()

    def record(self) -> ProfileResult:
        """Profile the network as it is now, and note it under the number of steps so far.

        Raises:
            NetworkError, DatasetError, NonFiniteError: as `profile`.
        """
        options = dict(self._asked)
        shape, how = options.pop("wrap"), options.pop("how")
        # Inside a validation loop nothing may be traced; and whoever trains must notice nothing of it.
        with torch.inference_mode(False), torch.no_grad(), plain_arithmetic(), streams.kept():
            network = wrap(self.model, **shape)
            found = profile(network, self.data, **how, **options)
        layers = [WatchedLayer.of(name, one) for name, one in found.layers.items()]
        moment = Moment(self.steps, network.name, network.digest, layers)
        self.moments = [one for one in self.moments if one.number != self.steps] + [moment]
        return found

    def rows(self) -> Iterator[Row]:
        """A row for each moment and layer; what changed is counted against the moment before."""
        for at, moment in enumerate(self.moments):
            for place, layer in enumerate(moment.layers):
                before = self.moments[at - 1].layers[place] if at else None
                yield {
                    "moment": moment.number,
                    "layer": layer.name,
                    "units": len(layer.labels),
                    "detectors": layer.detectors,
                    "concepts": layer.concepts,
                    "mean_iou": float(layer.iou.mean()) if len(layer.iou) else None,
                    "changed": len(_changed(before, layer)) if before else None,
                    "network": moment.network,
                    "digest": moment.digest,
                }

    def to_frame(self) -> pandas.DataFrame:
        """A row for each moment and layer, as `rows`; what is not known is missing.

        Units, detectors, distinct concepts, mean IoU with the best concept, units whose label is another than
        at the moment before, name and digest of the network.

        Raises:
            ParameterError: pandas is not installed.
        """
        return frames.frame_of(COLUMNS, self.rows())

    def changes(self) -> pandas.DataFrame:
        """A row for each unit whose label is another than at the moment before: both labels, both IoUs.

        Raises:
            ParameterError: pandas is not installed.
        """
        rows = [
            {"moment": after.number, "layer": there.name, "unit": unit}
            | {"before": here.labels[unit], "after": there.labels[unit]}
            | {"iou_before": float(here.iou[unit]), "iou_after": float(there.iou[unit])}
            for before, after in zip(self.moments, self.moments[1:], strict=False)
            for here, there in zip(before.layers, after.layers, strict=True)
            for unit in _changed(here, there)
        ]
        return frames.frame_of(CHANGES, rows)

    def plot(self, number: str = "detectors") -> plotly.graph_objects.Figure:
        """A number over the training, a line for each layer.

        Args:
            number: "detectors", distinct "concepts", "mean_iou" or "changed" (units with another label).

        Raises:
            ParameterError: another number, nothing recorded, or Plotly is not installed.
        """
        if number not in NUMBERS:
            raise ParameterError(unknown("number of a training", number, NUMBERS))
        if not self.moments:
            raise ParameterError("Nothing was recorded yet, expected step() or record() before.")
        rows = list(self.rows())
        lines = {
            layer.name: {row["moment"]: row[number] for row in rows if row["layer"] == layer.name}
            for layer in self.moments[0].layers
        }
        return drawn(training_lines(lines, number, f"{type(self.model).__name__} on {self.data.name}"))

    def __enter__(self) -> Self:
        self.record()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.moments[-1].number != self.steps:
            self.record()

    def __repr__(self) -> str:
        return f"Watch of {type(self.model).__name__}: {len(self.moments)} moments in {self.steps} steps"

    def on_fit_start(self, trainer: Any = None, module: Any = None) -> None:
        """Lightning: the moment before the training."""
        if _leads(trainer) and not self.moments:
            self.record()

    def on_train_epoch_end(self, trainer: Any = None, module: Any = None) -> None:
        """Lightning: an epoch has ended."""
        if _leads(trainer):
            self.step()

    def on_fit_end(self, trainer: Any = None, module: Any = None) -> None:
        """Lightning: the last moment."""
        if _leads(trainer) and self.moments and self.moments[-1].number != self.steps:
            self.record()


@takes(ProfileRequest)
def watch(
    model: nn.Module | NetworkParts,
    data: Dataset | str | os.PathLike[str],
    every: int = 1,
    *,
    wrap: Mapping[str, Any] | None = None,
    cache: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Watch:
    """Record what a network's units detect while it is trained; the training notices nothing of it.

    In plain Python, call `step()` after each epoch, or use it in `with`. With Lightning, import Lightning
    first and give it to the Trainer among `callbacks`; it records before the first epoch, after every
    `every`-th and at the end, in the first process alone. Each moment's weights are copied and profiled under
    their own digest, so that `wrap` or a file of the same weights finds the results again. Mode, gradients,
    hooks, buffers and the streams of random numbers are left as they were.

    Args:
        model: the live module that is trained.
        data: a `Dataset` of `dataset` or `open_dataset`, a name or a folder; annotated.
        every: epochs from one record to the next.
    {options}
        wrap: what `wrap` takes beside the module: size (pixels), class_names, mean, std, name.
        cache: folder of results; by default INTERPRET_CACHE.

    Returns:
        The record: `moments`, `to_frame()` layer by layer, `changes()` of labels, `plot()`.

    Raises:
        DatasetError: the data set is none.
        ParameterError: an option that has no meaning, or fewer than one epoch.

    Source: Bau et al. 2017, section 3.5, for units over training iterations.

    Example:
        >>> import interpret_core as ic
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
        >>> seen = ic.watch(model, "demo", every=5, wrap={"size": 64}, permutations=0)
        >>> seen.step() is None, seen
        (True, Watch of Sequential: 0 moments in 1 steps)
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ParameterError(f"every is {every!r}, expected a whole number of epochs, 1 or more.")
    opened = data if isinstance(data, Dataset) else datasets.open_dataset(os.fspath(data))
    request_of(ProfileRequest, {"network": "live/watched", "dataset": opened.name}, options)
    asked = {**options, "wrap": dict(wrap or {}), "how": {"cache": cache}}
    return _class()(model, opened, every, asked)


def _class() -> type[Watch]:
    """`Watch`, as a callback of whichever Lightning has been imported already; none is imported here."""
    bases = tuple(
        callback
        for name in _BASES
        if isinstance(callback := getattr(sys.modules.get(name), "Callback", None), type)
    )
    return type(Watch.__name__, (Watch, *bases), {}) if bases else Watch


def _leads(trainer: Any) -> bool:
    """Whether this process is the first of those that train, and the training is no rehearsal."""
    return bool(getattr(trainer, "is_global_zero", True)) and not getattr(trainer, "sanity_checking", False)


def _changed(before: WatchedLayer, after: WatchedLayer) -> list[int]:
    pairs = zip(before.labels, after.labels, strict=True)
    return [unit for unit, (one, other) in enumerate(pairs) if one != other]
