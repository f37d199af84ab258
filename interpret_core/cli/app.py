"""The commands under one name, and what an error looks like: one line and an exit status."""

from __future__ import annotations

import io
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from interpret_core import __version__
from interpret_core.analyses.registry import entries
from interpret_core.cli.benchmarks import bench_ablation, bench_profile, bench_relevance, bench_workers
from interpret_core.cli.commands import command
from interpret_core.cli.doctor import doctor
from interpret_core.cli.fetch import fetch_broden_command
from interpret_core.cli.imports import import_app
from interpret_core.cli.jobs import jobs_app
from interpret_core.cli.lists import list_datasets, list_networks
from interpret_core.cli.merge import merge_command
from interpret_core.cli.reproduce import paper_command, totals_command
from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import printable
from interpret_core.errors import Cancelled, UnitscopeError, UserError
from interpret_core.installation.dashboard import serve

PROGRAM = "python -m interpret_core"
DEBUG = "--debug"
WRONG, BROKEN, STOPPED = 2, 1, 130  # exit status: the user's mistake, ours, interrupted

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
fetch = typer.Typer(help="Download a data set.", rich_markup_mode=None)
bench = typer.Typer(help="Measure speed and memory against plain baselines.", rich_markup_mode=None)

reproduce = typer.Typer(help="Published numbers, computed again.", rich_markup_mode=None)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unitscope {__version__}")
        raise typer.Exit


def _help_instead(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _unitscope(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    """See what every unit of a convolutional network detects."""
    _help_instead(context)


app.command("networks")(list_networks)
app.command("datasets")(list_datasets)
fetch.callback(invoke_without_command=True)(_help_instead)
fetch.command("broden")(fetch_broden_command)
app.add_typer(fetch, name="fetch")
import_app.callback(invoke_without_command=True)(_help_instead)
app.add_typer(import_app, name="import")
app.add_typer(jobs_app, name="jobs")
for _entry in entries().values():
    app.command(_entry.called)(command(_entry))
app.command("merge")(merge_command)
app.command("doctor")(doctor)
app.command("serve")(serve)
bench.callback(invoke_without_command=True)(_help_instead)
bench.command("profile")(bench_profile)
bench.command("relevance")(bench_relevance)
bench.command("ablation")(bench_ablation)
bench.command("workers")(bench_workers)
app.add_typer(bench, name="bench")
reproduce.callback(invoke_without_command=True)(_help_instead)
reproduce.command("paper")(paper_command)
reproduce.command("broden-totals")(totals_command)
app.add_typer(reproduce, name="reproduce")


def main(arguments: Sequence[str] | None = None, program: str | None = None) -> int:
    """Run one command.

    Args:
        arguments: as on the command line, without the program's name; those of this process by default.
        program: what it calls itself in help and hints; `python -m interpret_core` by default.

    Returns:
        The exit status: 0; 2 for a user's mistake; 130 when stopped by Ctrl-C or SIGTERM; 1 for anything
        else. All but 0 come with one line on stderr.
    """
    _write_what_can_be_written()
    given = list(sys.argv[1:] if arguments is None else arguments)
    program = program or PROGRAM
    debug = DEBUG in given
    given = [argument for argument in given if argument != DEBUG]
    with Stop() as stop:
        try:
            status = typer.main.get_command(app).main(
                args=given, prog_name=program, standalone_mode=False, obj=stop
            )
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            if debug:
                traceback.print_exc()
            status, line = _explained(error, given, program)
            _say(line)
            return status
    if status == STOPPED:
        _say(_STOPPED_LINE)
    return status if isinstance(status, int) else 0


_STOPPED_LINE = "Stopped. Finished parts are kept; the same command goes on from them."


def _explained(error: BaseException, arguments: Sequence[str], program: str) -> tuple[int, str]:
    """Exit status and line of an error; an empty line says nothing."""
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return STOPPED, _STOPPED_LINE
    if isinstance(error, UserError):
        return WRONG, f"Error: {error}"
    if isinstance(error, typer.TyperException):
        return WRONG, f"Error: {_usage(error, program)}"
    if isinstance(error, UnitscopeError):
        return BROKEN, f"Error: {error}"
    if isinstance(error, MemoryError):
        return BROKEN, "Error: not enough memory; choose fewer layers or a smaller --batch-size."
    if isinstance(error, BrokenPipeError | SystemExit):  # typer turns the former into the latter
        _drop_stdout()
        return BROKEN, ""
    again = f"{program} {shlex.join([DEBUG, *arguments])}"
    return BROKEN, f"Internal error, please report it: {type(error).__name__}: {error}. Traceback: {again}"


def _usage(error: typer.TyperException, program: str) -> str:
    """What is wrong with the arguments, and where to read on."""
    message = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else program
    return f"{message.rstrip('.')}. See {path} --help"


def _write_what_can_be_written() -> None:
    """A name that the screen's encoding lacks is spelled out there, and is no reason to stop."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_stdout() -> None:
    """Nobody reads on: leave quietly, also while Python flushes at its end."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open until the process ends


def _say(line: str) -> None:
    if line:
        print(printable(" ".join(line.split())), file=sys.stderr)
