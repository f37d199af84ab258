"""The share of positions above a threshold."""

from __future__ import annotations

from interpret_core.errors import ParameterError


def check_quantile(quantile: object) -> float:
    """The tail mass as a float strictly between 0 and 1."""
    try:
        value = float(quantile)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 < value < 1:
        raise ParameterError(
            f"quantile is {quantile!r}, but expected a number between 0 and 1 (both excluded); "
            "the paper uses 0.005."
        )
    return value
