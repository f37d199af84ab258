"""What this server may use, checked before it answers anybody."""

from __future__ import annotations

import sys

from interpret_core import config
from interpret_core.errors import UserError
from ui.session.live import queue


def check() -> None:
    """End the process, with one line, where a limit is stated that is none."""
    try:
        config.cache_size()
        config.memory_size()
        queue.queue()
    except UserError as error:
        sys.exit(f"Unitscope does not start: {error}")
