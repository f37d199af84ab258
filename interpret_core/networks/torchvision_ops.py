"""Imports torchvision where its compiled operators cannot load beside this torch.

A torchvision wheel built for another build of torch (for example the one on the package index, beside a CPU
build of torch) cannot load its compiled operators. torchvision tolerates that, with one exception: on
import it attaches shape functions to `torchvision::nms` and `torchvision::qnms`, which then do not exist,
and fails with "operator torchvision::nms does not exist". Declaring the two signatures first is enough:
classification models use neither operator, and calling one still fails, as it should. Where the operators
load, nothing is done.

Code of a user's own may import torchvision, or timm, by itself: it is declared before that code runs.

Everybody in Unitscope gets torchvision from here, and when it is needed: importing it takes a second, since
it brings torch's compiler with it, and most pages and commands do without.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
from functools import cache
from importlib.metadata import version as version_of
from pathlib import Path
from types import ModuleType

import torch

_LIBRARIES = ("_C", "_C_stable")
_SIGNATURES = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    """Whether torchvision's own library of operators loads; asked without importing torchvision."""
    package = importlib.util.find_spec("torchvision")
    if package is None or package.origin is None:
        return True  # nothing to cure: the import below says that torchvision is missing
    return any(_loads(library) for library in _libraries(Path(package.origin).parent))


def _libraries(folder: Path) -> list[str]:
    """Files of compiled operators: `_C`, from torchvision 0.29 on `_C_stable`."""
    loaders = [(importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)]
    finder = importlib.machinery.FileFinder(str(folder), *loaders)
    found = [finder.find_spec(name) for name in _LIBRARIES]
    return [one.origin for one in found if one is not None and one.origin is not None]


def _loads(library: str) -> bool:
    try:
        torch.ops.load_library(library)
    except (OSError, ImportError):
        return False
    return True


@cache  # the declarations last as long as the object
def declare() -> torch.library.Library | None:
    """Declare what an import of torchvision needs, where its operators do not load."""
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "DEF")
    for signature in _SIGNATURES.values():
        library.define(signature)
    return library


@cache
def torchvision() -> ModuleType:
    """The package itself."""
    declare()  # before the import
    import torchvision as found

    return found


@cache
def classifiers() -> ModuleType:
    """Its models, `torchvision.models`."""
    torchvision()
    from torchvision import models as found

    return found


@cache
def version() -> str:
    """What torchvision calls its own version, found without importing it: "0.28.0+cpu"."""
    package = importlib.util.find_spec("torchvision")
    if package is not None and package.origin is not None:
        file = Path(package.origin).with_name("version.py")
        stated = re.search(r"^__version__ = '(.+)'$", file.read_text(), re.MULTILINE)
        if stated:
            return stated[1]
    return version_of("torchvision")


def __getattr__(name: str) -> ModuleType:
    """Factories of users go on working that were written when `models` was torchvision's own module here."""
    if name == "models":
        return classifiers()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
