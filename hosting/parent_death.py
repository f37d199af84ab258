"""`python parent_death.py PARENT COMMAND …`: become a command that is asked to end when its parent dies.

A supervisor that is killed cannot end what it has started; Linux does it then. Elsewhere the command runs
without that. A program of its own rather than something between fork and exec, where a process with threads
may do next to nothing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG


def main() -> None:
    """Never returns."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before the line above
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
