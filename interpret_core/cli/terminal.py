"""What the commands write: tables, and progress as a bar on a terminal, as plain lines elsewhere.

All of it goes to stdout, so that stderr has nothing but the one line of an error.
"""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from interpret_core.jobs.forecast import Forecast
from interpret_core.tables import Table as Shown
from interpret_core.tables import cell

WIDE = 200  # columns where no terminal says how many it has
PACE = 1.0  # seconds between two plain lines
NARROW, GAP = 24, 2  # columns that a text has at least, if it needs them, and between two columns
PATIENCE = 30.0  # seconds after which a plain line comes even without visible progress


class Literal(Console):
    """Prints texts as they are: what a name holds is neither markup nor an order to the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, highlight=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Every text on its way to the screen, cells of tables included."""
        return super().render_str(printable(text), **options)


def console() -> Console:
    """Stdout; what is printed is text, never markup."""
    return Literal(width=None if sys.stdout.isatty() else WIDE)


def printable(text: str) -> str:
    """The text in one line, with what a terminal would obey or cannot show as Python writes it: `\\x1b`."""
    return "".join(one if _shown(one) else one.encode("unicode_escape").decode() for one in text)


def _shown(character: str) -> bool:
    # Control characters, what ends a line, invisible ones that turn its direction, halves of characters; but
    # joiners belong to the letters and pictures around them.
    ended = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return character in "\u200c\u200d" or unicodedata.category(character) not in ended


def table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in `numbers` are aligned to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        right = column in numbers
        made.add_column(column, justify="right" if right else "left", no_wrap=right, overflow="fold")
    return made


def drawn(found: Shown) -> Table:
    """A table as rich draws it."""
    made = table(found.title, *found.columns, numbers=found.numbers)
    for row in found.cells:
        made.add_row(*(cell(value) for value in row))
    if found.caption:
        made.caption, made.caption_justify = found.caption, "left"
    return made


def draw(screen: Console, found: Shown) -> None:
    """A table on a screen, as several where there is no room for all columns beside each other."""
    for part in fitting(found, screen.width):
        screen.print(drawn(part))


def fitting(found: Shown, width: int) -> list[Shown]:
    """A table as one or several that so many columns have room for: each with its texts and some numbers.

    A number that is cut off looks like another one. Texts may go on in further lines, numbers may not.
    """
    widths = _widths(found)
    numbers = [at for at, name in enumerate(found.columns) if name in found.numbers]
    texts = [at for at in range(len(widths)) if at not in numbers]
    room = width - sum(min(widths[at], NARROW) + GAP for at in texts)
    blocks: list[list[int]] = [[]]
    left = room
    for at in numbers:
        if blocks[-1] and widths[at] > left:
            blocks.append([])
            left = room
        blocks[-1].append(at)
        left -= widths[at] + GAP
    if len(blocks) == 1:
        return [found]
    last = blocks[-1]
    return [_of_columns(found, sorted([*texts, *block]), last=block is last) for block in blocks]


def _widths(found: Shown) -> list[int]:
    """Columns that names and cells take, by column of the table."""
    rows = [found.columns, *([cell(value) for value in row] for row in found.cells)]
    return [max(cell_len(printable(one)) for one in column) for column in zip(*rows, strict=True)]


def _of_columns(found: Shown, kept: Sequence[int], *, last: bool) -> Shown:
    columns = tuple(found.columns[at] for at in kept)
    cells = [tuple(row[at] for at in kept) for row in found.cells]
    return Shown(found.title, columns, cells, found.numbers, found.caption if last else "")


# Stages of a profile that count no images: permutations of a layer, and guesses of its masks. They go on in
# the count of the passes before them.
IN_STEPS = ("chance", "assessment")


class Progress:
    """Tells how far a computation is. Use it as a context manager; `tell` fits every computation's callback.

    Args:
        screen: where to.
        amount: a number in words, for steps that are bytes, say.
        clock: seconds, for tests.
        bounded: whether the time left is known to whoever reads, in plain lines.
    """

    def __init__(
        self,
        screen: Console,
        amount: Callable[[int], str] = lambda number: f"{number:,}",
        clock: Callable[[], float] = time.monotonic,
        *,
        bounded: bool = False,
    ) -> None:
        self._screen, self._amount, self._clock = screen, amount, clock
        self._bar = _bar(screen) if screen.is_terminal else None
        self._task: TaskID | None = None
        self._stage = ""
        self._last = float("-inf")
        self._share = -1.0
        self._forecast = None if bounded else Forecast()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, stage: str, done: int, total: int | None) -> None:
        """Progress of a stage; a total of 0 or None is unknown."""
        stage = printable(stage)
        if self._bar is not None:
            self._draw(self._bar, stage, done, total)
        else:
            left = self._left(stage, done, total or 0)
            if self._due(stage, done / total if total else 0.0):
                self._screen.print(
                    f"{stage} {self._words(done, total, stage)}".rstrip() + left, soft_wrap=True
                )

    def _draw(self, bar: Bar, stage: str, done: int, total: int | None) -> None:
        if self._task is None:
            self._task = bar.add_task(stage, total=total or None, words="")
        words = self._words(done, total, stage)
        bar.update(self._task, description=stage, completed=done, total=total or None, words=words)

    def _due(self, stage: str, share: float) -> bool:
        now = self._clock()
        new, waited = stage != self._stage, now - self._last
        if not new and (waited < PACE or (share - self._share < 0.01 and waited < PATIENCE)):
            return False
        self._stage, self._last, self._share = stage, now, share
        return True

    def _left(self, stage: str, done: int, total: int) -> str:
        """Time left, once a pace has held."""
        now = self._clock()
        end = None if self._forecast is None else self._forecast.seen(stage, done, total, now)
        return "" if end is None or done >= total else f", about {_duration(end - now)} left"

    def _words(self, done: int, total: int | None, stage: str) -> str:
        if total:
            return f"{self._amount(done)}/{self._amount(total)}{' steps' if stage in IN_STEPS else ''}"
        return self._amount(done) if done else ""


def _duration(seconds: float) -> str:
    """`40 s`, `4 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _bar(screen: Console) -> Bar:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Bar(*columns, console=screen)
