"""A process that has to be there: started, started again when it ends, with more patience each time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hosting.settings import ROOT

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before it is started again
STEADY = 60.0  # seconds after which the next end counts as the first one
LAUNCHER = Path(__file__).with_name("parent_death.py")


class Child:
    """One process and the ones that follow it.

    Args:
        name: as messages call it.
        command: an absolute path and its arguments.
        environment: of the process.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.started = 0.0  # time.monotonic()
        self._command = (sys.executable, "-ISX", "utf8", str(LAUNCHER), str(os.getpid()), *command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._pause, self._again = FIRST_PAUSE, 0.0

    def start(self) -> None:
        """In a session of its own: a Ctrl-C at the terminal is for the supervisor, who knows an order."""
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # where Streamlit tells its own address; logs go to stderr
            start_new_session=True,
        )

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None between two."""
        return self._process.pid if self.alive and self._process else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kept_alive(self) -> str:
        """Start it again where its time has come; a line to say, empty for none."""
        if self.alive:
            return ""
        now = time.monotonic()
        if self._process is not None:
            status, self._process = self._process.returncode, None
            if now - self.started > STEADY:
                self._pause = FIRST_PAUSE
            self._again = now + self._pause
            told = f"{self.name} ended ({_words(status)}); it is started again in {self._pause:g} s."
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            return told
        if now >= self._again:
            self.start()
        return ""

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, where it still runs."""
        if self.alive and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once; a server's jobs are sessions of their own and go on."""
        self.tell(signal.SIGKILL)
        self.wait(5)


def _words(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
