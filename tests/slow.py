"""Values of a parametrised test that add little to the others: `make test-slow` runs them."""

from __future__ import annotations

from typing import Any

import pytest


def slow(*values: Any) -> Any:
    """One set of values, only with --slow."""
    return pytest.param(*values, marks=pytest.mark.slow)
