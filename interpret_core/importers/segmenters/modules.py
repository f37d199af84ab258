"""A network that segments, as torchvision's do: scores of K classes at every position; the best one is it."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from interpret_core.errors import DatasetError
from interpret_core.importers.grid import nearest
from interpret_core.networks.objects.global_values import closed_over, globals_read
from interpret_core.networks.preprocessing import Preprocessing

_DEEPEST = 6  # things within things
_SCORES = ("out", "logits")  # torchvision's name of them, and Hugging Face's


@dataclass(frozen=True, eq=False)
class SegmentingModule:
    """A callable segmenter made of a module, its preprocessing and the labels of its outputs.

    Attributes:
        module: in eval mode; (1, C, H, W) to (1, K, h, w) scores, alone or under "out" or "logits".
        preprocessing: of its input; the whole picture is resized, and nothing cropped.
        numbers: (K,) label number of each output.
    """

    module: nn.Module
    preprocessing: Preprocessing
    numbers: NDArray[np.int64]

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(h, w) label numbers of a picture (h, w, 3); each pixel takes the position that lies over it.

        Raises:
            DatasetError: the module gives something else, or scores that are no numbers.
        """
        tensors = chain(self.module.parameters(), self.module.buffers())
        device = next((one.device for one in tensors), torch.device("cpu"))
        scores = _scores(self.module(self.preprocessing.batch([picture]).to(device)))
        outputs = len(self.numbers)
        if not isinstance(scores, torch.Tensor) or scores.ndim != 4 or scores.shape[:2] != (1, outputs):
            given = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
            raise DatasetError(
                f"its module gives {given}, expected scores of shape (1, {outputs}, h, w), one for each of "
                f"its {outputs} class_names, alone or under {' or '.join(map(repr, _SCORES))}."
            )
        if not bool(torch.isfinite(scores).all()):
            raise DatasetError("its module gives scores that are NaN or infinite, expected finite ones.")
        best = scores[0].argmax(0).cpu().numpy()
        return nearest(self.numbers[best], (picture.shape[0], picture.shape[1]))


def module_in_training(made: Any) -> str:
    """The class of a module in training mode that a callable reaches, or nothing.

    Looked for in attributes, containers, what functions close over, and the globals that they read.
    """
    seen: set[int] = set()
    pending = [(made, 0)]
    while pending:
        value, depth = pending.pop()
        if id(value) in seen or depth > _DEEPEST:
            continue
        seen.add(id(value))
        if isinstance(value, nn.Module):
            if training := next((one for one in value.modules() if one.training), None):
                return type(training).__name__
        else:
            pending += [(one, depth + 1) for one in _reached(value)]
    return ""


def _reached(value: Any) -> Iterable[Any]:
    if isinstance(value, (str, bytes, type, types.ModuleType, np.ndarray, torch.Tensor)):
        return ()
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, partial):
        return (value.func, *value.args, *value.keywords.values())
    if isinstance(value, types.MethodType):
        return (value.__self__, value.__func__)
    held = list(getattr(value, "__dict__", {}).values())
    if not isinstance(called := value, types.FunctionType):
        called = getattr(type(value), "__call__", None)  # noqa: B004 - the function itself is wanted
    if isinstance(called, types.FunctionType):
        held += [*closed_over(called), *(one for _, one in globals_read(called))]
    return held


def _scores(given: Any) -> Any:
    if isinstance(given, Mapping):
        return next((given[name] for name in _SCORES if name in given), given)
    return given
