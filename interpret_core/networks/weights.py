"""Weights files: where they are, fetching them once, reading them safely, fitting them to a module."""

from __future__ import annotations

import pickle
import re
import socket
import sys
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from interpret_core.errors import DownloadError, WeightsError
from interpret_core.files import download, sha256

TRAINED = "trained"
RANDOM = "random weights"
UNSTATED = "weights as given"  # a user's own, of which nobody says what they learned
SUFFIXES = (".safetensors", ".pth", ".pt")
PATIENCE = 5.0  # seconds to wait for a server to answer at all: a page may be waiting


@dataclass(frozen=True)
class Weights:
    """Where a network's weights come from.

    Attributes:
        evidence: "trained", "random weights", "demo" or "weights as given": what the results may be taken as
            evidence of.
        note: one sentence for the screen; empty if there is nothing to add.
        file: the weights file; None for weights that are made, not read.
    """

    evidence: str
    note: str = ""
    file: Path | None = None


class Fetcher:
    """Downloads weights files, each at most once per process; remembers why an attempt failed."""

    def __init__(self) -> None:
        """Nothing is tried yet."""
        self._failures: dict[str, str] = {}
        self._lock = threading.Lock()

    def fetch(self, url: str, file: Path) -> str:
        """Download `url` to `file`; its name's `-<hash>.` is the beginning of the SHA-256 it must have.

        Returns:
            Why there is no file, or an empty text if it is there. A failed transfer never raises.
        """
        with self._lock:
            if not file.is_file() and url not in self._failures:
                reason = self._attempt(url, file)
                if reason:
                    self._failures[url] = reason
            return "" if file.is_file() else self._failures.get(url, "the file disappeared")

    def _attempt(self, url: str, file: Path) -> str:
        unreachable = _unreachable(url)
        if unreachable:
            return f"{url}: {unreachable}"
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(file.name)

            def progress(done: int, total: int | None) -> None:
                bar.update(task, completed=done, total=total)

            try:
                download(url, file, sha256=expected_hash(file.name), progress=progress, retries=1)
            except DownloadError as error:
                return str(error)
        return ""


def _unreachable(url: str) -> str:
    """Why no connection to the server can be made, asked quickly; empty if it can or a proxy is between."""
    address = urlsplit(url)
    if getproxies().get(address.scheme):
        return ""
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=PATIENCE).close()
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__
    return ""


def expected_hash(name: str) -> str:
    """The beginning of the SHA-256 that a file name promises: `alexnet-owt-7be5be79.pth` → `7be5be79`."""
    found = re.search(r"-([0-9a-f]{8,64})\.", name)
    return found.group(1) if found else ""


def hub_file(url: str) -> Path:
    """Where torch hub keeps the file of an address."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name


def file_digest(file: Path) -> str:
    """SHA-256 of a file, hex; a file that has not changed since (size, time of change) is read once.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        return sha256(file)
    except OSError as error:
        raise WeightsError(
            f"Weights file {file} cannot be read ({error.strerror}), expected a readable file: "
            "check the path and its permissions."
        ) from error


def check_hash(file: Path) -> None:
    """Refuse a file whose content is not what its name promises.

    Raises:
        WeightsError: the digest differs.
    """
    expected, digest = expected_hash(file.name), file_digest(file)
    if not digest.startswith(expected):
        raise WeightsError(
            f"Weights file {file} is damaged: its SHA-256 begins with {digest[:8]}, expected "
            f"{expected[:8]} as its name says. Delete it and fetch it again."
        )


def read_state(file: Path) -> dict[str, torch.Tensor]:
    """Tensors of a weights file, by name; nothing in the file is executed.

    A state nested under `state_dict` or `model` is unwrapped, and DataParallel's `module.` prefix removed.

    Args:
        file: `.safetensors`, or `.pth`/`.pt` as `torch.save` writes a state dict.

    Raises:
        WeightsError: missing, of another type, damaged, not a state dict, or a pickle that holds code.
    """
    if file.suffix not in SUFFIXES:
        raise WeightsError(
            f"Weights file {file} ends in {file.suffix!r}, expected one of {', '.join(SUFFIXES)}."
        )
    if not file.is_file():
        raise WeightsError(f"Weights file {file} does not exist: check the path after '@'.")
    state: Any = _read(file)
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not state or not _all_tensors(state):
        raise WeightsError(
            f"Weights file {file} holds {type(state).__name__}, expected a state dict (names to tensors): "
            "save module.state_dict()."
        )
    if all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return dict(state)


def _all_tensors(state: Mapping[Any, Any]) -> bool:
    return all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items())


def _read(file: Path) -> Any:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        with warnings.catch_warnings():
            # torch warns of pickle protocols it may not know; what it does not know it refuses all the same.
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # "Unsupported" is also what torch says of a text file; archives and pickles begin with these bytes.
        if "Unsupported" in str(error) and file.read_bytes()[:1] in (b"P", b"\x80"):
            raise WeightsError(
                f"Weights file {file} is a pickle that holds code or whole objects; it was not run. Expected "
                "tensors only: save module.state_dict(), or use a .safetensors file."
            ) from error
        raise damaged(file, error) from error
    except (SafetensorError, OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError) as error:
        raise damaged(file, error) from error


def damaged(file: Path, error: Exception) -> WeightsError:
    """The error to raise for a file that cannot be read for this reason, in one line."""
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return WeightsError(f"Weights file {file} is damaged or truncated ({reason}): fetch or save it again.")


def _unwrapped(name: str) -> str:
    """A tensor's name without the wrappers that `copier.unwrapped` takes off within a network."""
    return ".".join(part for part in name.split(".") if part not in {"module", "_orig_mod"})


def fit(module: nn.Module, state: Mapping[str, torch.Tensor], file: Path, name: str) -> None:
    """Load a state into a module, which must have exactly its tensors.

    Args:
        module: changed in place.
        state: tensors by name; counters of seen batches (`num_batches_tracked`) may be absent.
        file: for the message.
        name: of the network, for the message.

    Raises:
        WeightsError: tensors are missing, unexpected or of another shape; names the first of each.
    """
    own = module.state_dict()
    state = {name if name in own else _unwrapped(name): tensor for name, tensor in state.items()}
    counted = {key for key in own if key.endswith("num_batches_tracked")}
    missing = [key for key in own if key not in state and key not in counted]
    unexpected = [key for key in state if key not in own]
    shaped = [key for key in own if key in state and own[key].shape != state[key].shape]
    problems = [
        f"{what} {keys[0]}{detail(keys[0])} ({len(keys)} in all)"
        for what, keys, detail in (
            ("missing", missing, lambda key: ""),
            ("unexpected", unexpected, lambda key: ""),
            (
                "of another shape",
                shaped,
                lambda k: f" {tuple(state[k].shape)} instead of {tuple(own[k].shape)}",
            ),
        )
        if keys
    ]
    if problems:
        raise WeightsError(
            f"Weights file {file} is of another architecture than {name}: {'; '.join(problems)}. "
            "Name the network that these weights were trained as."
        )
    module.load_state_dict(dict(state), strict=False)
