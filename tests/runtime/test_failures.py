"""What goes wrong in a worker arrives: as what it is, or in the same words, and never not at all."""

from __future__ import annotations

import inspect
import pickle
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from interpret_core import errors
from interpret_core.errors import NonFiniteError, ParameterError, UnitscopeError, UserError
from interpret_core.runtime.executors.base import Work, only, whole
from interpret_core.runtime.executors.failures import sendable
from interpret_core.runtime.executors.processes import Processes
from interpret_core.runtime.reporter import Reporter
from tests.runtime.test_executors import workers
from tests.slow import slow


class ShapeError(ParameterError):
    """Made of two arguments, which pickling does not bring back."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__(f"{height} × {width} is no square.")


class HoldingError(NonFiniteError):
    """Holds what cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("NaN on image 3.png.")
        self.lock = threading.Lock()


class RewordedError(UserError):
    """Comes back with another message."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown name {name}.")


class ForeignError(Exception):
    """No error of ours, and made of two arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} or {two}")


def arrived(error: Exception) -> Exception:
    found: Exception = pickle.loads(pickle.dumps(sendable(error)))
    return found


KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", KINDS)
def test_our_errors_arrive_as_they_are(kind: type[Exception]) -> None:
    found = arrived(kind("Layer conv1: NaN on image 3.png."))
    assert (type(found), str(found)) == (kind, "Layer conv1: NaN on image 3.png.")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ShapeError(3, 4), ParameterError, "ShapeError: 3 × 4 is no square."),
        (HoldingError(), NonFiniteError, "HoldingError: NaN on image 3.png."),
        (RewordedError("x"), UserError, "RewordedError: Unknown name x."),
        (ForeignError(1, 2), UnitscopeError, "ForeignError: 1 or 2"),
    ],
)
def test_what_pickling_does_not_bring_back_arrives_in_its_words(
    error: Exception, kind: type[Exception], message: str
) -> None:
    found = arrived(error)
    assert (type(found), str(found)) == (kind, message)


def test_what_nobody_raises_on_purpose_says_where_it_happened() -> None:
    try:
        raise ForeignError(1, 2)
    except ForeignError as error:
        found = arrived(error)
    assert "test_failures.py" in "".join(found.__notes__)
    kept = arrived(ZeroDivisionError("division by zero"))
    assert type(kept) is ZeroDivisionError
    assert kept.__notes__[0].startswith("In a worker:")


@dataclass(frozen=True)
class Nothing:
    """Opens nothing."""

    name = "nothing"
    device = "cpu"

    def open(self) -> None:
        return None


def failing(_: None, how: str, piece: int, reporter: Reporter) -> Any:
    if how == "answer":
        return {"all": threading.Lock()}
    raise ShapeError(3, piece)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [("raise", ParameterError, "ShapeError: 3 × 4"), slow("answer", Exception, "cannot pickle")],
)
def test_a_worker_says_it_through_its_pipe(how: str, kind: type[Exception], message: str) -> None:
    work = Work(Nothing(), failing, how, whole, only)
    with Processes(1, threads=1) as executor, pytest.raises(kind, match=message):
        list(executor.results(work, [4], Reporter(), lambda _: None))
    assert workers() == []
