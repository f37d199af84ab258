"""`serve`: the dashboard, from any working folder.

Apart from the other commands, whose analyses it would otherwise load, only to become another process.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from interpret_core import installation
from interpret_core.errors import UserError

SCRIPT = "serve.py"
NAME = "serve"  # of the command


def serve(
    address: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port there.")] = 8501,
    streamlit: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- OPTIONS", help="Options of Streamlit, after --."),
    ] = None,
) -> None:
    """Open the dashboard on http://127.0.0.1:8501; Ctrl-C ends it."""
    words = command(address, port, *(streamlit or ()))
    sys.stdout.flush()
    os.execv(words[0], words)  # the same process, so that whoever started it can end it


def serve_only(arguments: Sequence[str], program: str | None) -> int | None:
    """Run `serve` if that is what the command line says and nothing is wrong with it.

    Args:
        arguments: of the whole command line.
        program: what it calls itself in its help.

    Returns:
        The exit status where it has answered (`--help`); None where the whole command line has to, or has to
        say what is wrong. Otherwise the process goes on as the dashboard.
    """
    if list(arguments[:1]) != [NAME]:
        return None
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(NAME)(serve)
    words, name = list(arguments[1:]), f"{program or 'python -m interpret_core'} {NAME}"
    try:
        typer.main.get_command(alone).main(args=words, prog_name=name, standalone_mode=False)
    except Exception:  # said by the whole command line, in its words
        return None
    return 0


def command(address: str, port: int, *options: str) -> list[str]:
    """What starts the dashboard.

    Args:
        address: where it listens.
        port: where it listens.
        options: further ones of Streamlit.

    Raises:
        UserError: there is no dashboard, or no Streamlit.
    """
    script = installation.HOME / SCRIPT
    if not script.is_file():
        raise UserError(
            f"The dashboard's script {script} is missing, expected it as part of Unitscope: install it anew "
            "(pip install --force-reinstall --no-deps unitscope), or start it from a whole checkout."
        )
    if importlib.util.find_spec("streamlit") is None:
        raise UserError(
            f"The dashboard needs Streamlit, which is not installed in {Path(sys.prefix)}: install it as "
            "Unitscope's dependency (pip install unitscope)."
        )
    where = ["--server.address", address, "--server.port", str(port), "--server.headless", "true"]
    return [sys.executable, "-m", "streamlit", "run", str(script), *where, *options]
