"""What another processor is asked to compute: `python -m tests.processors.work FOLDER`, into FOLDER/<name>.

The folder holds the data sets; the cache of its own that it fills is what the tests compare.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numba
import torch
from numpy._core import _multiarray_umath as numpy_core  # numpy tells its kernels nowhere else

from interpret_core import datasets
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.datasets import DEFAULT_CATEGORIES
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.survey import surveyed
from interpret_core.store.store import Store

PLANTED, FEW = "planted", "few"  # folders of data sets
COLOURS, ALEXNET = "tests.analyses.networks:colours", "demo/alexnet"
PROCESSOR = "processor"  # under which a cache says what computed it


def processor() -> dict[str, object]:
    """What the libraries make use of."""
    return {
        "torch": torch.backends.cpu.get_cpu_capability(),
        "numpy": [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__.get(name)],
        "numba": numba.config.CPU_NAME or "own",
    }


def work(folder: Path, cache: Path, surveys: list[str]) -> None:
    """Surveys of some data sets, profiles, relevance and evaluation, into a cache."""
    cpu, reporter = Execution(device="cpu"), Reporter()
    with Store(cache, shipped=()) as store:
        store.put_json(PROCESSOR, processor())
        for place in surveys:
            surveyed(datasets.open_dataset(place), store, reporter, DEFAULT_CATEGORIES)
        planted, few = str(folder / PLANTED), str(folder / FEW)
        run_profile(
            ProfileRequest(COLOURS, planted, min_images=1, permutations=20, quantile=0.02), store, cpu
        )
        run_profile(
            ProfileRequest(ALEXNET, few, ("conv1", "conv4"), min_images=3, permutations=20), store, cpu
        )
        run_relevance(RelevanceRequest(ALEXNET, few, ("bus",), split="all", images=2), store, cpu)
        run_evaluation(EvaluationRequest(ALEXNET, few, "all"), store, cpu)


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
