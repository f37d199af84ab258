"""What a file was made with: program, torch, processor."""

from __future__ import annotations

import platform
from functools import cache


@cache
def made_with() -> str:
    """Versions of the program and of torch, and the instructions that torch makes use of here.

    Processors differ in a result's last digits: with this line somebody can tell why two files do.
    """
    import torch

    from interpret_core import __version__

    capability = torch.backends.cpu.get_cpu_capability()
    return f"Unitscope {__version__}, torch {torch.__version__}, {platform.machine()} ({capability})"
