"""Colours that stay the same in every figure and on every page, and whose a figure is."""

from __future__ import annotations

from collections.abc import Iterable

# Okabe and Ito's colour-blind-safe set, lightened where it would vanish on a dark page. One fixed colour per
# category, everywhere; every use also carries the category's name.
CATEGORY_COLOURS = {
    "object": "#3b6fd4",
    "part": "#e69f00",
    "material": "#1a9e77",
    "color": "#cc6fa3",
    "scene": "#56b4e9",
    "texture": "#d55e00",
    "shade": "#8a93a6",
}
NEUTRAL = "#8a93a6"
ACCENT = "#d55e00"
# Text of figures: the last of the theme's categorical colours, which is another one on a dark page. Streamlit
# puts those in the place of such codes.
QUIET = "#000010"


def colour_of(category: str) -> str:
    """The category's fixed colour; grey for one this page does not know."""
    return CATEGORY_COLOURS.get(category, NEUTRAL)


def badge_of(title: str, evidence: str) -> str:
    """Title and evidence, which the demo's networks are called after already."""
    return title if f"({evidence}" in title else f"{title} · {evidence}"


def badge_of_all(networks: Iterable[tuple[str, str]], dataset: str) -> str:
    """Whose a figure is that may be of several networks.

    Args:
        networks: titles, and what the evidence of each is.
        dataset: that all of them saw.
    """
    every = list(dict.fromkeys(networks))
    if len(every) == 1:
        (title, evidence), *_ = every
        return badge_of(f"{title} on {dataset}", evidence)
    titles = [title if f"({evidence}" in title else f"{title} ({evidence})" for title, evidence in every]
    return f"{', '.join(titles)} on {dataset}"
