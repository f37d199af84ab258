"""The Python code behind a network: which files it is in, what they hold, whether they changed since.

A network that cannot be traced is known by its code alone, and a server that imported the code an hour ago
goes on with it whatever the files say now. Files are found by reading the import statements, not by looking
at what this process happens to have imported: every process must find the same.

"Own" code is what lies outside the installed packages, the standard library and Unitscope itself. Installed
packages are known by their versions.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from interpret_core.errors import CodeChangedError
from interpret_core.files import sha256

OURS = "interpret_core"
MAIN = "__main__"

# Append-only: source file -> (the import it belongs to, its SHA-256 then); a reload is another import. The
# module's spec stands for an import, and is held: the address of one that is gone may be that of the next.
_IMPORTED: dict[Path, tuple[ModuleSpec | None, str]] = {}


def sources(modules: Iterable[str]) -> dict[str, Path]:
    """Own source files that modules consist of, themselves and all that they import, by dotted name.

    Args:
        modules: dotted names; those of installed packages, and names that lead nowhere, are passed over.
    """
    found: dict[str, Path] = {}
    pending = list(modules)
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        pending += _parents(name)
        file = _own_file(name)
        if file is not None:
            found[name] = file
            if file.suffix == ".py":
                pending += _imports(file, sha256(file), name, _is_package(name, file))
    return dict(sorted(found.items()))


def digests(modules: Iterable[str]) -> dict[str, str]:
    """SHA-256 (hex) of those files, by dotted name.

    Raises:
        CodeChangedError: this process imported other content than the files hold now.
    """
    files = sources(modules)
    check_unchanged(files)
    return {name: sha256(file) for name, file in files.items()}


def imported(modules: Iterable[str]) -> set[str]:
    """Dotted names that modules' own sources import, installed packages among them."""
    files = sources(modules)
    python = {name: file for name, file in files.items() if file.suffix == ".py"}
    return {
        one
        for name, file in python.items()
        for one in _imports(file, sha256(file), name, _is_package(name, file))
    }


def check_unchanged(files: dict[str, Path]) -> None:
    """Compare imported files with what they held when this process first saw them imported.

    Args:
        files: by dotted name; modules that are not imported yet are passed over.

    Raises:
        CodeChangedError: one of them differs.
    """
    for name, file in files.items():
        module = sys.modules.get(name)
        if module is None:
            continue
        # A reload replaces the module's spec: what it imported then is what counts from there on.
        imported = getattr(module, "__spec__", None)
        digest = sha256(file)
        known = _IMPORTED.get(file)
        if known is None or known[0] is not imported:
            _IMPORTED[file] = (imported, digest)
        elif known[1] != digest:
            raise CodeChangedError(
                f"{file} changed on disk since this process imported it: restart to use the new code (stop "
                "the dashboard and start it again; in a notebook, restart the kernel)."
            )


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Version of each installed distribution that modules come from, and of Python itself for its own."""
    found: dict[str, str] = {}
    for top in sorted({name.partition(".")[0] for name in modules}):
        if top in sys.stdlib_module_names:
            found["python"] = ".".join(map(str, sys.version_info[:2]))
        elif top not in (OURS, MAIN):
            for distribution in _distributions().get(top, ()):
                found[distribution] = metadata.version(distribution)
    return found


@lru_cache(maxsize=1)
def _distributions() -> dict[str, tuple[str, ...]]:
    return {top: tuple(sorted(set(names))) for top, names in metadata.packages_distributions().items()}


def is_own(module: str) -> bool:
    """Whether a module's code lies outside the installed packages, in a file that can be imported or not."""
    top = module.partition(".")[0]
    lost = (
        module not in sys.modules and top not in (OURS, *sys.stdlib_module_names) and _origin(module) is None
    )
    return lost or has_no_file(module) or _own_file(module) is not None


def has_no_file(module: str) -> bool:
    """Whether a module's code is in no file: it was typed into a notebook or a console."""
    found = sys.modules.get(module)
    loose = found is not None and not getattr(found, "__file__", None)
    return loose and (module == MAIN or getattr(found, "__spec__", None) is None)


def _own_file(name: str) -> Path | None:
    """A module's own source (or extension) file; None for what is installed, built in, or not there."""
    if name.partition(".")[0] in (OURS, *sys.stdlib_module_names):
        return None
    origin = _origin(name)
    if origin is None or not origin.is_file() or any(origin.is_relative_to(place) for place in _installed()):
        return None
    return origin


def _origin(name: str) -> Path | None:
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Path(file).resolve() if file else None
    spec = _spec(name)
    return Path(spec.origin).resolve() if spec is not None and spec.has_location and spec.origin else None


def _spec(name: str) -> ModuleSpec | None:
    """Where a module would be imported from; nothing is imported to find out."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)  # also what editable installations say
        for depth, _ in enumerate(rest, 2):
            if spec is None or spec.submodule_search_locations is None:
                return None
            places = list(spec.submodule_search_locations)
            spec = PathFinder.find_spec(".".join(name.split(".")[:depth]), places)
    except (ImportError, ValueError, AttributeError):
        return None
    return spec


@lru_cache(maxsize=1)
def _installed() -> tuple[Path, ...]:
    """Folders of installed packages and of the standard library."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {Path(sysconfig.get_paths()[name]).resolve() for name in names}
    paths |= {
        Path(entry).resolve() for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))
    }
    return tuple(sorted(paths))


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:depth]) for depth in range(1, len(parts)))


def _is_package(name: str, file: Path) -> bool:
    return file.stem == "__init__" and name != "__init__"


@lru_cache(maxsize=4096)
def _imports(file: Path, digest: str, name: str, package: bool) -> tuple[str, ...]:
    """Dotted names that a source file may import, wherever the statement stands; `digest`: of its content."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ()  # importing it says more
    base = name.split(".") if package else name.split(".")[:-1]
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= dict.fromkeys(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = base[: len(base) - node.level + 1] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            found |= dict.fromkeys([source, *(f"{source}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Call):
            found |= dict.fromkeys(_named_import(node))
    return tuple(one for one in found if one)


def _named_import(call: ast.Call) -> list[str]:
    """The module of importlib.import_module("package.module") and __import__("package")."""
    called = getattr(call.func, "attr", getattr(call.func, "id", ""))
    first = call.args[0] if call.args else None
    if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
        return [first.value] if isinstance(first.value, str) else []
    return []
