"""A JSON file whose arrays are read element by element: COCO's have 450 MB, and would be 4 GB as objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Any, TextIO

from interpret_core.errors import DatasetError

_BLOCK = 1 << 20  # characters
_LONGEST = 1 << 26  # of one element
_SPACE = " \t\n\r"

Visit = Callable[[int, Any], None]  # place in its array, element


def visit_arrays(path: Path, visits: Mapping[str, Visit], tell: Callable[[int], None]) -> set[str]:
    """Read a JSON object and hand out the elements of some of its arrays, in the file's order.

    Args:
        path: the file.
        visits: key -> what is called with each element.
        tell: called with the characters read so far.

    Returns:
        The keys among them that are there.

    Raises:
        DatasetError: missing, unreadable, no JSON, no object, or another value where an array should be.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return _Reader(path, file, tell).visit(visits)
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing, expected COCO's JSON: check the path.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is no text in UTF-8 ({error.reason}): fetch or save it again.") from error
    except RecursionError as error:
        raise DatasetError(f"{path} is nested too deeply, expected COCO's JSON: fetch it again.") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error


class _Reader:
    """A window on the file; what has been read of it is let go of."""

    def __init__(self, path: Path, file: TextIO, tell: Callable[[int], None]) -> None:
        self._path, self._file, self._tell = path, file, tell
        self._text, self._at, self._before, self._ended = "", 0, 0, False
        self._decode = json.JSONDecoder().raw_decode

    def visit(self, visits: Mapping[str, Visit]) -> set[str]:
        found: set[str] = set()
        self._expect("{")
        if self._next() == "}":
            return found
        while True:
            key = self._value()
            if not isinstance(key, str):
                raise self._broken(f"has {key!r} as a key")
            self._expect(":")
            if key in visits:
                if key in found:
                    raise self._broken(f"has {key!r} twice")
                found.add(key)
                for place, element in enumerate(self._elements(key)):
                    visits[key](place, element)
            elif self._next() == "[":
                for _ in self._elements(key):
                    pass
            else:
                self._value()
            if self._either(",", "}") == "}":
                break
        if self._next():
            raise self._broken("goes on behind its end")
        return found

    def _elements(self, key: str) -> Iterator[Any]:
        if self._next() != "[":
            raise self._broken(f"has no list as {key!r}")
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._either(",", "]") == "]":
                return

    def _value(self) -> Any:
        self._next()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
                if end < len(self._text) or self._ended:  # a number could go on
                    self._at = end
                    return value
            except JSONDecodeError as error:
                if self._ended or len(self._text) - self._at > _LONGEST:
                    raise self._broken(f"is broken ({error.msg})", error.pos) from error
            except ValueError as error:  # a number of thousands of digits
                raise self._broken(f"is broken ({error})") from error
            self._more()

    def _next(self) -> str:
        """The next character that is no space, which stays; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def _expect(self, character: str) -> None:
        self._either(character, character)

    def _either(self, one: str, other: str) -> str:
        found = self._next()
        if found not in (one, other) or not found:
            wanted = one if one == other else f"{one} or {other}"
            raise self._broken(f"has {found!r}, and not {wanted}," if found else "ends too early")
        self._at += 1
        return found

    def _more(self) -> None:
        # Twice as much each time, or a long element would be begun again too often.
        block = self._file.read(max(_BLOCK, len(self._text) - self._at))
        self._ended = not block
        self._before += self._at
        self._text, self._at = self._text[self._at :] + block, 0
        self._tell(self._before + len(self._text))

    def _broken(self, what: str, at: int | None = None) -> DatasetError:
        place = self._before + (self._at if at is None else at)
        return DatasetError(
            f"{self._path} {what} at character {place:,}, expected COCO's JSON: fetch or save it again."
        )
