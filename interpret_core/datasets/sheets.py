"""CSV files read strictly: text in UTF-8, a header with the expected columns, rows of equal length.

Spreadsheets leave empty cells behind: columns without a name count as absent as long as they are empty, and
the first may hold row numbers, as data-analysis programs write them.
"""

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
        text = content.decode().lstrip("\ufeff")
        # Line ends of old Macs, and of Excel's for them.
        return text if "\n" in text else text.replace("\r", "\n")
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
    """Header and numbered rows of a CSV; blank lines are skipped, ragged ones refused.

    A row has as many cells as the header, in which "" stands for columns without a name.
    """
    reader = csv.reader(_lines(text), strict=True)
    first = (row for row in _guarded(path, reader) if any(cell.strip() for cell in row))
    header = [name.strip() for name in next(first, [])]
    while header and not header[-1]:
        header.pop()
    missing = [name for name in required if name not in header]
    if missing:
        raise DatasetError(
            f"{path} has the columns {', '.join(header) or 'none'}, expected also {', '.join(missing)}: "
            f"{_remedy(header, missing)}."
        )
    named = list(filter(None, header))
    if len({appearance(name) for name in named}) != len(named):
        alike = len(set(named)) == len(named)
        shown = ", ".join(map(ascii, named) if alike else named)
        raise DatasetError(f"{path} names a column twice ({shown}), expected each once: rename one.")
    needed = [header.index(name) for name in required]
    nameless = [at for at, name in enumerate(header) if at and not name]

    def rows() -> Iterator[tuple[int, list[str]]]:
        for row in _guarded(path, reader):
            if not any(cell.strip() for cell in row):
                continue
            where = f"{path} line {reader.line_num}"
            if len(row) < len(header) or any(cell.strip() for cell in row[len(header) :]):
                remedy = "complete the row, or quote a cell that contains a comma"
                remedy = "remove the space before the quotation mark" if any(map(_late, row)) else remedy
                raise DatasetError(
                    f"{where} has {len(row)} cells, expected {len(header)} as in its first line: {remedy}."
                )
            if any(_late(row[at]) for at in needed):
                raise DatasetError(
                    f"{where} has quotation marks behind a space, where they belong to the name, expected "
                    "none: remove the space."
                )
            for at in nameless:
                if row[at].strip():
                    raise DatasetError(
                        f"{where} has {row[at]!r} in column {at + 1}, expected nothing, since the column has "
                        "no name in the first line: name it, or empty it."
                    )
            yield reader.line_num, row[: len(header)]

    return header, rows()


def _remedy(header: Sequence[str], missing: Sequence[str]) -> str:
    """What to do about missing columns, which may be there in another way."""
    for character, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"), (" ", "spaces")):
        if set(missing) <= {part.strip() for cell in header for part in cell.split(character)}:
            return f"{name} stand between its cells, so export it with commas (CSV, UTF-8)"
    if any("\0" in cell for cell in header):
        return "it has zeros between its letters, as in UTF-16, so save it as UTF-8"
    if header and header[0].lower().startswith("sep="):
        return "its first line is for spreadsheet programs alone, so remove it"
    alike = {appearance(name).casefold(): name for name in header}
    if all(name in alike for name in missing):
        return f"it has {', '.join(ascii(alike[name]) for name in missing)}, so write them as here"
    return f"they belong into its first line, before all rows: {','.join(missing)}"


def _late(cell: str) -> bool:
    """Whether a quotation mark comes after a space, so that it quotes nothing."""
    return cell[:1].isspace() and cell.lstrip()[:1] == '"'


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
        why = "its lines end in several ways" if "new-line character" in str(error) else error
        raise DatasetError(
            f"{path} is not a comma-separated table ({why}): export it again as CSV."
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
