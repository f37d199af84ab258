"""Processes told apart for good: a number is recycled, a number with its time of birth is not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Process(NamedTuple):
    """What the system says of a running process: when it was born, and its command line."""

    birth: str
    command: str


def look_up(pid: int) -> Process | None:
    """The process with this number; None if there is none, or only a zombie of it."""
    if pid <= 0:
        return None
    return _from_proc(pid) if (PROC / "self" / "stat").exists() else _from_ps(pid)


def alive(pid: int, birth: str, word: str) -> bool:
    """Whether process `pid` still is the one born then, and has `word` on its command line.

    The word (a job's id) keeps a forged state in a shared store from pointing at some other process. In the
    middle of an exec, which a process goes through right after its birth, the command line reads empty.
    """
    process = look_up(pid)
    return process is not None and process.birth == birth and (word in process.command or not process.command)


def send(pid: int, birth: str, word: str, number: signal.Signals) -> bool:
    """Signal the process group that `pid` leads, if it is still that process; whether it was."""
    if not alive(pid, birth, word):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
        return True
    return False


def _from_proc(pid: int) -> Process | None:
    try:
        # The name, in parentheses, may contain anything; what follows it is plain. Field 3 is the state,
        # field 22 the start in clock ticks since the machine came up (proc(5)).
        fields = (PROC / str(pid) / "stat").read_text().rsplit(") ", 1)[1].split()
        command = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else Process(f"{boot}/{fields[19]}", command)


def _from_ps(pid: int) -> Process | None:
    """The same from POSIX `ps`, where there is no /proc (macOS); births are told to the second there."""
    command = ["ps", "-ww", "-o", "stat=", "-o", "lstart=", "-o", "command=", "-p", str(pid)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    fields = told.stdout.split(maxsplit=6)  # state, day, month, date, time, year, command
    if len(fields) < 7 or fields[0].startswith("Z"):
        return None
    return Process(" ".join(fields[1:6]), fields[6])
