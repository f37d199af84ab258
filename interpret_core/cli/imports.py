"""`import FORMAT`: other people's data sets brought into the layout that is read; a command per format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interpret_core.cli.commands import given_to, with_options
from interpret_core.cli.fetch import registration
from interpret_core.cli.options import whole
from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress, console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interpret_core.importers import Imported, Importer

SHOWN = 3  # pictures that are named on the screen
_SIDES = re.compile(r"\s*(\d{1,5})\s*(?:[x×]\s*(\d{1,5}))?\s*")


def grid(text: str | tuple[int, int]) -> tuple[int, int]:
    """A size as H×W or as one number, for an option's parser."""
    if isinstance(text, tuple):
        return text
    match = _SIDES.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no size, expected one such as 112 or 112x96")
    return int(match[1]), int(match[2] or match[1])


COMMON: dict[str, Any] = {
    "into": Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to make.")],
    "grid": Annotated[
        Any,
        typer.Option(
            parser=grid,
            metavar="SIZE",
            help="Of all label maps: 112 (the default), or 96x128.",
            show_default=False,
        ),
    ],
    "copy": Annotated[bool, typer.Option("--copy", help="Copy the pictures, in place of links to them.")],
    "resize": Annotated[
        int | None,
        typer.Option(parser=whole, metavar="PIXELS", help="Scale larger pictures down to this shorter side."),
    ],
}


class Formats(typer.core.TyperGroup):
    """A command per format, made when somebody asks: they bring the reader of pictures along."""

    _made: dict[str, Any] | None = None

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """Name -> command."""
        if self._made is None:
            from interpret_core.importers import importers

            app = typer.Typer(rich_markup_mode=None)
            app.callback()(_nothing)  # a group, however many there are
            for kind in importers().values():
                app.command(kind.called)(import_command(kind))
            self._made = dict(typer.main.get_group(app).commands)
        return self._made

    @commands.setter
    def commands(self, given: MutableMapping[str, Any]) -> None:
        """What typer has found; there is nothing in it."""


def _nothing() -> None:
    """Stands for the group, which is another."""


import_app = typer.Typer(
    cls=Formats,
    help="Bring a data set of another format into the layout that is read.",
    rich_markup_mode=None,
)


def import_command(kind: type[Importer]) -> Callable[..., None]:
    """The command of a format."""

    def run(context: typer.Context, **given: Any) -> None:
        _run(kind, context.obj, given)

    run.__doc__ = f"{kind.summary} The same command again goes on where it stopped."
    run.__name__ = kind.called
    return with_options(run, kind, COMMON)


def _run(kind: type[Importer], stop: Stop, given: Mapping[str, Any]) -> None:
    from interpret_core.importers import ImportSettings, run_import

    settings = ImportSettings(
        given["into"], given["grid"] or ImportSettings.grid, bool(given["copy"]), given["resize"]
    )
    screen = console()
    with stop.patiently(), Progress(screen) as progress:
        found = run_import(given_to(kind, given), settings, progress.tell, stop.asked)
    for line in report(found):
        screen.print(line, soft_wrap=True)
    for line in registration(found.folder):
        screen.print(line, soft_wrap=True)


def report(found: Imported) -> Iterator[str]:
    """What was imported, in lines."""
    counts = {"picture": found.pictures, "label": found.labels, "class": found.classes}
    what = [f"{many:,} {_plural(one, many)}" for one, many in counts.items() if many]
    yield f"{'Was imported before' if found.again else 'Imported'}: {', '.join(what)}, in {found.folder}"
    if found.map_sizes:
        yield _sizes(found)
    if found.turned:
        yield (
            f"{found.turned:,} pictures state an orientation that their size does not show; their label "
            "maps count "
            "as drawn on the upright picture"
        )
    yield from found.notes
    for name, why in found.left_out[:SHOWN]:
        yield f"Left out: {name}: {why}"
    if len(found.left_out) > SHOWN:
        yield f"{len(found.left_out):,} pictures are left out in all; import.json names them"
    if found.left_out:
        yield "Once they are mended, import into a new folder: this one stays as it is"


def _plural(one: str, many: int) -> str:
    return one if many == 1 else f"{one}es" if one.endswith("s") else f"{one}s"


def _sizes(found: Imported) -> str:
    height, width = found.grid
    first, *others = sorted(found.map_sizes)
    shown = "×".join(map(str, first)) if not others else f"{len(found.map_sizes):,} sizes"
    if others:
        smallest, largest = (choose(found.map_sizes, key=_area) for choose in (min, max))
        shown += f" from {'×'.join(map(str, smallest))} to {'×'.join(map(str, largest))}"
    line = f"Label maps of {shown} were brought to {height}×{width} by nearest"
    if found.lost:
        line += (
            f"; {found.lost:,} labels of single pictures are too small to be met by it (a larger "
            "--grid keeps more)"
        )
    return line


def _area(size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    return size[0] * size[1], size
