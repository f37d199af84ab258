"""The process's streams of random numbers (torch's, NumPy's, Python's): what runs in a load draws from them,
and leaves them as they were.

A factory is called with a seed, and a network that is tried may draw: whoever draws afterwards must notice
neither.
"""

from __future__ import annotations

import random
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

State = tuple[Any, ...]

# Seeds that CUDA's streams will begin with once there are any.
_CUDA_TO_BE: Any = getattr(torch.cuda, "_lazy_seed_tracker", types.SimpleNamespace())
_SEEDING = threading.RLock()  # a factory may load or build another network


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """All streams begin with this seed inside, and go on as before behind it; one thread at a time.

    New tensors are float32 meanwhile, whatever the process has chosen as its default: what a seed draws is
    the same in every process.
    """
    with _SEEDING, _restored():
        kind = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        begin(seed)
        try:
            yield
        finally:
            torch.set_default_dtype(kind)


def begin(seed: int) -> None:
    """Seed all streams."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


@contextmanager
def kept() -> Iterator[None]:
    """All streams go on as before behind it, whatever is drawn inside."""
    _KEPT.enter()
    try:
        yield
    finally:
        _KEPT.leave()


def state() -> State:
    """Where all streams stand; two states compare by `moved`."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else dict(vars(_CUDA_TO_BE))
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    return torch.get_rng_state(), cuda, mps, random.getstate(), np.random.get_state()


def moved(before: State, after: State) -> bool:
    """Whether anybody has drawn between two states."""
    return not all(_equal(one, other) for one, other in zip(before, after, strict=True))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict):
        return True  # CUDA has not begun
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(one == other)


@contextmanager
def _restored() -> Iterator[None]:
    before = state()
    try:
        yield
    finally:
        _restore(before)


def _restore(before: State) -> None:
    cpu, cuda, mps, python, arrays = before
    torch.set_rng_state(cpu)
    if not isinstance(cuda, dict):
        torch.cuda.set_rng_state_all(cuda)
    elif torch.cuda.is_initialized():  # since then: with the seed that it would have begun with
        torch.cuda.manual_seed_all(torch.initial_seed())
    else:
        vars(_CUDA_TO_BE).update(cuda)
    if mps is not None:
        torch.mps.set_rng_state(mps)
    random.setstate(python)
    np.random.set_state(arrays)


class _KeptStreams:
    """Of runs in several threads at a time, the first notes the streams and the last brings them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._restore: Callable[[], None] = lambda: None

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                before = state()
                self._restore = lambda: _restore(before)

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()


_KEPT = _KeptStreams()
