"""A real server and a real Chromium for the tests that need both."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Streamlit's own start asks for these below the page's path first, and again at the root when that fails.
PROBES = ("_stcore/health", "_stcore/host-config")


STREAMLIT = (sys.executable, "-m", "streamlit")


@contextlib.contextmanager
def serving(
    environment: dict[str, str],
    log: Path,
    *options: str,
    base: str = "",
    script: str | Path = "serve.py",
    prefix: Sequence[str] = (),
) -> Iterator[str]:
    """`streamlit run serve.py`, or of another script, on a free port until the block ends; its address.

    Args:
        environment: of the server.
        log: file for its output.
        options: of Streamlit.
        base: path below which it answers.
        script: what it runs.
        prefix: command that runs the server, as `env` would.
    """
    command = (*prefix, *STREAMLIT, "run", str(script))
    with started(command, environment, log, *options, base=base) as (address, _):
        yield address


@contextlib.contextmanager
def started(
    command: Sequence[str],
    environment: dict[str, str],
    log: Path,
    *options: str,
    base: str = "",
    folder: Path = ROOT,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server on a free port until the block ends: its address and its process.

    Args:
        command: that starts it, without where it listens.
        environment, log, options, base: as for `serving`.
        folder: in which it runs.
    """
    port = free_port()
    whole = [*command, "--server.port", str(port), "--server.address", "127.0.0.1", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            whole, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}{base}"
    try:
        awaited(f"{address}/_stcore/health", process, log)
        yield address, process
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def awaited(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; the test fails with its output where it does not."""
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    pytest.fail(f"The server did not get ready:\n{log.read_text(errors='replace')}")


def chromium() -> str | None:
    """The system's Chromium, where there is one; the shell without windows costs a fifth less per page."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """The system's Chromium where there is one, else Playwright's; with further arguments of its command."""
    return playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, *arguments])


def watch(page: Page) -> list[str]:
    """Collects console errors, page errors, failed and outside requests; a clean page leaves it empty."""
    found: list[str] = []

    def console(message: ConsoleMessage) -> None:
        probe = any(message.location.get("url", "").endswith(name) for name in PROBES)
        if message.type == "error" and not probe:
            found.append(f"console: {message.text} {message.location.get('url', '')}")

    page.on("console", console)
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://127.0.0.1", "data:", "blob:"))
            else found.append(f"outside: {request.url}")
        ),
    )
    return found


# The gallery lives in a shadow root; it notes the version it has painted. The row of photographs without a
# response is a gallery, too, and may be on screen first.
PAINTED = """unit => {
  const find = root => { for (const node of root.querySelectorAll('*')) if (node.shadowRoot) {
    const found = node.shadowRoot.querySelector('.gallery') || find(node.shadowRoot);
    if (found) return found; } };
  const place = document.querySelector('.st-key-gallery'), gallery = place && find(place);
  return !!gallery && gallery._state?.data.unit.endsWith('/' + unit)
    && gallery.dataset.painted === gallery._state.version
    && [...gallery.querySelectorAll('img')].slice(0, 12).every(image => image.complete && image.naturalWidth);
}"""


def await_masks(page: Page, unit: int, timeout: float = 20_000) -> None:
    """Wait until the unit's photographs and masks are on screen."""
    await_true(page, PAINTED, str(unit), timeout)


def await_true(page: Page, predicate: str, arg: object = None, timeout: float = 60_000) -> None:
    """Wait until an expression, or a function of `arg`, is true in the page.

    Not by Playwright's own `wait_for_function`, which evaluates text in the page: the content-security policy
    forbids that to everybody.
    """
    end = time.monotonic() + timeout / 1000
    while True:
        try:
            if page.evaluate(predicate, arg):
                return
        except Error as error:
            if "context was destroyed" not in str(error):  # the page is loaded anew
                raise
        if time.monotonic() > end:
            pytest.fail(f"Not true within {timeout / 1000:g} s: {predicate}")
        page.wait_for_timeout(20)


def await_idle(page: Page) -> None:
    """Wait until no script of the page runs."""
    await_true(page, "!document.querySelector('[data-testid=stStatusWidget]')")


def choose(page: Page, box: Locator, place: int) -> None:
    """Choose an option by its place; a rerun may close the list, which a user would open again."""
    for _ in range(10):
        box.click()
        try:
            page.get_by_role("listbox").get_by_role("option").nth(place).click(timeout=6000)
        except Error:
            continue
        return
    raise AssertionError(f"The list of {box} stays closed.")


def await_rerun(page: Page) -> None:
    """Wait for the end of a rerun that may not have begun."""
    page.wait_for_timeout(600)
    await_idle(page)
