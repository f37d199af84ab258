"""Starting the scheduler: one for a cache folder, however many processes use it.

It is started by whoever submits or looks and finds none alive. Its lease is taken before it is born and goes
on to it, so that there are never two.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import site
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from interpret_core import installation
from interpret_core.errors import Cancelled, StoreError, UserError
from interpret_core.jobs import processes
from interpret_core.store.lease import Lease
from interpret_core.store.records import canonical_json
from interpret_core.store.store import Store

SCHEDULER = "jobs/scheduler"  # key of its lease, and of what is known of it
LINE = "jobs/line"  # lock of who joins the line, starts a scheduler, or ends as one
ROOT = installation.PACKAGE.parent
HANDOVER = 5.0  # seconds in which a scheduler that is asked to end will have ended
LOOK = 1.0  # seconds between two looks of a process for a scheduler
CRASHED = 30.0  # seconds until a scheduler is started again that ended with an error; its log says which
# What differs from shell to shell and from test to test, and means nothing to a job.
PASSING = {
    processes.TOKEN,
    "_",
    "SHLVL",
    "PWD",
    "OLDPWD",
    "PYTEST_CURRENT_TEST",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "COLUMNS",
    "LINES",
}

_looked: dict[Path, float] = {}  # cache folder: when this process looked last, by its monotonic clock
_started: list[subprocess.Popen[bytes]] = []


def provide(store: Store) -> None:
    """See to it that a scheduler runs, in this process's surroundings; whoever calls holds `LINE`.

    One that was started in others (another configuration, other code) is asked to end; the jobs that it has
    started go on.

    Raises:
        StoreError: the cache cannot be written.
        UserError: no process can be started.
    """
    own = _surroundings()
    lease = store.lease(SCHEDULER)
    if lease is None:
        lease = _handed_over(store, own)
    if lease is not None:
        with lease:
            _start(store, lease, own)


def attended(store: Store) -> bool:
    """Start a scheduler where none is alive; whether one is, as far as anybody can tell here.

    For whoever looks at a job: at most once in `LOOK` seconds, without waiting, and nothing where nothing can
    be written.
    """
    now = time.monotonic()
    if now - _looked.get(store.folder, -LOOK) < LOOK:
        return True
    _looked[store.folder] = now
    if crashed := [process for process in _started if (process.poll() or 0) > 0]:
        _started[:] = [process for process in _started if process not in crashed]
        _looked[store.folder] += CRASHED
        return True
    try:
        with store.lock(LINE, lambda: True):
            lease = store.lease(SCHEDULER)
            if lease is not None:
                with lease:
                    _start(store, lease, _surroundings())
    except Cancelled:  # somebody submits, and sees to it
        return True
    except (StoreError, UserError):
        _looked.pop(store.folder, None)
        return store.leased(SCHEDULER)
    return True


def command(store: Store, *arguments: str) -> list[str]:
    """Command line of a process of this module's package."""
    folder, limit = str(store.folder), str(store.size_limit)
    return [sys.executable, "-m", "interpret_core.jobs", folder, *arguments, "--size-limit", limit]


def environment() -> dict[str, str]:
    """For such a process: it finds this code, wherever it is started."""
    given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    paths = [*([] if ROOT in _found_anyway() else [str(ROOT)]), *given]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}
    # A worker that looks at jobs may start a scheduler, which is not its own.
    found.pop(processes.TOKEN, None)
    return found


def _found_anyway() -> list[Path]:
    """Folders of packages that the interpreter knows; named again, they would come before its own library."""
    names = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    names += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [Path(name).resolve() for name in names]


def output(path: Path, *, append: bool = False) -> IO[bytes] | int:
    """A log to write to; none where it finds no room."""
    kept = os.O_APPEND if append else os.O_TRUNC
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A link that somebody left in a shared folder must not lead to another file.
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | kept
        return os.fdopen(os.open(path, flags, 0o666), "wb")
    except OSError:
        return subprocess.DEVNULL


def started(
    words: Sequence[str], log: IO[bytes] | int, lease: Lease, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """A process in a session of its own that writes to a log, which is closed here, and holds a lease on.

    Raises:
        OSError: it cannot be started.
    """
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=variables,
            pass_fds=(lease.descriptor,),
        )
    finally:
        if not isinstance(log, int):
            log.close()


def reaped(process: subprocess.Popen[bytes]) -> None:
    """Wait for a child in a thread, or it stays a zombie under the server."""
    threading.Thread(target=process.wait, name=f"reap {process.pid}", daemon=True).start()


def end_all() -> None:
    """End the schedulers that this process has started, at once; for tests and servers that leave."""
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()
    _looked.clear()


def _handed_over(store: Store, own: str) -> Lease | None:
    """The lease of a scheduler that was started in other surroundings, once it has ended; else None."""
    told = store.get_json(SCHEDULER)
    if not isinstance(told, dict) or told.get("surroundings") == own or told.get("host") != processes.host():
        return None
    pid, birth = told.get("pid"), told.get("birth")
    if not (isinstance(pid, int) and isinstance(birth, str)):
        return None
    if not processes.send(pid, birth, f"interpret_core.jobs {store.folder}", signal.SIGTERM):
        return None
    end = time.monotonic() + HANDOVER
    while (lease := store.lease(SCHEDULER)) is None and time.monotonic() < end:
        time.sleep(0.02)
    return lease


def _start(store: Store, lease: Lease, surroundings: str) -> None:
    known = {"surroundings": surroundings, "host": processes.host()}
    store.put_json(SCHEDULER, known)  # where this cannot be written, no job could be started either
    log = output(store.folder / "logs" / "scheduler.log")
    try:
        process = started(command(store, "--lease", str(lease.descriptor)), log, lease, environment())
    except OSError as error:
        raise UserError(
            f"No process for jobs could be started: {error}. Check memory, disk and {sys.executable}."
        ) from error
    _started[:] = [other for other in _started if other.poll() is None]
    _started.append(process)
    reaped(process)
    store.put_json(SCHEDULER, known | processes.known(process.pid), needed=False)


def _surroundings() -> str:
    """Digest of what the jobs of a scheduler inherit: code, folder, variables."""
    variables = {name: value for name, value in os.environ.items() if name not in PASSING}
    code = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        with contextlib.suppress(OSError):
            status = path.stat()
            code.append([path.name, status.st_size, status.st_mtime_ns])
    text = canonical_json([sys.executable, str(Path.cwd()), os.getuid(), variables, code])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
