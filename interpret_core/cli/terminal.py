"""What the commands write: tables, and progress as a bar on a terminal, as plain lines elsewhere.

All of it goes to stdout, so that stderr has nothing but the one line of an error.
"""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from interpret_core.tables import Table as Shown
from interpret_core.tables import cell

WIDE = 200  # columns where no terminal says how many it has
PACE = 1.0  # seconds between two plain lines
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


class Progress:
    """Tells how far a computation is. Use it as a context manager; `tell` fits every computation's callback.

    Args:
        screen: where to.
        amount: a number in words, for steps that are bytes, say.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        screen: Console,
        amount: Callable[[int], str] = lambda number: f"{number:,}",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._screen, self._amount, self._clock = screen, amount, clock
        self._bar = _bar(screen) if screen.is_terminal else None
        self._task: TaskID | None = None
        self._stage = ""
        self._last = float("-inf")
        self._share = -1.0

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
        elif self._due(stage, done / total if total else 0.0):
            self._screen.print(f"{stage} {self._words(done, total)}".rstrip(), soft_wrap=True)

    def _draw(self, bar: Bar, stage: str, done: int, total: int | None) -> None:
        if self._task is None:
            self._task = bar.add_task(stage, total=total or None, words="")
        words = self._words(done, total)
        bar.update(self._task, description=stage, completed=done, total=total or None, words=words)

    def _due(self, stage: str, share: float) -> bool:
        now = self._clock()
        new, waited = stage != self._stage, now - self._last
        if not new and (waited < PACE or (share - self._share < 0.01 and waited < PATIENCE)):
            return False
        self._stage, self._last, self._share = stage, now, share
        return True

    def _words(self, done: int, total: int | None) -> str:
        if total:
            return f"{self._amount(done)}/{self._amount(total)}"
        return self._amount(done) if done else ""


def _bar(screen: Console) -> Bar:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Bar(*columns, console=screen)
