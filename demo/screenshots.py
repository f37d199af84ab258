"""Takes the README's pictures: the main views on the demo, light and dark, as a visitor sees them.

    python -m demo.screenshots [--out FOLDER] [--cache FOLDER]

Starts the dashboard on a free port of this machine, with the demo alone and over a cache of its own, and
looks at it with a headless Chromium. The demo's results are shipped, so nothing is computed. With --cache
that folder is kept.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Error, Page, ViewportSize, sync_playwright

from interpret_core import demo
from interpret_core.cli.terminal import console
from interpret_core.errors import UserError
from tests.ui.browser import ROOT, chromium, launch, serving

PICTURES = ROOT / "docs" / "pictures"
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
WIDTH, HEIGHT = 1440, 900
QUALITY = 80  # of WebP: small letters stay sharp
PATIENCE = 120_000  # milliseconds that a page may take, on a machine that does other work too
PAUSE = 500  # milliseconds between two looks that have to be alike

COMMON = {"network": f"{demo.PREFIX}alexnet", "dataset": demo.NAME}
RUNNING = "[data-testid=stStatusWidget], [data-testid=stSpinner], [data-testid=stSkeleton], [data-stale=true]"
WRONG = "[data-testid=stException], [data-testid=stAlertContentError]"
# Nothing runs, and all photographs and maps on the screen are there, in shadow roots too; others come later.
DRAWN = """running => {
  const found = (root, what) => [...root.querySelectorAll('*')].flatMap(node => [
    ...(node.matches(what) ? [node] : []), ...(node.shadowRoot ? found(node.shadowRoot, what) : [])]);
  const seen = node => { const box = node.getBoundingClientRect();
    return box.width && box.bottom > 0 && box.top < innerHeight; };
  return !document.querySelector(running) && document.fonts.status === 'loaded'
    && found(document, 'img').filter(seen).every(image => image.complete && image.naturalWidth)
    && !found(document, '.frame .wait').some(seen);
}"""
# Painted anew in one go: a page that grew piece by piece differs in the last level of a few rounded corners.
REPAINTED = """async () => {
  const frames = async () => { for (const _ of [1, 2]) await new Promise(requestAnimationFrame); };
  for (const state of ['hidden', '']) { document.body.style.visibility = state; await frames(); }
}"""
EXACT = ("--disable-partial-raster", "--disable-checker-imaging", "--num-raster-threads=1")
TO_TOP = "node => node.scrollIntoView({block: 'start', behavior: 'instant'})"


class View(NamedTuple):
    """What one picture shows.

    Attributes:
        name: of its files.
        page: the last part of its address.
        parameters: of the address, beside network and data set.
        proofs: selectors of what is there once the page has drawn its results.
        heading: the page is scrolled until it is at the top; empty: as it opens.
    """

    name: str
    page: str
    parameters: Mapping[str, str]
    proofs: tuple[str, ...]
    heading: str = ""

    def address(self, server: str) -> str:
        """The link that leads to it."""
        return f"{server}/{self.page}?{urlencode({**COMMON, **self.parameters}, safe='/')}"

    def file(self, scheme: str) -> str:
        """The name of its picture."""
        return f"{self.name}-{scheme}.webp"


VIEWS = (
    View("unit", "units", {"layer": "conv1", "unit": "55"}, (".photos .mask.line", ".tile img")),
    View(
        "concepts",
        "concepts",
        {"compare": f"{demo.PREFIX}resnet18"},
        (".js-plotly-plot .point", ".js-plotly-plot .scatterlayer path"),
        "From colours to objects",
    ),
    View("relevance", "relevance", {"layer": "conv5", "class": "cat"}, (".maps[data-painted]",)),
    View(
        "agreement",
        "agreement",
        {"layer": "conv5", "class": "cat"},
        ("[role=gridcell]", ".scatterlayer path"),
    ),
    View("ablation", "ablation", {"class": "refrigerator", "percent": "3"}, ("[data-testid=stMain] img",)),
)


def environment(folder: Path, cache: Path | None) -> dict[str, str]:
    """The server's: the demo alone, whatever is set or registered here.

    Args:
        folder: for what it needs; an empty `unitscope.toml` is written there.
        cache: folder of results, or None for one in `folder`.
    """
    config = folder / "unitscope.toml"
    config.touch()
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("INTERPRET_", "STREAMLIT_"))
    }
    return {
        **kept,
        "INTERPRET_CACHE": str((cache or folder / "cache").resolve()),
        "INTERPRET_CONFIG": str(config),
        "INTERPRET_OFFLINE": "1",
        "INTERPRET_UPLOADS": "0",
    }


def encoded(png: bytes) -> bytes:
    """The same picture as WebP; equal pictures give equal bytes."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()


def still(page: Page) -> bytes:
    """A screenshot (PNG) once nothing runs and two looks are alike: figures may be drawn in several steps.

    Raises:
        UserError: the page goes on changing.
    """
    end = time.monotonic() + PATIENCE / 1000
    last = b""
    while time.monotonic() < end:
        page.wait_for_function(DRAWN, arg=RUNNING)
        page.evaluate(REPAINTED)
        shot = page.screenshot(animations="disabled")
        if shot == last:
            return shot
        last = shot
        page.wait_for_timeout(PAUSE)
    raise UserError(f"{page.url} goes on changing after {PATIENCE // 1000} s: no picture of it was taken.")


def visit(page: Page, server: str, view: View) -> None:
    """Open a view and wait until its results are drawn.

    Raises:
        UserError: it has no results to show, or says that something is wrong.
    """
    page.goto(view.address(server))
    page.locator(f"h1, {WRONG}").first.wait_for()
    page.wait_for_function(DRAWN, arg=RUNNING)
    wrong = page.locator(WRONG)
    if wrong.count():
        raise UserError(f"{page.url} says: {wrong.first.inner_text()}")
    for proof in view.proofs:
        try:
            page.locator(proof).first.wait_for(state="attached")
        except Error as error:
            why = "are the demo's results of this code? make demo-results"
            raise UserError(f"{page.url} does not show {proof}: {why}") from error


def picture(page: Page, server: str, view: View) -> bytes:
    """A view's picture, as WebP; UserError as for `visit` and `still`."""
    visit(page, server, view)
    if view.heading:
        page.get_by_role("heading", name=view.heading).first.evaluate(TO_TOP)
    return encoded(still(page))


def pictures(browser: Browser, server: str) -> Iterator[tuple[str, bytes]]:
    """Every view's picture in every colour scheme, with its file's name.

    Each view is visited before: where a server computes on the way, a heading may come to lie a fraction of
    a pixel elsewhere.
    """
    for scheme in SCHEMES:
        context = browser.new_context(
            viewport=ViewportSize(width=WIDTH, height=HEIGHT),
            color_scheme=scheme,
            reduced_motion="reduce",
            bypass_csp=True,  # or waiting for what is drawn would be forbidden: it evaluates text in the page
        )
        context.set_default_timeout(PATIENCE)
        for view in VIEWS:
            with context.new_page() as page:
                visit(page, server, view)
            with context.new_page() as page:
                yield view.file(scheme), picture(page, server, view)
        context.close()


def taken(cache: Path | None) -> dict[str, bytes]:
    """All pictures by their files' names, from a server and a browser that end with the call.

    Raises:
        UserError: there is no Chromium, or a page does not show what it should.
    """
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="screenshots-") as own:
        if chromium() is None and not Path(playwright.chromium.executable_path).is_file():
            raise UserError(
                "The pictures need Chromium: install it (apt-get install chromium), then run this again."
            )
        with serving(environment(Path(own), cache), Path(own) / "log") as server:
            browser = launch(playwright, *EXACT)
            try:
                return dict(pictures(browser, server))
            finally:
                browser.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Take all pictures, then write them: those that are there stay where one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=PICTURES, help="where to (default docs/pictures)")
    parser.add_argument("--cache", type=Path, help="a folder of results to keep; by default a temporary one")
    options = parser.parse_args(arguments)
    start, screen = time.perf_counter(), console()
    try:
        found = taken(options.cache)
    except UserError as error:
        parser.exit(2, f"{error}\n")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        (options.out / name).write_bytes(content)
        screen.print(f"{name}: {len(content) / 1e3:.0f} kB", soft_wrap=True)
    size = sum(map(len, found.values()))
    screen.print(
        f"{options.out}: {size / 1e6:.2f} MB written in {time.perf_counter() - start:.0f} s", soft_wrap=True
    )


if __name__ == "__main__":
    main()
