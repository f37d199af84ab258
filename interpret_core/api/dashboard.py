"""The dashboard, opened from a notebook: on a server that runs, or on one that is started for it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Mapping
from html import escape
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import psutil

from interpret_core import config
from interpret_core.api.registration import importing_paths
from interpret_core.errors import ParameterError, StoreError
from interpret_core.installation import dashboard
from interpret_core.uploads.places import VARIABLE

HOST = "http://127.0.0.1"
ADDRESS = f"{HOST}:8501"
PORTS = range(8501, 8521)  # where no address is named: the first with these results, or free
CACHE = "INTERPRET_CACHE"
_DEFAULTS = {
    CACHE: config.DEFAULT_CACHE,
    "INTERPRET_CONFIG": config.DEFAULT_CONFIG,
    VARIABLE: config.DEFAULT_UPLOADS,
}
LOCAL = ("127.0.0.1", "localhost", "::1")
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")  # without one, Linux may open a browser in the terminal
PATIENCE = 120.0  # seconds in which a server answers
ENDS = 10.0  # seconds in which it ends


class View:
    """A view of the dashboard, and the server if it was started for it, which ends with this process.

    Attributes:
        url: the view's address.
        note: what the page shows otherwise than the result, a sentence; or empty.
        process: the server that was started for it; None where one was running.
    """

    def __init__(self, url: str, note: str = "", process: subprocess.Popen[bytes] | None = None) -> None:
        self.url, self.note, self.process = url, note, process

    def close(self) -> None:
        """End the server, if it was started for this view."""
        if self.process is not None:
            _end(self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{self.url}{f' ({self.note})' if self.note else ''}"

    def _repr_html_(self) -> str:
        return (
            f'<a href="{escape(self.url)}" target="_blank" rel="noopener">{escape(self.url)}</a>'
            f"{f'<br>{escape(self.note)}' if self.note else ''}"
        )


def view_of(page: str, query: Mapping[str, str], address: str | None, cache: Path, *, browser: bool) -> View:
    """A page of the dashboard.

    Args:
        page: its name in addresses.
        query: what it shows; empty values are left out.
        address: of the server; where nothing answers, one is started there, if it is this machine. None for
            this machine's first of `PORTS` that either is free or has a server of the same results.
        cache: folder of results that the server has to read.
        browser: open it in a browser, where this machine has a screen.

    Raises:
        ParameterError: no address, nothing that can be started there, or a server of another cache.
        StoreError: the server does not start.
    """
    base, process = _nearest(cache) if address is None else _served(address, cache)
    url = f"{base}/{page}?{urlencode({name: one for name, one in query.items() if one})}"
    if browser and (sys.platform != "linux" or any(map(os.environ.get, SCREENS))):
        webbrowser.open(url)
    return View(url, process=process)


def _served(address: str, cache: Path) -> tuple[str, subprocess.Popen[bytes] | None]:
    """The address without its end, and the server where one had to be started.

    Raises:
        ParameterError: as `view_of`.
        StoreError: as `view_of`.
    """
    base = address.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ParameterError(f"address is {address!r}, expected one such as {ADDRESS}.")
    if not _answers(base):
        return base, _started(parts.hostname, parts.port or 80, parts.path, cache, base)
    _require_cache(parts.port or 80, cache, address)
    return base, None


def _nearest(cache: Path) -> tuple[str, subprocess.Popen[bytes] | None]:
    """The same, of the first port that will do.

    Raises:
        ParameterError: none will; the message says what is wrong with the last.
        StoreError: as `view_of`.
    """
    for port in PORTS[:-1]:
        try:
            return _served(f"{HOST}:{port}", cache)
        except ParameterError:  # somebody else's
            continue
    return _served(f"{HOST}:{PORTS[-1]}", cache)


def _answers(base: str) -> bool:
    """Whether a dashboard listens there.

    Raises:
        ParameterError: something else does.
    """
    try:
        with urllib.request.urlopen(f"{base}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        raise ParameterError(
            f"Something at {base} answers with status {error.code} and is no dashboard that lets this "
            "notebook in: name another address."
        ) from error
    except HTTPException as error:
        told = f"What listens at {base} is no dashboard ({type(error).__name__}): name another address."
        raise ParameterError(told) from error
    except (OSError, ValueError):
        return False


def _require_cache(port: int, cache: Path, address: str) -> None:
    """Refuse a server of another cache, or with other names: it would show something else at this address.

    Raises:
        ParameterError: what listens at the port is such a one.
    """
    mine = _places(Path.cwd(), {**os.environ, CACHE: str(cache)})
    for own in _listening(port):
        try:
            its = _places(Path(own.cwd()), own.environ())
        except (psutil.Error, OSError):  # another user's: nobody can tell
            continue
        for name, expected in mine.items():
            if its[name] != expected and (name == CACHE or its[name].exists() or expected.exists()):
                raise ParameterError(
                    f"The server at {address} has another {name}, {its[name]}, expected {expected}: end it, "
                    "or name a free address, such as http://127.0.0.1:8502."
                )


def _places(folder: Path, environment: Mapping[str, str]) -> dict[str, Path]:
    """What a process in a folder reads results and names from."""
    return {
        name: (folder / Path(environment.get(name, "") or default).expanduser()).resolve()
        for name, default in _DEFAULTS.items()
    }


def _listening(port: int) -> list[psutil.Process]:
    try:
        found = {
            one.pid
            for one in psutil.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid
        }
        return [psutil.Process(pid) for pid in found]
    except psutil.Error:
        return []


def _started(host: str, port: int, path: str, cache: Path, base: str) -> subprocess.Popen[bytes]:
    if host not in LOCAL or path:
        raise ParameterError(
            f"No dashboard answers at {base}, and none can be started there from here: start it "
            "(unitscope serve), or leave address out."
        )
    environment = {
        **os.environ,
        CACHE: str(cache),
        "PYTHONPATH": os.pathsep.join(importing_paths()),
    }
    log = Path(tempfile.mkdtemp(prefix="unitscope-")) / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            dashboard.command(host, port),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupted cell does not end it
        )
    atexit.register(_end, process)
    end = time.monotonic() + PATIENCE
    while not _answers(base):
        if process.poll() is not None or time.monotonic() > end:
            _end(process)
            last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise StoreError(f"The dashboard does not start at {base}: {last} (its log: {log})")
        time.sleep(0.1)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(ENDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
