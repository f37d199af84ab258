"""Reading a weights file without running anything in it."""

from __future__ import annotations

import argparse
import pickle
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from interpret_core.errors import WeightsError
from interpret_core.networks.checkpoints.kinds import SAFETENSORS, other_kind

_scalar = np.float64(0).__reduce__()[0]  # NumPy's own maker of single numbers, wherever this version keeps it
_ONE_READER = threading.Lock()
SUFFIXES = (SAFETENSORS, ".pth", ".pt", ".ckpt", ".bin", ".tar")
Tensors = dict[str, torch.Tensor]
LEVELS = 3  # levels of dictionaries below the first
# What training code keeps beside tensors, and what only holds values: options of a command line, and numbers
# of NumPy. torch itself tells how an object of each is made; no method of them can do anything else.
_HARMLESS: list[Any] = [
    argparse.Namespace,
    np.dtype,
    *((_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "u1", "?")),
]
_FAULTS = (
    *(SafetensorError, OSError, EOFError, RuntimeError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


def parts_of(file: Path) -> dict[str, Tensors]:
    """Every set of tensors in a weights file, by the keys that lead to it, joined by dots; "" is the whole.

    Args:
        file: a state dict or a dictionary with state dicts in it, as safetensors or `torch.save` write them.

    Raises:
        WeightsError: missing, of another type, damaged, without tensors, or a pickle that holds code.
    """
    if file.suffix not in SUFFIXES:
        raise WeightsError(
            f"Weights file {file} ends in {file.suffix!r}, expected one of {', '.join(SUFFIXES)}."
        )
    if not file.is_file():
        raise WeightsError(f"Weights file {file} does not exist: check the path after '@'.")
    try:
        content = _read(file)
    except OSError as error:
        raise damaged(file, error) from error
    found: dict[str, Tensors] = {}
    if isinstance(content, Mapping):
        _collect(content, "", LEVELS, found)
    if not found:
        held = f" with {', '.join(map(str, list(content)[:6]))}" if isinstance(content, Mapping) else ""
        raise WeightsError(
            f"Weights file {file} holds {type(content).__name__}{held}, expected a state dict (names to "
            "tensors): save module.state_dict()."
        )
    return found


def _collect(content: Mapping[Any, Any], at: str, levels: int, found: dict[str, Tensors]) -> None:
    tensors = {
        key: one for key, one in content.items() if isinstance(key, str) and isinstance(one, torch.Tensor)
    }
    if tensors:
        found[at] = tensors
    for key, one in content.items():
        if isinstance(key, str) and isinstance(one, Mapping) and levels:
            _collect(one, f"{at}.{key}" if at else key, levels - 1, found)


def _read(file: Path) -> Any:
    other = other_kind(file)
    if other:
        raise WeightsError(f"Weights file {file} {other}")
    try:
        if file.suffix == SAFETENSORS:
            return load_file(file)
        try:
            return _unpickled(file)
        except UnicodeDecodeError:  # texts of Python 2 are bytes
            return _unpickled(file, encoding="latin1")
    except pickle.UnpicklingError as error:
        # "Unsupported" is also what torch says of a text file; archives and pickles begin with these bytes.
        if "Unsupported" in str(error) and file.read_bytes()[:1] in (b"P", b"\x80"):
            raise WeightsError(
                f"Weights file {file} is a pickle that holds code or whole objects; it was not run"
                f"{_named(file)}. Expected tensors only: save module.state_dict(), or use safetensors."
            ) from error
        raise damaged(file, error) from error
    except _FAULTS as error:
        raise damaged(file, error) from error


def _unpickled(file: Path, **more: Any) -> Any:
    with warnings.catch_warnings(), _harmless():
        # torch warns of pickle protocols it may not know; what it does not know it refuses all the same.
        warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
        # It does take an encoding, for texts of Python 2.
        warnings.filterwarnings("ignore", "pickle_load_args only works", UserWarning)
        return torch.load(file, map_location="cpu", weights_only=True, **more)


@contextmanager
def _harmless() -> Iterator[None]:
    """Allow those objects. torch does so for the whole process: one reader at a time, and what somebody else
    has allowed stays.
    """
    with _ONE_READER:
        before = torch.serialization.get_safe_globals()
        torch.serialization.add_safe_globals(_HARMLESS)
        try:
            yield
        finally:
            torch.serialization.clear_safe_globals()
            torch.serialization.add_safe_globals(before)


def _named(file: Path) -> str:
    """Which objects, where torch can tell: whoever saved the file knows them."""
    try:
        with _harmless():
            names = torch.serialization.get_unsafe_globals_in_checkpoint(file)
    except (pickle.UnpicklingError, *_FAULTS):  # an old format cannot be looked through
        return ""
    own = sorted(names, key=lambda name: (name.startswith(("builtins.", "torch.")), name))
    return f" (it names {', '.join(own[:3])})" if own else ""


def damaged(file: Path, error: Exception) -> WeightsError:
    """The error to raise for a file that cannot be read for this reason, in one line."""
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return WeightsError(f"Weights file {file} is damaged or truncated ({reason}): fetch or save it again.")
