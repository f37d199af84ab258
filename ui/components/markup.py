"""Small pieces of HTML that several pages have; every text from a data set or a URL is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from interpret_core.figures.colours import colour_of
from ui.session import resources
from ui.session.view import LayerView


def chip(text: str, kind: str = "", tone: str = "") -> str:
    """A small label; `strong` stands out, `warn` is dashed."""
    mark = f'<i style="--tone:{escape(tone)}"></i>' if tone else ""
    return f'<span class="us-chip {f"us-{kind}" if kind else ""}">{mark}{escape(text)}</span>'


def swatch(rgb: tuple[int, int, int]) -> str:
    """A small square of a colour, before its name."""
    return f'<span class="us-swatch" style="--tone:rgb({rgb[0]},{rgb[1]},{rgb[2]})"></span>'


def download_links(items: Sequence[tuple[str, str]]) -> str:
    """Download links: (text, address)."""
    return (
        '<div class="us-links">'
        + "".join(
            f'<a href="{escape(address, quote=True)}" target="_self" download>{escape(text)}</a>'
            for text, address in items
        )
        + "</div>"
    )


def category_key(categories: Sequence[str]) -> str:
    """The fixed colours, named."""
    return (
        '<div class="us-key">'
        + "".join(
            f'<span><i style="--tone:{colour_of(name)}"></i>{escape(name)}</span>' for name in categories
        )
        + "</div>"
    )


def pictures(view: LayerView, units: Sequence[int], most: int) -> str:
    """The first few of these units that have a picture, with their labels."""
    before, after = resources.thumbnail(view)
    shown = [unit for unit in units if view.word(unit) != "dead"][:most]
    images = "".join(
        f'<figure><img src="{escape(f"{before}{unit}{after}", quote=True)}" width="84" height="84" alt="" '
        f'loading="lazy"><figcaption title="{escape(view.label(unit))}">{escape(view.label(unit) or "—")}'
        "</figcaption></figure>"
        for unit in shown
    )
    return f'<div class="us-row">{images}</div>'
