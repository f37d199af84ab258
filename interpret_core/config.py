"""Where things are on this machine: one frozen record, read from the environment and a TOML file.

Environment:
    INTERPRET_CACHE: folder of the result store, default `cache/` in the working folder.
    INTERPRET_CONFIG: a TOML file, default `unitscope.toml` in the working folder (which may be absent).
    INTERPRET_DATASETS: data-set folders separated by `os.pathsep`; each is known by its folder's name.
    INTERPRET_OFFLINE: 1 = never try a download.
    INTERPRET_UPLOADS: folder of networks and data sets that were added on a page (`uploads`), default
        `uploads/` in the working folder; 0 = none, and none can be added.
    INTERPRET_CACHE_SIZE: bytes that the result store may take, such as 50G; default 1 TB. Beyond it what is
        computed again in seconds makes room, and then a result is refused.
    INTERPRET_MEMORY: bytes that models and what is kept in memory may take in a process, such as 4G; default
        a quarter of the machine's memory or of the container's.
    INTERPRET_DEMO: 0 = hide the demo's networks and data set (read by `interpret_core.demo`).

The TOML file has three tables, all optional; folders, and weights after `@`, are relative to the file:
    [datasets]
    kitchen = "data/kitchen"
    [networks]                             a name, or a table: see `network_tables`
    mine = "package.module:factory@weights.safetensors"
    baseline = "torchvision/alexnet@random"
    [classes]                              which outputs of a network are a class of a data set
    dog = ["beagle", 207, "151-160"]       by name, by number, by range
    kite = []                              no class
    [classes."torchvision/alexnet"]        the same for one network alone, before the entries for all
    cat = ["tabby", "tiger cat"]
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from interpret_core import machine, sizes
from interpret_core.errors import UserError
from interpret_core.network_tables import NetworkTable, network_table
from interpret_core.uploads.datasets import AddedDatasets
from interpret_core.uploads.networks import AddedNetworks
from interpret_core.uploads.places import VARIABLE as UPLOADS

DEFAULT_CACHE = "cache"
DEFAULT_CONFIG = "unitscope.toml"
DEFAULT_UPLOADS = "uploads"
CACHE_SIZE, LEAST_CACHE, MOST_CACHE = (
    "INTERPRET_CACHE_SIZE",
    1 << 20,
    1 << 40,
)  # the most where nothing is said
MEMORY, LEAST_MEMORY = "INTERPRET_MEMORY", 1 << 26
_VARIABLES = (
    *("INTERPRET_CONFIG", "INTERPRET_CACHE", "INTERPRET_DATASETS", "INTERPRET_OFFLINE", UPLOADS),
    *(CACHE_SIZE, MEMORY),
)
TABLES = ("datasets", "networks", "classes")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})

Entries = tuple[str | int, ...]


@dataclass(frozen=True)
class Config:
    """Folders, registered names and whether the network may be used.

    Attributes:
        cache: absolute folder of the result store; it need not exist yet.
        networks: name -> what it stands for, and what is stated of it; of the file first, then added ones.
        datasets: name -> absolute folder in a layout that is read; it need not exist. Added ones come last.
        origins: name -> address, of data sets that lie elsewhere; their folder is that of the copy.
        offline: never try a download.
        classes: network, or "" for all of them -> class -> names, numbers and ranges of outputs.
        uploads: absolute folder of what was added on a page; None where there is to be nothing.
    """

    cache: Path
    networks: Mapping[str, NetworkTable] = field(default_factory=dict)
    datasets: Mapping[str, Path] = field(default_factory=dict)
    offline: bool = False
    classes: Mapping[str, Mapping[str, Entries]] = field(default_factory=dict)
    uploads: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A frozen dataclass freezes its fields, not what they hold: the mappings become read-only copies.
        object.__setattr__(self, "networks", MappingProxyType(dict(self.networks)))
        object.__setattr__(self, "datasets", MappingProxyType(dict(self.datasets)))
        object.__setattr__(self, "origins", MappingProxyType(dict(self.origins)))
        tables = {network: MappingProxyType(dict(table)) for network, table in self.classes.items()}
        object.__setattr__(self, "classes", MappingProxyType(tables))

    def __reduce__(self) -> tuple[object, ...]:
        # Read-only mappings do not pickle, and a configuration travels to worker processes.
        classes = {network: dict(table) for network, table in self.classes.items()}
        named = dict(self.networks), dict(self.datasets)
        return Config, (self.cache, *named, self.offline, classes, self.uploads, dict(self.origins))

    def classes_for(self, network: str) -> dict[str, Entries]:
        """What the user says of a network's outputs: class -> names, numbers and ranges; () removes it."""
        return {**self.classes.get("", {}), **self.classes.get(network, {})}


def is_url(text: str) -> bool:
    """Whether a data set is asked for by an address: it begins with a protocol."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def copy_of(url: str, cache: Path | None = None) -> Path:
    """Where the copy of a data set that lies elsewhere, or in memory, is kept: below the cache folder.

    Args:
        url: its address, or what else tells it from others.
        cache: the cache folder; by default that of `current()`.
    """
    named = hashlib.sha256(url.encode()).hexdigest()[:16]
    return (current().cache if cache is None else cache) / "copies" / named


def cache_size(environ: Mapping[str, str] | None = None) -> int:
    """Bytes that the result store may take.

    Raises:
        UserError: INTERPRET_CACHE_SIZE is no size.
    """
    said = (os.environ if environ is None else environ).get(CACHE_SIZE, "").strip()
    return sizes.parsed(CACHE_SIZE, said, LEAST_CACHE) if said else MOST_CACHE


def memory_size(environ: Mapping[str, str] | None = None) -> int:
    """Bytes that models and what is kept in memory may take in this process.

    Raises:
        UserError: INTERPRET_MEMORY is no size.
    """
    said = (os.environ if environ is None else environ).get(MEMORY, "").strip()
    return sizes.parsed(MEMORY, said, LEAST_MEMORY) if said else max(LEAST_MEMORY, machine.memory() // 4)


def current(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration as the environment and the file state it now; read anew where either has changed.

    Args:
        environ: variables to read, default `os.environ`.

    Returns:
        A Config; where a name is given twice, the TOML file wins over INTERPRET_DATASETS, and both over what
        was added on a page.

    Raises:
        UserError: INTERPRET_CONFIG names no file, the TOML is malformed, or a value has the wrong type.
    """
    variables = os.environ if environ is None else environ
    path = Path(variables.get("INTERPRET_CONFIG") or DEFAULT_CONFIG).expanduser()
    stamp: tuple[int, ...] = ()
    try:
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    except OSError:
        pass
    said = tuple(variables.get(name, "") for name in (*_VARIABLES, "HOME"))
    folder = _uploads(variables.get(UPLOADS, ""))
    added = _Added()
    if folder:
        sets = AddedDatasets(folder).tables().items()
        added = _Added(
            tuple(AddedNetworks(folder).tables().items()), tuple((name, one.folder) for name, one in sets)
        )
    return _stated(said, stamp, added, str(Path.cwd()))


class _Added(NamedTuple):
    """What was added on a page, by name."""

    networks: tuple[tuple[str, NetworkTable], ...] = ()
    datasets: tuple[tuple[str, Path], ...] = ()


@lru_cache(maxsize=16)
def _stated(said: tuple[str, ...], _stamp: tuple[int, ...], added: _Added, _here: str) -> Config:
    """The configuration; file and folder count for what is remembered alone."""
    named, cache, folders, offline, uploads, cache_limit, memory_limit = said[: len(_VARIABLES)]
    for stated in (cache_size, memory_size):
        stated({CACHE_SIZE: cache_limit, MEMORY: memory_limit})  # whoever uses them reads them there
    tables, networks, classes = _read_toml(named)
    home = Path(cache or DEFAULT_CACHE).expanduser().absolute()
    origins = {name: place for name, place in tables.items() if is_url(place)}
    here = tables | {name: str(copy_of(url, home) / "files") for name, url in origins.items()}
    own = listed_folders(folders) | {name: Path(folder) for name, folder in here.items()}
    return Config(
        cache=home,
        networks=networks | {name: one for name, one in added.networks if name not in networks},
        datasets=own | {name: one for name, one in added.datasets if name not in own},
        offline=_flag("INTERPRET_OFFLINE", offline),
        classes=classes,
        uploads=_uploads(uploads),
        origins=origins,
    )


def _uploads(value: str) -> Path | None:
    """The folder; a word for no, but not nothing, means none."""
    if value.strip().lower() in _FALSE - {""}:
        return None
    return Path(value.strip() or DEFAULT_UPLOADS).expanduser().absolute()


def listed_folders(value: str) -> dict[str, Path]:
    """The folders of INTERPRET_DATASETS, absolute, by their names."""
    folders = [Path(part).expanduser().absolute() for part in value.split(os.pathsep) if part.strip()]
    named: dict[str, Path] = {}
    for folder in folders:
        name = folder.name.encode("utf-8", "backslashreplace").decode()  # it stands on pages and in addresses
        if named.setdefault(name, folder) != folder:
            raise UserError(
                f"INTERPRET_DATASETS lists {named[name]} and {folder}, "
                f"expected folders of different names: name one of them under [datasets] in {DEFAULT_CONFIG}."
            )
    return named


def _flag(name: str, value: str) -> bool:
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise UserError(f"{name} is {value!r}, expected 1 or 0: set {name}=1, or unset it.")


Tables = tuple[dict[str, str], dict[str, NetworkTable], dict[str, dict[str, Entries]]]


def _read_toml(named: str) -> Tables:
    """The `[datasets]` (folders made absolute), the `[networks]` and the `[classes]`."""
    path = Path(named or DEFAULT_CONFIG).expanduser().absolute()
    if not path.is_file():
        if named:
            raise UserError(f"INTERPRET_CONFIG names {path}, which is not a file: create it, or unset it.")
        return {}, {}, {}
    content = _parsed(path)
    unknown = sorted(set(content) - set(TABLES))
    if unknown:
        raise UserError(
            f"{path} has {unknown[0]!r}, expected only [datasets], [networks] and [classes]: remove it."
        )
    folders = _strings(path, "datasets", content.get("datasets", {}))
    networks = _table(path, "networks", content.get("networks", {}))
    return (
        {name: _beside(path, folder) for name, folder in folders.items()},
        {name: network_table(path, name, entry) for name, entry in networks.items()},
        _classes(path, content.get("classes", {})),
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} is not valid TOML: {error}. Correct that line, or remove the file."
        ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error


def _beside(path: Path, relative: str) -> str:
    """`relative` as an absolute path, read from the folder of the file `path`; an address as it is."""
    if is_url(relative):
        return relative
    return os.path.normpath(path.parent / Path(relative).expanduser())


def _table(path: Path, table: str, entries: Any) -> dict[str, Any]:
    if not isinstance(entries, dict):
        raise UserError(
            f'{path}: {table} is {entries!r}, expected a table: write [{table}] with name = "value" lines.'
        )
    return entries


def _strings(path: Path, table: str, entries: Any) -> dict[str, str]:
    entries = _table(path, table, entries)
    for name, value in entries.items():
        if not isinstance(value, str) or not value.strip():
            raise UserError(
                f'{path}: [{table}] {name} is {value!r}, expected a non-empty text: write {name} = "value".'
            )
    return dict(entries)


def _classes(path: Path, entries: Any) -> dict[str, dict[str, Entries]]:
    """The `[classes]` table by network, "" for all; the outputs are checked where they are used."""
    if not isinstance(entries, dict):
        raise UserError(
            f"{path}: classes is {entries!r}, expected a table: write [classes] with lines like "
            'dog = ["beagle", 207].'
        )
    found: dict[str, dict[str, Entries]] = {"": {}}
    for name, value in entries.items():
        if isinstance(value, dict):
            found[name] = {one: _outputs(path, one, listed) for one, listed in value.items()}
        else:
            found[""][name] = _outputs(path, name, value)
    return found


def _outputs(path: Path, name: str, value: Any) -> Entries:
    good = isinstance(value, list) and all(
        isinstance(one, (str, int)) and not isinstance(one, bool) for one in value
    )
    if not good:
        raise UserError(
            f"{path}: [classes] {name} is {value!r}, expected a list of output names, numbers and ranges: "
            f'write {name} = ["beagle", 207, "151-160"], or {name} = [] for none.'
        )
    return tuple(value)
