"""Processes told apart for good: a number is recycled, a number with its time of birth is not."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil

DRIFT = 1.0  # seconds by which two readings of one birth may differ
TOKEN = "INTERPRET_JOB_TOKEN"  # in the environment of a job's process and of whatever it starts


class Process(NamedTuple):
    """What the system says of a running process: seconds from the machine's start, command line."""

    birth: str
    command: str


@lru_cache(maxsize=1)
def host() -> str:
    """Name of the machine or container whose process numbers this process sees."""
    try:
        numbers = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        numbers = ""
    return f"{socket.gethostname()} {numbers}".rstrip()


def look_up(pid: int) -> Process | None:
    """The process with this number; None if there is none, or only a zombie of it."""
    if pid <= 0:
        return None
    try:
        found = psutil.Process(pid)
        if found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        # Setting the clock moves both readings alike, and not what is between them.
        up = psutil.boot_time()
        return Process(f"{found.create_time() - up:.2f}", " ".join(found.cmdline()))
    except psutil.Error:
        return None


def known(pid: int) -> dict[str, Any]:
    """What a record says of a process, so that it is found again and never mistaken: `pid` and `birth`."""
    born = look_up(pid)
    return {"pid": pid, "birth": born.birth if born else ""}


def alive(pid: int, birth: str, word: str) -> bool:
    """Whether process `pid` still is the one born then, and has `word` on its command line.

    The word (a job's id) keeps a forged state in a shared store from pointing at some other process. In the
    middle of an exec, which a process goes through right after its birth, the command line reads empty.
    """
    process = look_up(pid)
    if process is None or not abs(_seconds(process.birth) - _seconds(birth)) <= DRIFT:  # NaN is none, too
        return False
    return word in process.command or not process.command


def send(pid: int, birth: str, word: str, number: signal.Signals) -> bool:
    """Signal the process group that `pid` leads, if it is still that process; whether it was."""
    if not alive(pid, birth, word):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
        return True
    return False


def end_strays(token: str) -> None:
    """End what a job's process started and left behind; told by the token, which only they have."""
    if not token:
        return
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(TOKEN) == token:
                process.kill()


def _seconds(birth: str) -> float:
    """A birth as a number; minus infinity where it is none, as in states of other versions."""
    try:
        return float(birth)
    except ValueError:
        return -math.inf
