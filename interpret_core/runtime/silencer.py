"""Answers of a network with units silenced, to a batch of the images that are evaluated."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.errors import NonFiniteError
from interpret_core.measures.ablation.answers import Answers, answer
from interpret_core.measures.ablation.selection import Selection
from interpret_core.memory import MemoryHolding, budget
from interpret_core.networks import Prefix, Silence
from interpret_core.runtime.evaluated import LabelledImages

MEMORY = 2**30  # bytes of kept prefixes


class Silencer:
    """Silences units and asks; several threads may use it at the same time.

    What the network computes before the first silenced layer is kept, as far as the memory reaches (its own,
    and the process's budget): moving a slider repeats only what lies behind it.
    """

    def __init__(self, images: LabelledImages, memory: int = MEMORY) -> None:
        """Nothing is computed yet.

        Args:
            images: and the network.
            memory: bytes that kept prefixes may take.
        """
        self.images = images
        self._kept = _KeptPrefixes(memory)

    def evaluate(
        self, rows: NDArray[np.int64], selection: Selection, means: Mapping[str, NDArray[np.float64]]
    ) -> Answers:
        """The answers to a batch of the images.

        Args:
            rows: places among the images.
            selection: units to silence.
            means: by layer, (U,) what they become; 0 for layers that are not there.
        """
        images = self.images
        silenced = {
            name: Silence(units, torch.tensor(means[name], dtype=torch.float32) if name in means else 0.0)
            for name, units in selection.items()
        }
        first = images.network.first_response(selection or images.inner[:1])
        with images.network.ablating(silenced) as run, self._kept.using(first):
            given = run(self._prefix(rows, first)).float().cpu().numpy()
        self._check(given, rows)
        return answer(given, images.labels[rows], images.outputs, images.network.head)

    def unread(self, rows: NDArray[np.int64], selection: Selection) -> bool:
        """Whether the pictures of a batch have to be read before it can be evaluated."""
        first = self.images.network.first_response(selection or self.images.inner[:1])
        return self._kept.get((first, rows.tobytes())) is None

    def _prefix(self, rows: NDArray[np.int64], layer: str) -> Prefix:
        images, key = self.images, (layer, rows.tobytes())
        found = self._kept.get(key)
        if found is None:
            found = images.network.prefix(images.batch(images.images[rows]), layer)
            self._kept.put(key, found)
        return found

    def _check(self, given: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
        images = self.images
        odd = ~np.isfinite(given).all(1)
        if odd.any():
            index = int(images.images[rows[np.flatnonzero(odd)[0]]])
            raise NonFiniteError(
                f"The output of {images.network.name} is NaN or infinite on image "
                f"{images.dataset.records[index].image}; expected finite numbers. Check the weights."
            )


class _KeptPrefixes:
    """Prefixes in memory. Those of a layer that nobody asked for of late make room for others.

    Within one layer none is thrown out for another: all are read in turn, so that the one thrown out would
    be the next one needed. A layer's prefixes go together, too, where the process's budget wants room.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._layers: OrderedDict[str, _LayerPrefixes] = OrderedDict()
        self._lock = threading.Lock()
        weakref.finalize(self, _let_go, self._layers).atexit = False

    def get(self, key: tuple[str, bytes]) -> Prefix | None:
        with self._lock:
            if key[0] not in self._layers:
                return None
            self._layers.move_to_end(key[0])
            own = self._layers[key[0]]
        budget().touch(own.holding)
        return own.prefixes.get(key[1])

    def put(self, key: tuple[str, bytes], prefix: Prefix) -> None:
        with self._lock:
            if prefix.bytes > self._memory:
                return
            own = self._layers.get(key[0]) or self._layer(key[0])
            self._layers.move_to_end(key[0])
            while self._size() + prefix.bytes > self._memory and len(self._layers) > 1:
                budget().release(self._layers.popitem(last=False)[1].holding)
            if self._size() + prefix.bytes > self._memory:
                return
            own.prefixes[key[1]] = prefix
        if not budget().grow(own.holding, {id(prefix): prefix.bytes}):
            own.prefixes.pop(key[1], None)

    @contextmanager
    def using(self, layer: str) -> Iterator[None]:
        """Those of a layer are in use meanwhile."""
        with self._lock:
            own = self._layers.get(layer) or self._layer(layer)
        with budget().using(own.holding):
            yield

    def _layer(self, name: str) -> _LayerPrefixes:
        found = _LayerPrefixes()
        layers, lock = self._layers, self._lock

        def drop() -> None:
            with lock:
                if layers.get(name) is found:
                    del layers[name]
            found.prefixes.clear()

        found.holding = budget().hold("prefixes", {}, drop)
        self._layers[name] = found
        return found

    def _size(self) -> int:
        return sum(prefix.bytes for own in self._layers.values() for prefix in own.prefixes.values())


def _let_go(layers: Mapping[str, _LayerPrefixes]) -> None:
    for own in list(layers.values()):
        budget().release_later(own.holding)


class _LayerPrefixes:
    """Those of one layer, and what the budget knows of them."""

    holding: MemoryHolding

    def __init__(self) -> None:
        self.prefixes: dict[bytes, Prefix] = {}
