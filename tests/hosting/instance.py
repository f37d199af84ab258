"""A whole instance as the container runs it: nginx and two servers, on a read-only root, without a right."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.ui.browser import ROOT, free_port

BASE = "/unitscope"
SERVERS = 2
BOUND = ("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")


class Instance:
    """One that runs.

    Attributes:
        url: without a slash at its end.
        supervisor: its process.
        ports: of the servers.
        log: file with all that it says.
    """

    def __init__(self, port: int, supervisor: psutil.Process, log: Path) -> None:
        self.where, self.url = ("127.0.0.1", port), f"http://127.0.0.1:{port}{BASE}"
        self.supervisor, self.log = supervisor, log
        (configuration,) = (log.parent / "tmp").glob("*/nginx.conf")
        found = re.findall(r"upstream server\d+ \{\s+server 127\.0\.0\.1:(\d+)", configuration.read_text())
        self.ports: list[str] = found

    def server(self, number: int) -> psutil.Process | None:
        """The process of a server, by its number from 1; None while there is none."""
        for one in self.supervisor.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if self.ports[number - 1] in one.cmdline():
                    return one
        return None


@contextlib.contextmanager
def running(environment: dict[str, str], folder: Path, port: int = 0) -> Iterator[Instance]:
    """`hosting/image.sh start` until the block ends, which waits for a graceful end.

    Args:
        environment: of the servers.
        folder: what can be written, besides what `environment` names.
        port: where it listens; a free one where none is named.
    """
    port, log = port or free_port(), folder / "log"
    words = ["--address", "127.0.0.1", "--port", str(port), "--base", f"{BASE}/", "--servers", str(SERVERS)]
    command = ["sh", str(ROOT / "hosting" / "image.sh"), "start", "--state", str(folder / "state"), *words]
    (folder / "tmp").mkdir()
    environment = {**environment, "PYTHON": sys.executable, "TMPDIR": str(folder / "tmp")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*confined(folder), *command], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + 150
        while "is ready" not in log.read_text():
            if process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"The instance did not get ready:\n{log.read_text()}")
            time.sleep(0.1)
        yield Instance(port, psutil.Process(process.pid), log)
    finally:
        process.terminate()
        process.wait(60)


def confined(folder: Path) -> tuple[str, ...]:
    """A prefix that takes all rights away and leaves temporary folders to write in, where that can be."""
    place = next(one for one in folder.resolve().parents if one.parent == Path("/"))
    mounts = f"mount --bind {place} {place} && mount -o remount,ro,bind /"
    bound = BOUND if shutil.which("setpriv") else ()
    prefix = ("unshare", "-rm", "sh", "-c", f'{mounts} && exec "$@"', "sh", *bound)
    done = subprocess.run([*prefix, "true"], capture_output=True, env=dict(os.environ))
    return prefix if done.returncode == 0 else ()
