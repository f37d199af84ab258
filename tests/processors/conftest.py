"""The same work under other instruction sets, each in a process of its own: other machines, on this one.

What a library can be told to leave out is switched off: torch's own kernels (ATEN_CPU_CAPABILITY) and those
of oneDNN and MKL behind them, numpy's (NPY_DISABLE_CPU_FEATURES, after asking numpy what can be), OpenBLAS's
and numba's. What a machine does not have itself cannot be tried; a set equal to its own is left out.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from numpy._core import _multiarray_umath as numpy_core  # numpy tells its kernels nowhere else

from interpret_core import demo
from interpret_core.store.store import Store
from tests.planted_dataset import make_planted
from tests.processors.work import FEW, PLANTED

ROOT = Path(__file__).resolve().parents[2]
EVERY = 12  # of the demo's scenes, one is in the small data set: four of each class
OLD = {  # an x86-64 processor of 2009, as far as the libraries can be told
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NUMBA_CPU_NAME": "generic",
}
MIDDLE = {  # with AVX2, without AVX-512: AMD up to its third EPYC, Intel's desktops
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NUMBA_CPU_NAME": "haswell",
}
MIDDLE_FEATURES = ("AVX", "F16C", "FMA3", "AVX2", "X86_V3")  # numpy's names, of what MIDDLE has


def numpy_switches(kept: tuple[str, ...]) -> dict[str, str]:
    """What turns numpy's own kernels off, but for those that need nothing beyond `kept`."""
    features, dispatched = numpy_core.__cpu_features__, numpy_core.__cpu_dispatch__
    there = [name for name in dispatched if features.get(name) and name not in kept]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(there)} if there else {}


def processors() -> dict[str, dict[str, str]]:
    """Environments of other processors, by name; of those that this one can take the part of."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return {}
    found = {"old": OLD | numpy_switches(())}
    if numpy_core.__cpu_features__.get("AVX512F"):
        found["middle"] = MIDDLE | numpy_switches(MIDDLE_FEATURES)
    return found


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the planted data set and a tenth of the demo's."""
    folder = tmp_path_factory.mktemp("processors")
    make_planted(folder / PLANTED, images=24, size=64, annotation=32)
    few = folder / FEW
    few.mkdir()
    (few / "images").symlink_to(demo.DATASET / "images")
    for name in ("category.csv", "label.csv"):
        shutil.copy(demo.DATASET / name, few / name)
    for name in ("index.csv", "classes.csv"):
        with (demo.DATASET / name).open(newline="") as file:
            head, *rows = csv.reader(file)
        with (few / name).open("w", newline="") as file:
            csv.writer(file).writerows([head, *rows[::EVERY]])
    return folder


@pytest.fixture(scope="session")
def caches(material: Path, slowly: bool) -> dict[str, Path]:
    """The filled cache of this processor, as "own", and of every other."""
    surveys = [str(material / PLANTED)]  # that of the few scenes is part of their profile
    if slowly:
        surveys.append(str(demo.DATASET))
    if slowly and os.environ.get("INTERPRET_REAL_DATA"):
        surveys.append(str(Path(os.environ["INTERPRET_REAL_DATA"]) / "coco_broden"))
    environments = {"own": dict[str, str](), **processors()}

    def fill(name: str) -> Path:
        cache = material / f"cache-{name}"
        done = subprocess.run(
            [sys.executable, "-m", "tests.processors.work", material, cache, json.dumps(surveys)],
            cwd=ROOT,
            env={**os.environ, **environments[name], "INTERPRET_OFFLINE": "1", "INTERPRET_CONFIG": ""},
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return cache

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(environments, pool.map(fill, environments), strict=True))


@pytest.fixture(scope="session")
def own(caches: dict[str, Path]) -> Iterator[Store]:
    """What this processor computed."""
    with Store(caches["own"], shipped=()) as store:
        yield store


@pytest.fixture(scope="session", params=["old", "middle"])
def other(request: pytest.FixtureRequest, caches: dict[str, Path]) -> Iterator[Store]:
    """What another one computed."""
    if request.param not in caches:
        pytest.skip(f"this processor cannot take the part of the {request.param} one")
    with Store(caches[request.param], shipped=()) as store:
        yield store
