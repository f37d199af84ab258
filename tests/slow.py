"""Tests, and values of a parametrised test, that add little to the others: which run of the tests has them.

`make test` runs what has no mark, `make test-thorough` and `.ci/run` also what is thorough, `make test-slow`
all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


def slow(*values: Any) -> Any:
    """One set of values, only with --slow."""
    return pytest.param(*values, marks=pytest.mark.slow)


def some_slow(values: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """Single values of which only those in `quick` run without --slow."""
    return [value if value in quick else slow(value) for value in values]


def thorough(*values: Any) -> Any:
    """One set of values, only with --thorough or --slow."""
    return pytest.param(*values, marks=pytest.mark.thorough)


def some_thorough(values: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """Single values of which only those in `quick` run without --thorough or --slow."""
    return [value if value in quick else thorough(value) for value in values]


def thorough_beyond(number: int) -> Callable[[Test], Test]:
    """A decorator: the first sets of values of a parametrised test run always, the others with --thorough."""
    mark: Callable[[Test], Test] = pytest.mark.thorough(beyond=number)
    return mark


def left_out(items: Iterable[pytest.Item], *, thorough: bool, slow: bool) -> list[pytest.Item]:
    """Which of the tests do not run where those that are thorough, or slow, are asked for or not.

    Args:
        items: in the order in which they were collected.
        thorough: whether the thorough ones run.
        slow: whether the slow ones run, and with them the thorough ones.
    """
    found = []
    seen: Counter[str] = Counter()  # sets of values so far, by test
    for item in items:
        mark = item.get_closest_marker("thorough")
        if item.get_closest_marker("slow"):
            if not slow:
                found.append(item)
        elif mark and not (thorough or slow):
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            if seen[name] > mark.kwargs.get("beyond", 0):
                found.append(item)
    return found
