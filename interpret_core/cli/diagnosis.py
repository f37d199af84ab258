"""What somebody who helps needs to know of an installation: versions, machine, cache, and whether they work.

Names of networks, data sets and files, and folders of people, are not in it.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from interpret_core import __version__, config, installation, machine, sizes
from interpret_core.errors import UnitscopeError
from interpret_core.privacy import Discretion, without_paths

PACKAGES = (
    *("torch", "torchvision", "numpy", "numba", "scipy", "scikit-image", "pillow", "diskcache"),
    *("safetensors", "filelock", "distributed", "streamlit", "starlette", "plotly", "timm"),
    "efficientnet-lite-pytorch",
)
PREFIX = "INTERPRET_"


@dataclass(frozen=True)
class Probe:
    """Something that has to work.

    Attributes:
        name: of it, in a few words.
        works: whether it does.
        found: what was found, or why it does not.
    """

    name: str
    works: bool
    found: str


@dataclass(frozen=True)
class Diagnosis:
    """An installation.

    Attributes:
        facts: name -> value, for a report.
        packages: name -> version, "not installed" where it is not.
        variables: of Unitscope's own those that are set; never their values.
        probes: what was tried.
    """

    facts: dict[str, str]
    packages: dict[str, str]
    variables: list[str]
    probes: list[Probe] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything that was tried works."""
        return all(one.works for one in self.probes)

    def to_json(self) -> dict[str, Any]:
        """Texts and lists."""
        return asdict(self)


def diagnose() -> Diagnosis:
    """Look at this installation, and try what it rests on; takes seconds, and reads no picture."""
    return Diagnosis(
        {
            "unitscope": __version__,
            "python": f"{platform.python_version()} ({platform.python_implementation()})",
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "cores": str(machine.cores()),
            "memory": sizes.written(machine.memory()),
            "installed as": "a package" if installation.INSTALLED else "a checkout",
        },
        {name: _version(name) for name in PACKAGES},
        sorted(name for name in os.environ if name.startswith(PREFIX)),
        [_tried(name, probe) for name, probe in _PROBES.items()],
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _tried(name: str, probe: Callable[[], str]) -> Probe:
    try:
        return Probe(name, True, probe())
    except UnitscopeError as error:
        return Probe(name, False, _without_folders(str(error)))
    except Exception as error:  # whatever is broken is what somebody wants to read
        told = str(error).splitlines()[0] if str(error) else ""
        return Probe(name, False, _without_folders(f"{type(error).__name__}: {told}"))


def _without_folders(text: str) -> str:
    """Without the names of folders that tell who somebody is; the configuration may be what is broken."""
    known = {str(Path.cwd()): ".", str(Path.home()): "~"}
    for name in (one for one in os.environ if one.startswith(PREFIX)):
        values = (one for one in os.environ[name].split(os.pathsep) if Path(one).is_absolute())
        known |= {str(Path(one)): f"${name}" for one in values}
    places = {place: word for place, word in known.items() if len(Path(place).parts) > 1}
    return without_paths(Discretion(places=places).text(text))


def _torch() -> str:
    import torch

    picture = torch.ones(1, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    torch.nn.functional.conv2d(picture, torch.ones(8, 3, 3, 3))
    cards = [torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())]
    threads = f"{torch.get_num_threads()} threads"
    return f"{torch.backends.cpu.get_cpu_capability()}, {threads}; {', '.join(cards) or 'no card'}"


def _torchvision() -> str:
    from interpret_core.networks import torchvision_ops

    own = torchvision_ops.classifiers()
    return f"{len(own.list_models(module=own))} classification models"


def _numba() -> str:
    import numba

    compiled = numba.njit()(_twice)
    if compiled(21) != 42:
        raise RuntimeError(f"twice 21 is {compiled(21)}, expected 42")
    return f"compiles for {numba.get_num_threads()} threads"


def _twice(number: int) -> int:
    return 2 * number


def _configuration() -> str:
    now = config.current()
    return (
        f"{len(now.networks)} networks and {len(now.datasets)} data sets named here; "
        f"{'offline' if now.offline else 'downloads allowed'}"
    )


def _cache() -> str:
    from interpret_core.store.store import Store

    folder = config.current().cache
    if not folder.is_dir():
        return f"not made yet; {sizes.written(shutil.disk_usage(_made(folder)).free)} free on its disk"
    with Store(folder) as store:
        entries, size = len(store.keys()), store.size()
    free = sizes.written(shutil.disk_usage(folder).free)
    writable = "writable" if os.access(folder, os.W_OK) else "read-only"
    limit = sizes.written(config.cache_size())
    return f"{writable}, {entries:,} entries, {sizes.written(size)} of {limit}; {free} free on its disk"


def _made(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def _sqlite() -> str:
    return f"SQLite {sqlite3.sqlite_version}, Python built with {sys.version.split('[')[-1].rstrip(']')}"


def _demo() -> str:
    from interpret_core import demo

    if not demo.shown():
        there = demo.DATASET.is_dir()
        return "hidden" if there else "not installed (pip install unitscope-demo)"
    files = {name: demo.WEIGHTS / f"{name}.safetensors" for name in demo.NETWORKS}
    missing = [name for name, file in files.items() if not file.is_file()]
    return "here" if not missing else f"without the weights of {', '.join(missing)}"


_PROBES: dict[str, Callable[[], str]] = {
    "torch computes": _torch,
    "torchvision": _torchvision,
    "compiled code": _numba,
    "configuration": _configuration,
    "cache": _cache,
    "database": _sqlite,
    "demo": _demo,
}
