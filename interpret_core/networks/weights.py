"""Weights files: where they are, fetching them once, and whether they are what their name promises."""

from __future__ import annotations

import re
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from interpret_core.errors import DownloadError, WeightsError
from interpret_core.files import download, sha256

TRAINED = "trained"
RANDOM = "random weights"
UNSTATED = "weights as given"  # a user's own, of which nobody says what they learned
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

    def failure(self, url: str) -> str:
        """Why the attempt of this process failed; empty where there was none, or it went well."""
        return self._failures.get(url, "")

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
