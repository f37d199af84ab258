"""CSV files read strictly: text in UTF-8, a header with the expected columns, rows of equal length."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from interpret_core.concepts import appearance
from interpret_core.errors import DatasetError


def read_text(path: Path, digests: dict[str, str]) -> str:
    """The text of a table; notes the SHA-256 of its bytes in `digests`, by file name."""
    try:
        content = path.read_bytes()
        digests[path.name] = hashlib.sha256(content).hexdigest()
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} is missing, expected Broden's layout (index.csv, label.csv, images/): "
            "point to the folder that holds index.csv."
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} has byte 0x{error.object[error.start]:02x} at position {error.start}, "
            "expected UTF-8: save the table as UTF-8."
        ) from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error


def numbered_rows(
    path: Path, text: str, required: Sequence[str]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Header and numbered rows of a CSV; blank lines are skipped, ragged ones refused."""
    reader = csv.reader(_lines(text), strict=True)
    header = [name.strip() for name in next(_guarded(path, reader), [])]
    missing = [name for name in required if name not in header]
    if missing:
        raise DatasetError(
            f"{path} has the columns {', '.join(header) or 'none'}, expected also {', '.join(missing)}: "
            "add them to its first line."
        )
    if len({appearance(name) for name in header}) != len(header):
        alike = len(set(header)) == len(header)
        shown = ", ".join(map(ascii, header) if alike else header)
        raise DatasetError(f"{path} names a column twice ({shown}), expected each once: rename one.")

    def rows() -> Iterator[tuple[int, list[str]]]:
        for row in _guarded(path, reader):
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise DatasetError(
                    f"{path} line {reader.line_num} has {len(row)} cells, expected {len(header)} "
                    "as in its first line: complete the row, or quote a cell that contains a comma."
                )
            yield reader.line_num, row

    return header, rows()


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends. `io.StringIO` would hold the whole once more, four bytes a character."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _guarded(path: Path, reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DatasetError(
            f"{path} is not a comma-separated table ({error}): export it again as CSV."
        ) from error


def whole_number(where: str, text: str, column: str, limit: int) -> int:
    """A cell as an integer from 1 to `limit`; `where` and `column` are for the message."""
    stripped = text.strip()
    # `isascii` too: str.isdigit is true of "²", which int() refuses
    value = int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 10 else 0
    if not 1 <= value <= limit:
        raise DatasetError(
            f"{where}: {column} is {text!r}, expected a whole number from 1 to {limit}: correct it."
        )
    return value
