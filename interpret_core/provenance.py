"""What a file was made with: program, torch, processor."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

MADE_WITH = "made_with"  # its name in every file: the last column of tables


@cache
def made_with() -> str:
    """Versions of the program and of torch, and the instructions that torch makes use of here.

    Processors differ in a result's last digits: with this line somebody can tell why two files do. Without a
    comma, so that a table can still be read by splitting its lines.
    """
    import torch

    from interpret_core import __version__

    capability = torch.backends.cpu.get_cpu_capability()
    return f"Unitscope {__version__}; torch {torch.__version__}; {platform.machine()} ({capability})"


def signed(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows as they leave for a file, each with what it was made with: rows of several files may be joined."""
    return ({**row, MADE_WITH: made_with()} for row in rows)
