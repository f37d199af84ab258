"""The file that `--out` names: a table as CSV, or the same rows as JSON with what they are about."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from interpret_core.errors import UserError
from interpret_core.privacy import Discretion
from interpret_core.provenance import MADE_WITH, signed
from interpret_core.tables import Row, write_csv


@dataclass(frozen=True)
class FileTable:
    """What a file holds.

    Attributes:
        columns: in the order of a CSV's header.
        rows: by column.
        described: everything beside the rows; only JSON has room for it.
    """

    columns: Sequence[str]
    rows: Iterable[Row]
    described: Row = field(default_factory=dict)


def check_target(path: Path) -> Path:
    """The file to write, once it is sure that it can be written.

    Raises:
        UserError: another suffix, a folder, or a place where no file can be made.
    """
    if path.suffix not in (".csv", ".json"):
        raise UserError(f"--out is {str(path)!r}, but expected a file that ends in .csv or .json.")
    if path.is_dir():
        raise UserError(f"--out {path} is a folder, but expected a file in it: add a name.")
    target = path.resolve()  # a link stays a link
    probe = _beside(target)
    try:
        probe.open("x").close()
        probe.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error
    return target


def write_rows(target: Path, table: FileTable, discretion: Discretion) -> int:
    """Write all rows and what they were made with, the file whole or as it was before; returns their number.

    Args:
        target: from `check_target`.
        table: what to write.
        discretion: how folders, and where they are to be left out, pictures are called in it.

    Raises:
        UserError: it cannot be written.
    """
    rows: Iterator[Row] = map(discretion.told, signed(table.rows))
    with whole_file(target) as file:
        if target.suffix == ".json":
            return _json(file, rows, discretion.told(table.described))
        return write_csv(file, (*table.columns, MADE_WITH), rows)


@contextmanager
def whole_file(target: Path) -> Iterator[TextIO]:
    """A text file to write, which is there as a whole afterwards, or as it was before.

    Raises:
        UserError: it cannot be written.
    """
    part = _beside(target)
    try:
        try:
            # A file's name may be no text; the escape of what is none in it is also JSON's.
            with part.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(target, error) from error


def check_folder(path: Path) -> Path:
    """The folder to write into, made if it is missing, once it is sure that files can be made there.

    Raises:
        UserError: a file, or a place where nothing can be made.
    """
    target = path.resolve()
    if target.exists() and not target.is_dir():
        raise UserError(f"--out {path} is a file, but expected a folder: choose another name.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        probe = _beside(target / "probe")
        probe.open("x").close()
        probe.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error
    return target


def _json(file: TextIO, records: Iterable[Row], described: Row) -> int:
    """One record a line, so that a file of many thousands need not be held in memory."""
    file.write(
        '{"metadata": ' + json.dumps(described, ensure_ascii=False, allow_nan=False) + ',\n"records": ['
    )
    number = 0
    for row in records:
        file.write((",\n" if number else "\n") + json.dumps(row, ensure_ascii=False, allow_nan=False))
        number += 1
    file.write("\n]}\n")
    return number


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def _unwritable(path: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"--out {path} cannot be written ({reason}): choose a folder that exists and has room.")
