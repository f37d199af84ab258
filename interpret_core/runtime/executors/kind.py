"""What decides the last bit of a convolution, beside what is computed: pieces of one run must agree in it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict, dataclass, fields

import torch

from interpret_core.store.records import canonical_json


def compute_with(threads: int) -> None:
    """Compute with so many threads in this process from now on, as a process of a kind has to."""
    import numba

    _start_numba()
    numba.set_num_threads(min(threads, numba.get_num_threads()))
    torch.set_num_threads(threads)


def _start_numba() -> None:
    """Both use the same OpenMP, and numba, when it starts its threads, sets torch's to the number of cores.

    Whatever was computed before and after would be of two kinds.
    """
    import numba

    before = torch.get_num_threads()
    numba.set_num_threads(numba.get_num_threads())
    torch.set_num_threads(before)


@dataclass(frozen=True)
class ProcessorKind:
    """A kind of process.

    Attributes:
        build: of torch, with its version.
        machine: its processor's architecture.
        capability: the instructions that torch makes use of.
        threads: torch's.
        device: "cpu", or what stands in its place: the accelerator's name.
    """

    build: str
    machine: str
    capability: str
    threads: int
    device: str

    @classmethod
    def here(cls, device: torch.device, threads: int | None = None) -> ProcessorKind:
        """This process's.

        Args:
            device: where it computes.
            threads: that it is going to use; those of now by default, which from here on are kept.
        """
        _start_numba()
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return cls(
            torch.__version__,
            platform.machine(),
            torch.backends.cpu.get_cpu_capability(),
            threads or torch.get_num_threads(),
            name,
        )

    @property
    def name(self) -> str:
        """Short, for keys."""
        return hashlib.sha256(canonical_json(asdict(self)).encode()).hexdigest()[:12]

    def differences(self, other: ProcessorKind) -> str:
        """In words, what tells another kind from this one; empty for the same."""
        pairs = (
            (one.name, getattr(self, one.name), getattr(other, one.name)) for one in fields(ProcessorKind)
        )
        return "; ".join(
            f"{name} {theirs} in place of {ours}" for name, ours, theirs in pairs if ours != theirs
        )
