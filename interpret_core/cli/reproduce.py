"""`reproduce`: the paper's study as one command, and a data set's totals beside published ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interpret_core import config, installation
from interpret_core.cli.commands import SPREADING, given_to, with_options
from interpret_core.cli.files import FileTable, check_folder, check_target, whole_file, write_rows
from interpret_core.cli.options import Cache, Device, NoPictures, Out, Verbose
from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress, console, draw
from interpret_core.errors import UnitscopeError
from interpret_core.reproduction.request import StudyRequest, TotalsRequest
from interpret_core.tables import Table, cell, some

if TYPE_CHECKING:
    from interpret_core.privacy import Discretion
    from interpret_core.reproduction.study import Study
    from interpret_core.reproduction.totals import ComparedTotals
    from interpret_core.runtime.execution import Execution
    from interpret_core.store import Store

SHOWN = 20  # differences on the screen without --verbose
DOCUMENT = installation.HOME / "docs" / "method.md"

Folder = Annotated[Path, typer.Option(metavar="FOLDER", help="Where page and tables go; made if missing.")]


def reproduce_paper(context: typer.Context, **given: Any) -> None:
    """Compute the paper's study, and put each number beside the paper's: tables and one page."""
    from interpret_core.reproduction.study import run_study
    from interpret_core.runtime.disclosure import discretion_of

    folder = check_folder(given["out"])
    request = given_to(StudyRequest, given)
    screen = console()
    with _running(context.obj, given) as (store, execution):
        study = run_study(request, store, execution, lambda line: screen.print(line, soft_wrap=True))
    for found in study.networks:
        mean, deviation = (cell(found.whole[name]) for name in ("error", "error_sd"))
        screen.print(f"{found.name}: error {mean} ± {deviation} % (Table I), {found.facts['evidence']}")
    told = discretion_of(request, pictures=not given["no_pictures"])
    screen.print(f"Ready: {write_study(folder, study, told)}", soft_wrap=True)


@contextmanager
def _running(stop: Stop, given: Mapping[str, Any]) -> Iterator[tuple[Store, Execution]]:
    """The store, and how to run: with progress, and so that Ctrl-C loses nothing."""
    from interpret_core.runtime.execution import Execution
    from interpret_core.runtime.executors.choice import chosen
    from interpret_core.store import Store

    executor = chosen(given["workers"], given["scheduler"])
    with (
        Store(given["cache"] or config.current().cache) as store,
        stop.patiently(),
        executor,
        Progress(console()) as progress,
    ):
        device = given.get("device", "auto")
        yield store, Execution(device, executor, tell=progress.tell, cancelled=stop.asked)


def write_study(folder: Path, study: Study, discretion: Discretion) -> Path:
    """All files of a study, the page last; the page's path.

    Args:
        folder: where to.
        study: what was found.
        discretion: how folders and pictures are called in them.

    Raises:
        UserError: one cannot be written.
    """
    from interpret_core.reproduction.page import METHOD, page
    from interpret_core.reproduction.sheets import FACTS, PAGE, sheets

    study = discretion.told(study)
    for sheet in sheets(study):
        write_rows(folder / sheet.name, FileTable(sheet.columns, sheet.rows), discretion)
    with whole_file(folder / FACTS) as file:
        file.write(json.dumps(study.description(), ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    there = DOCUMENT.is_file()
    if there:
        with whole_file(folder / METHOD) as file:
            file.write(DOCUMENT.read_text(encoding="utf-8"))
    with whole_file(folder / PAGE) as file:
        file.write(page(study, there))
    return folder / PAGE


def reproduce_totals(context: typer.Context, **given: Any) -> None:
    """Compare a data set's pixel totals with published ones, exactly; exit status 1 where one differs."""
    from interpret_core.reproduction.totals import COLUMNS, compare_totals, read_published
    from interpret_core.runtime.disclosure import discretion_of

    out: Path | None = given["out"]
    request = given_to(TotalsRequest, given)
    target = check_target(out) if out is not None else None
    rows = read_published(Path(request.published))
    screen = console()
    with _running(context.obj, given) as (store, execution):
        found = compare_totals(request, rows, store, execution)
    _show_totals(found, given["verbose"])
    if target is not None:
        table = FileTable(COLUMNS, [one.row() for one in found.totals], found.description())
        told = discretion_of(request, pictures=not given["no_pictures"])
        number = write_rows(target, table, told)
        screen.print(f"{number:,} rows written to {target}", soft_wrap=True)
    if found.wrong:
        raise UnitscopeError(
            f"{len(found.wrong):,} of {len(found.totals):,} totals of {found.dataset} are not as published."
        )


paper_command = with_options(
    reproduce_paper,
    StudyRequest,
    {"device": Device, **SPREADING, "cache": Cache, "out": Folder, "no_pictures": NoPictures},
)
totals_command = with_options(
    reproduce_totals,
    TotalsRequest,
    {**SPREADING, "cache": Cache, "out": Out, "no_pictures": NoPictures, "verbose": Verbose},
)


def _show_totals(found: ComparedTotals, verbose: bool) -> None:
    screen = console()
    categories = ", ".join(found.categories)
    screen.print(
        f"{found.dataset}: {found.images:,} images, {len(found.totals):,} totals of {categories}, "
        f"digest {found.digest}",
        soft_wrap=True,
    )
    if found.skipped:
        reasons = [reason if image in reason else f"{image}: {reason}" for image, reason in found.skipped]
        screen.print(
            f"{len(reasons):,} images are damaged and in no total: {some(reasons, verbose)}", soft_wrap=True
        )
    if found.unlisted:
        screen.print(
            f"{found.unlisted:,} pixels count as unlabelled, since label.csv does not list their label "
            "under the map's category",
            soft_wrap=True,
        )
    if found.shared:
        screen.print(
            f"names of several concepts, compared whatever their order: {some(found.shared, verbose)}. A "
            "column category would tell them apart",
            soft_wrap=True,
        )
    if not found.wrong:
        screen.print(f"All {len(found.totals):,} totals are as published, to the pixel.")
        return
    columns = ("category", "concept", "published", "here", "difference", "state")
    cells = [tuple(one.row().values()) for one in found.wrong[: None if verbose else SHOWN]]
    more = len(found.wrong) - len(cells)
    caption = f"and {more:,} more (--verbose shows them)" if more else ""
    draw(screen, Table("Not as published", columns, cells, columns[2:5], caption))
