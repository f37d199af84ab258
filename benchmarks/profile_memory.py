"""Peak memory of a profile, in processes of its own: some images listed once, and the same ten times.

The data set is a folder made for it: the original's tables with another list of images, and a link to its
pictures. A small profile comes first, so that libraries are loaded and kernels compiled; then Linux's
high-water mark is set back (/proc/self/clear_refs), so that loading the weights does not hide what follows.
Elsewhere the mark of the whole process counts.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.listings import listed
from interpret_core.errors import UnitscopeError

BATCH = 4  # small, so that 32 images are a whole shard already, as most shards of a long list are
RUNS = 3  # of each; a single peak varies by some megabytes with the timing of threads
SMALL = 8
ROOT = Path(__file__).resolve().parents[1]


class MeasurementError(UnitscopeError):
    """A measuring process failed."""


@dataclass(frozen=True)
class Peak:
    """Megabytes (10⁶ bytes) in memory: `held` when the network was loaded, `peak` at most afterwards."""

    held: float
    peak: float


def peaks(root: Path, images: int, network: str, layer: str) -> tuple[list[Peak], list[Peak]]:
    """Memory of several runs each for the first `images` of a data set listed once, and listed ten times.

    Args:
        root: the data set's folder.
        images: best a multiple of 32, a whole shard; fewer never reach the steady state of a long list.
        network: what is profiled.
        layer: what is profiled.
    """
    with tempfile.TemporaryDirectory() as folder:
        sets = {times: Path(folder) / f"times{times}" for times in (1, 10)}
        listed(root, Path(folder) / "small", SMALL, 1)
        for times, made in sets.items():
            listed(root, made, images, times)
        found: dict[int, list[Peak]] = {times: [] for times in sets}
        for _ in range(RUNS):
            for times, made in sets.items():
                found[times].append(_peak(Path(folder) / "small", made, network, layer))
    return found[1], found[10]


def _peak(small: Path, large: Path, network: str, layer: str) -> Peak:
    return peak_of("benchmarks.profile_memory", str(small), str(large), network, layer)


def peak_of(module: str, *arguments: str) -> Peak:
    """What a module says that it needed, run in a process of its own.

    Raises:
        MeasurementError: it failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MeasurementError(f"Measuring the memory failed: {reason}")
    held, peak = done.stdout.split()[-2:]
    return Peak(float(held), float(peak))


def _measured(small: str, large: str, network: str, layer: str) -> Peak:
    """Memory of the larger profile, in this process."""
    from interpret_core.analyses.profile.compute import run_profile
    from interpret_core.analyses.profile.request import ProfileRequest
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    def run(dataset: str, folder: str, execution: Execution) -> None:
        request = ProfileRequest(network, dataset, (layer,), batch_size=BATCH, permutations=0, min_images=1)
        with Store(folder) as store:
            run_profile(request, store, execution)

    held: list[float] = []

    def tell(stage: str, done: int, total: int) -> None:
        if total and not held:  # the network is loaded
            forget_peak()
            held.append(high_water())

    with tempfile.TemporaryDirectory() as folder:
        run(small, f"{folder}/small", Execution(device="cpu"))
        gc.collect()  # or the first network would be there still
        run(large, f"{folder}/large", Execution(device="cpu", tell=tell))
    return Peak(held[0], high_water())


def forget_peak() -> None:
    """Give free memory back to the system and set the high-water mark to what is left, where one can."""
    gc.collect()
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)
        Path("/proc/self/clear_refs").write_text("5")


def high_water() -> float:
    """Megabytes (10⁶ bytes) this process had in memory at most, since the mark was set back."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


if __name__ == "__main__":
    found = _measured(*sys.argv[1:5])
    print(found.held, found.peak)
