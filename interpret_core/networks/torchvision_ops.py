"""Imports torchvision where its compiled operators cannot load beside this torch.

A torchvision wheel built for another build of torch (for example the one on the package index, beside a CPU
build of torch) cannot load its compiled operators. torchvision tolerates that, with one exception: on
import it attaches shape functions to `torchvision::nms` and `torchvision::qnms`, which then do not exist,
and fails with "operator torchvision::nms does not exist". Declaring the two signatures first is enough:
classification models use neither operator, and calling one still fails, as it should. Where the operators
load, nothing is done.

Everybody in Unitscope gets torchvision from here: `from interpret_core.networks.torchvision_ops import
models`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path

import torch

_SIGNATURES = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    """Whether torchvision's own library of operators loads; asked without importing torchvision."""
    package = importlib.util.find_spec("torchvision")
    if package is None or package.origin is None:
        return True  # nothing to cure: the import below says that torchvision is missing
    loaders = [(importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)]
    library = importlib.machinery.FileFinder(str(Path(package.origin).parent), *loaders).find_spec("_C")
    if library is None or library.origin is None:
        return False
    try:
        torch.ops.load_library(library.origin)
    except (OSError, ImportError):
        return False
    return True


def _declare() -> torch.library.Library | None:
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "DEF")
    for signature in _SIGNATURES.values():
        library.define(signature)
    return library


# The declarations last as long as this object: it must live as long as the process.
_DECLARED = _declare()

import torchvision  # noqa: E402  (the declarations above must come first)
from torchvision import models  # noqa: E402

VERSION: str = torchvision.__version__

__all__ = ["VERSION", "models", "torchvision"]
