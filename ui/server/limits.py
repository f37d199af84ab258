"""What this server may use, checked before it answers anybody."""

from __future__ import annotations

from interpret_core import config
from interpret_core.errors import UserError
from ui.session.live import queue


def problem() -> str:
    """Why a limit is none that is stated, in a line; empty where all hold."""
    try:
        config.cache_size()
        config.memory_size()
        queue.queue()
    except UserError as error:
        return str(error)
    return ""
