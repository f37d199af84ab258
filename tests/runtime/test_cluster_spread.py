"""Relevance, ablations, effects and evaluation on a real Dask cluster: the bytes of one process."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("distributed")

from interpret_core.runtime.executors.cluster import Cluster
from tests.analyses.ablated import write_noise
from tests.one_thread import one_thread  # noqa: F401
from tests.runtime.dask_cluster import Machines
from tests.runtime.spread import SPLITS, requests, spread
from tests.runtime.test_cluster import machines  # noqa: F401
from tests.slow import slow


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "stage"),
    [
        (("grid",), "controls"),
        slow(("effects", "evaluation"), "silencing units one by one"),
        slow(("relevance", "ablate"), "ball"),
    ],
)
def test_one_is_lost_and_one_comes_late(
    tmp_path: Path,
    machines: Machines,  # noqa: F811
    names: tuple[str, ...],
    stage: str,
) -> None:
    root = write_noise(tmp_path / "data", SPLITS)
    asked = [requests(root)[name] for name in names]
    alone = spread(asked, tmp_path / "alone")
    first = machines.worker("first")
    machines.worker("second")
    late: list[str] = []

    def tell(now: str, *_: int) -> None:
        if now == stage and not late:
            late.append("late")
            first.kill()
            machines.worker("late")

    with Cluster(machines.address) as cluster:
        machines.await_workers(cluster, 2)
        assert spread(asked, tmp_path / "cluster", cluster, tell) == alone
    assert not first.is_running() or first.status() == "zombie"
