"""Peak memory of a relevance run, in processes of its own: some images of a class listed once, and ten times.

The data set is a folder made for it, as for a profile's memory (`profile_memory`): the original's tables with
those images alone, and a link to its pictures. One image's relevance comes first, so that libraries are
loaded; then the high-water mark is set back.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.listings import named
from benchmarks.profile_memory import Peak, forget_peak, high_water, peak_of

TIMES = 10


def peaks(root: Path, names: Sequence[str], network: str, class_name: str) -> tuple[Peak, Peak]:
    """Memory of all layers' relevance for images listed once, and listed ten times.

    Args:
        root: of the data set.
        names: of images of the class, as the data set spells them; best twice as many as are computed
            together or more, since fewer never reach the steady state of a long list.
        network: what is computed.
        class_name: what is computed.
    """
    with tempfile.TemporaryDirectory() as folder:
        small, once, ten = (Path(folder) / name for name in ("small", "once", "ten"))
        named(root, small, names[:1], 1)
        named(root, once, names, 1)
        named(root, ten, names, TIMES)
        first, second = (
            peak_of("benchmarks.relevance_memory", str(small), str(large), network, class_name)
            for large in (once, ten)
        )
    return first, second


def _measured(small: str, large: str, network: str, class_name: str) -> Peak:
    """Memory of the larger run, in this process."""
    from interpret_core.analyses.relevance.compute import run_relevance
    from interpret_core.analyses.relevance.request import RelevanceRequest
    from interpret_core.options import Split
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

    def run(dataset: str, folder: str, execution: Execution) -> None:
        request = RelevanceRequest(network, dataset, (class_name,), split=Split.ALL, images=sys.maxsize)
        with Store(folder) as store:
            run_relevance(request, store, execution)

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


if __name__ == "__main__":
    found = _measured(*sys.argv[1:5])
    print(found.held, found.peak)
