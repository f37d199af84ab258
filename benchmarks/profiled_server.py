"""`python profiled_server.py run serve.py …`: Streamlit's command, with every script run under a profiler.

Where the time went is written, as `pstats` reads it, into the file that UNITSCOPE_PROFILE names, each time
the server gets SIGUSR1; what was seen before is forgotten then.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web.cli import main

_kept: list[cProfile.Profile] = []
_lock = threading.Lock()
_run = ScriptRunner._run_script


def profiled(self: ScriptRunner, *arguments: Any, **named: Any) -> None:
    """One run of a page or a part of it."""
    profile = cProfile.Profile()
    try:
        profile.runcall(_run, self, *arguments, **named)
    finally:
        with _lock:
            _kept.append(profile)


def write(*_: object) -> None:
    """Add up what was kept."""
    with _lock:
        found = list(_kept)
        _kept.clear()
    if found:
        stats = pstats.Stats(found[0])
        for one in found[1:]:
            stats.add(one)
        partial = os.environ["UNITSCOPE_PROFILE"] + ".part"
        stats.dump_stats(partial)
        Path(partial).replace(os.environ["UNITSCOPE_PROFILE"])


if __name__ == "__main__":
    ScriptRunner._run_script = profiled  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, write)
    sys.exit(main())
