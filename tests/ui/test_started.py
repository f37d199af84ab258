"""What `make run`, `make dev` and the container start: only the one for developers watches its files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.slow import slow
from tests.ui.browser import ROOT, await_true, awaited, free_port

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
BIN = Path(sys.executable).parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is started, so that a file of it can be changed."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
    for name in ("Makefile", "Dockerfile", "requirements.txt", "app.py", "serve.py"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "hosting", folder / "hosting")  # it starts what lies beside it
    for name in ("pages", "ui", "static", "interpret_core"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def made(target: str, port: int) -> list[str]:
    """`make run` and the like, with this Python's environment as it is."""
    kept = ["-o", f"{BIN.parent}/.installed"]  # nothing is to be installed by a test
    return ["make", "--no-print-directory", *kept, target, f"VENV={BIN.parent}", f"PORT={port}"]


def contained(port: int, state: Path) -> list[str]:
    """The image's command, of one server; compose.yaml has the same and says how many."""
    (line,) = [one for one in (ROOT / "Dockerfile").read_text().splitlines() if one.startswith("CMD ")]
    command: list[str] = json.loads(line.removeprefix("CMD "))
    told = (ROOT / "compose.yaml").read_text()
    assert f"command: {json.dumps([*command, '--servers', '2'])}" in told
    options = {"--address": "127.0.0.1", "--port": str(port), "--servers": "1", "--state": str(state)}
    return [*command, *(word for pair in options.items() for word in pair)]


@contextlib.contextmanager
def started(command: list[str], folder: Path, environment: dict[str, str], port: int) -> Iterator[str]:
    log = folder.parent / "log"
    environment = {**environment, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        awaited(f"{address}/_stcore/health", process, log)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def told(page: Page) -> list[str]:
    """What the server tells a session of changed files and of runs, as it comes."""
    heard: list[str] = []

    def read(frame: str | bytes) -> None:
        message = ForwardMsg()
        message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
        kind = message.WhichOneof("type")
        if kind == "new_session":
            heard.append("run")
        elif kind == "session_event" and message.session_event.script_changed_on_disk:
            heard.append("changed")

    page.on("websocket", lambda socket: socket.on("framereceived", read))
    return heard


def change_a_file(folder: Path) -> None:
    with (folder / "app.py").open("a") as file:
        file.write("\n# changed\n")


@pytest.mark.parametrize("how", ["make run", slow("container")])
def test_a_changed_file_is_nobodys_business(
    browser: Browser, checkout: Path, installation: Path, how: str
) -> None:
    port = free_port()
    command = made("run", port) if how == "make run" else contained(port, checkout.parent / "state")
    environment = server_environment(installation, checkout.parent / "cache")
    with started(command, checkout, environment, port) as address:
        first, second = browser.new_page(), browser.new_page()
        heard = told(first)
        opened(first, address)
        before = list(heard)
        change_a_file(checkout)
        opened(second, address)  # meanwhile a watcher would have told the first
        assert heard == before
        first.close()
        second.close()


@pytest.mark.slow
def test_make_dev_runs_anew_what_has_changed(browser: Browser, checkout: Path, installation: Path) -> None:
    port = free_port()
    environment = server_environment(installation, checkout.parent / "cache")
    with started(made("dev", port), checkout, environment, port) as address:
        page = browser.new_page()
        heard = told(page)
        opened(page, address)
        before = len(heard)
        change_a_file(checkout)
        page.wait_for_timeout(100)
        while heard[before:] != ["run"]:
            assert heard[before:] == []
            page.wait_for_timeout(100)
        page.close()


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("heading", name="Unitscope").wait_for()
    await_true(page, "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSpinner]')")
