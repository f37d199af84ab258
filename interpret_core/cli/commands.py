"""Commands made from analyses: a request's fields become options, its result a report and a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from interpret_core import config
from interpret_core.analyses.base import Entry
from interpret_core.cli.options import (
    Cache,
    Device,
    Merged,
    NoPictures,
    Out,
    Part,
    Scheduler,
    ShardOrder,
    Shards,
    Time,
    Verbose,
    Workers,
    number,
    whole,
)
from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress, console, draw
from interpret_core.errors import ParameterError
from interpret_core.lists import joined_names
from interpret_core.options import Names, Request, RequestField, fields_of
from interpret_core.tables import Table

if TYPE_CHECKING:
    from interpret_core.runtime.execution import Execution

PARSERS: dict[Any, Callable[[Any], Any]] = {int: whole, float: number}
LISTS = (Names, tuple[str, ...])
RUNNING = {"device": Device, "cache": Cache, "out": Out, "no_pictures": NoPictures, "verbose": Verbose}
SPREADING = {"workers": Workers, "scheduler": Scheduler}
PARTING = {"part": Part, "merged": Merged}
BOUNDING = {"time": Time}
SHARDING = {"shards": Shards, "shard_order": ShardOrder}
DEFAULTS: dict[str, Any] = {"device": "auto", "no_pictures": False, "verbose": False}


def command(entry: Entry) -> Callable[..., None]:
    """The command of an analysis: a function as typer takes it, whose parameters are the request's fields."""

    def run(context: typer.Context, **given: Any) -> None:
        _run(entry, context.obj, given)

    run.__doc__ = entry.summary
    run.__name__ = entry.command or entry.name
    return with_options(run, entry.request, running(entry))


def with_options(
    run: Callable[..., None], request: type[Request], common: Mapping[str, Any]
) -> Callable[..., None]:
    """A function of the context and of whatever is given, with a request's fields as its options.

    Args:
        run: called with the context and a value by name.
        request: whose fields become options.
        common: further options, name -> annotation; one that has no default has to be given where it is
            not optional.
    """
    asked = [_parameter(one) for one in fields_of(request)]
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    more = [_common(name, kind) for name, kind in common.items()]
    run.__signature__ = inspect.Signature([context, *asked, *more])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


def given_to(request: type[Request], given: Mapping[str, Any]) -> Any:
    """The request of what was given on the command line.

    Raises:
        ParameterError: what would have no meaning.
    """
    asked = {one.name: given[one.name] for one in fields_of(request)}
    return request(**{name: ",".join(one) if isinstance(one, list) else one for name, one in asked.items()})


def running(entry: Entry) -> dict[str, Any]:
    """Options that say how to run and what to write."""
    device, *rest = RUNNING.items()
    spreading = (SPREADING | PARTING).items() if entry.spread else ()
    sharding = SHARDING.items() if entry.sharded else ()
    bounding = BOUNDING.items() if entry.bounded else ()
    return dict([device, *bounding, *spreading, *sharding, *rest])


def _parameter(field: RequestField) -> inspect.Parameter:
    option = field.option
    kind: Any = str if field.kind in LISTS else field.kind
    kind = list[str] if option.repeated else kind
    default = field.default
    if field.kind in LISTS and isinstance(default, tuple):
        default = joined_names(default)
    flags = option.flags or (f"--{field.name.replace('_', '-')}",)
    told: dict[str, Any] = {"help": option.help}
    if kind is not bool:
        told |= {"metavar": option.metavar, "parser": PARSERS.get(kind)}
    if option.shown:
        told["show_default"] = option.shown
    asked = typer.Argument(**told) if option.argument else typer.Option(*flags, **told)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=Annotated[kind | None if field.optional else kind, asked],
    )


def _common(name: str, kind: Any) -> inspect.Parameter:
    required = get_args(kind)[:1] == (Path,)
    default = inspect.Parameter.empty if required else DEFAULTS.get(name)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _run(entry: Entry, stop: Stop, given: dict[str, Any]) -> None:
    """Check what is asked for, compute what is missing, say what was found, write the file."""
    from interpret_core.cli.files import FileTable, check_target, write_rows
    from interpret_core.cli.merge import note_end, opened
    from interpret_core.runtime.disclosure import discretion_of, licences_of
    from interpret_core.runtime.rounds import RoundDoneError

    out: Path | None = given["out"]
    target = check_target(out) if out is not None else None
    cache = given["cache"] or config.current().cache
    request = given_to(entry.request, given)
    execution = _execution(given, stop)
    screen = console()
    with opened(cache, given.get("merged")) as store:
        analysis = entry.load()
        try:
            bound = given.get("time")
            progress = Progress(screen, bounded=bound is not None)
            with stop.patiently(), execution.executor, progress:
                found = _computed(request, store, replace(execution, tell=progress.tell), bound)
        except RoundDoneError as ended:
            note_end(request, store, execution.executor, ended)
            screen.print(f"Part {given['part']}: {ended}", soft_wrap=True)
            return
        note_end(request, store, execution.executor)
    show(analysis.report(found, given["verbose"]))
    if target is not None:
        described = {**analysis.description(found), **licences_of(request)}
        table = FileTable(analysis.columns(found), analysis.rows(found), described)
        written = write_rows(target, table, discretion_of(request, pictures=not given["no_pictures"]))
        screen.print(f"{written:,} rows written to {target}", soft_wrap=True)


def _computed(request: Any, store: Any, execution: Execution, seconds: float | None) -> Any:
    from interpret_core.analyses.registry import compute

    return compute(request, store, execution, seconds)


def _execution(given: dict[str, Any], stop: Stop) -> Execution:
    from interpret_core.runtime.execution import Execution
    from interpret_core.runtime.executors.choice import chosen

    shards = given.get("shards")
    if shards is not None and shards < 1:
        raise ParameterError(f"--shards is {shards}, but expected a whole number of at least 1.")
    order = order_of(given.get("shard_order"), shards)
    executor = chosen(given.get("workers"), given.get("scheduler"), given.get("part"))
    if given.get("time") is not None and given.get("part") is not None:
        raise ParameterError(
            f"--time and --part {given['part']} were both given, expected one of them: parts have to compute "
            "the same."
        )
    if given.get("merged") is not None and given["part"] is None:
        raise ParameterError(
            f"--merged {given['merged']} was given without --part, but expected both: whoever is no part "
            "uses what was joined as its cache (--cache)."
        )
    return Execution(given["device"], executor, shards, order, cancelled=stop.asked)


def order_of(text: str | None, shards: int | None) -> tuple[int, ...] | None:
    """The order of shards as numbers; every shard exactly once, or images would be left out in silence."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    numbers = tuple(int(part) for part in parts if part.isdecimal())
    if shards is None or len(numbers) != len(parts) or sorted(numbers) != list(range(shards)):
        raise ParameterError(
            f"--shard-order is {text!r}, but expected every number below --shards once, such as 2,0,1 "
            "for --shards 3."
        )
    return numbers


def show(report: Iterable[str | Table]) -> None:
    """Lines and tables on the screen."""
    screen = console()
    for one in report:
        if isinstance(one, Table):
            draw(screen, one)
        else:
            screen.print(one, soft_wrap=True)
