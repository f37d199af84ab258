"""One arithmetic for every number, whatever the process around has chosen for its own.

A notebook may have allowed TF32 or bfloat16 for its matrix products, switched gradients off, or be inside an
autocast; a result's key says "IEEE single precision" all the same, so it is computed in that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

IEEE = "ieee"
PLAIN = (IEEE, "none")  # "none" is the default, which is IEEE where it is not said of a backend as a whole
WITHOUT_DOUBLE = frozenset({"mps"})  # devices that have no float64
_LOCK = threading.Lock()


class _Precision:
    """The process's choice of float32 arithmetic, put aside while anybody computes."""

    def __init__(self) -> None:
        self._users = 0
        self._restore: Callable[[], None] = lambda: None
        self._kind = torch.float32

    def enter(self) -> None:
        with _LOCK:
            self._users += 1
            if self._users == 1:
                self._restore, self._kind = _set_aside(), torch.get_default_dtype()
            # Each time: what is imported inside may have chosen another.
            torch.set_default_dtype(torch.float32)

    def leave(self) -> None:
        with _LOCK:
            self._users -= 1
            if self._users == 0:
                self._restore()
                torch.set_default_dtype(self._kind)


_PRECISION = _Precision()


def _set_aside() -> Callable[[], None]:
    """Choose IEEE arithmetic; what brings the choice before back.

    torch has two interfaces to this, and refuses to answer the older one once the newer was used: what
    somebody chose by the one is brought back by the same.
    """
    backends: Any = torch.backends
    newer: list[Any] = [backends.mkldnn.conv, backends.mkldnn.rnn]
    restore_older: Callable[[], None] = lambda: None  # noqa: E731
    try:
        products, convolutions = torch.get_float32_matmul_precision(), backends.cudnn.allow_tf32
    except RuntimeError:
        newer += [backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn, backends.mkldnn.matmul]
    else:
        torch.set_float32_matmul_precision("highest")
        backends.cudnn.allow_tf32 = False

        def restore_older() -> None:
            torch.set_float32_matmul_precision(products)
            backends.cudnn.allow_tf32 = convolutions

    # The passes of one run must see the same bits: no algorithm that a race picks, or that adds in any order.
    cudnn = backends.cudnn
    algorithms = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    before = [(place, place.fp32_precision) for place in newer if place.fp32_precision not in PLAIN]
    for place, _ in before:
        place.fp32_precision = IEEE

    def restore() -> None:
        restore_older()
        cudnn.benchmark, cudnn.deterministic = algorithms
        for place, value in before:
            place.fp32_precision = value

    return restore


@contextmanager
def plain_arithmetic() -> Iterator[None]:
    """IEEE float32 (no TF32), also of new tensors, no autocast, the same convolution algorithm at every call,
    gradients as the code inside asks; what was set before comes back.

    The precision is the process's: a training that runs in another thread at the same time is slowed down
    while this lasts, and no more.
    """
    _PRECISION.enter()
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            for device in ("cpu", "cuda"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            yield
    finally:
        _PRECISION.leave()


def in_reach(values: torch.Tensor) -> torch.Tensor:
    """Where there is float64: on their own device, or on the CPU where that has none; differentiable."""
    return values.cpu() if values.device.type in WITHOUT_DOUBLE else values


def double(values: torch.Tensor) -> torch.Tensor:
    """In float64: sums and probabilities are taken in it, since float32 loses digits that decide ranks."""
    return in_reach(values).double()
