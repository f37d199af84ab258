"""Values of a parametrised test that add little to the others: `make test-slow` runs them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import pytest


def slow(*values: Any) -> Any:
    """One set of values, only with --slow."""
    return pytest.param(*values, marks=pytest.mark.slow)


def some_slow(values: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """Single values of which only those in `quick` run without --slow."""
    return [value if value in quick else slow(value) for value in values]
