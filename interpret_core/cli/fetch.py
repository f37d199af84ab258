"""`fetch broden`: download, resume, verify, unpack, and how to make it known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interpret_core import config
from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress, console

ADDRESS = "http://netdissect.csail.mit.edu/data"


def fetch_broden_command(
    context: typer.Context,
    resolution: Annotated[
        int, typer.Option(help="Pixels: 224 (annotations 112), 227 (113) or 384 (192).")
    ] = 224,
    to: Annotated[Path, typer.Option(help="Folder that holds data sets; made if missing.")] = Path("data"),
    url: Annotated[str, typer.Option(help="Address of the folder with the archive, for a mirror.")] = ADDRESS,
) -> None:
    """Download and unpack Broden (1 to 3 GB); the same command again resumes where it broke off."""
    from interpret_core.datasets.fetch.broden import Step, fetch_broden

    screen = console()
    stop: Stop = context.obj
    with stop.patiently(), Progress(screen, megabytes) as progress:

        def tell(step: Step) -> None:
            progress.tell(step.phase, step.done, step.total)

        folder = fetch_broden(to, resolution, base_url=url, progress=tell, cancelled=stop.asked)
    screen.print(f"Ready: {folder}", soft_wrap=True)
    for line in registration(folder.resolve()):
        screen.print(line, soft_wrap=True)


def registration(folder: Path) -> tuple[str, ...]:
    """How to make a folder known under a name, or the name it already has."""
    for name, known in config.current().datasets.items():
        if known.resolve() == folder:
            return (f"It is registered as {name}: --dataset {name}",)
    return (
        f"On the command line: --dataset {folder}",
        f"For the dashboard, write into {config.DEFAULT_CONFIG}:",
        "[datasets]",
        f'{folder.name} = "{folder}"',
    )


def megabytes(number: int) -> str:
    """Bytes in words."""
    return f"{number / 1e6:,.1f} MB"
