"""Colours of the themes that are set by hand are far enough apart to be read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READABLE = 4.5  # WCAG 2, level AA, for text of a usual size
THEMES = {"light": 0, "dark": 1}  # place in light-dark(…, …)


def luminance(colour: str) -> float:
    """Of an sRGB colour, #rrggbb, as WCAG defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_the_text_of_primary_buttons_can_be_read(theme: str) -> None:
    accent = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"][theme]["primaryColor"]
    rule = (
        r"\[data-testid='stBaseButton-primary'\]:not\(:disabled\) \{ color: light-dark\((#\w{6}), (#\w{6})\)"
    )
    (found,) = re.findall(rule, (ROOT / "ui/shell/page.css").read_text())
    assert contrast(accent, found[THEMES[theme]]) >= READABLE


def test_white_on_the_dark_accent_could_not() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#ffffff", "#8c9eff") < READABLE
