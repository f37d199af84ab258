"""What the server writes down: who did what, and no query."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from starlette.applications import Starlette

from tests.ui.asgi import get
from tests.ui.browser import ROOT, free_port
from ui.access import audit
from ui.access.gate import Gate
from ui.server import logs


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Lines as JSON; afterwards the loggers are as they were."""
    names = (audit.LOGGER, logs.ACCESS, "streamlit", *logs._UVICORN, None)
    before = [(one, list(one.handlers), one.propagate, one.level) for one in map(logging.getLogger, names)]
    monkeypatch.setenv(logs.VARIABLE, "json")
    stream = StringIO()
    logs.set_up(stream)
    yield stream
    for one, handlers, propagate, level in before:
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


@pytest.mark.usefixtures("alone")
def test_a_line_for_each_request_has_no_query_and_no_forged_name(lines: StringIO) -> None:
    app = logs.Logged(Gate(Starlette()))
    local = (("host", "127.0.0.1"), ("x-unitscope-visitor", '["root", 4, "root"]'))
    get(app, "/api/photo/1.jpg?v=secret-token", local)
    get(app, "/units?token=secret", (("host", "scope.example.org"), *local[1:]))
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(one["path"], one["status"], one["by"]) for one in told] == [
        ("/api/photo/1.jpg", 404, ""),
        ("/units", 403, ""),
    ]
    assert "secret" not in json.dumps(told)


@pytest.mark.usefixtures("alone")
def test_an_act_is_one_line(lines: StringIO) -> None:
    audit.note("network removed", network="a\nb")
    (line,) = lines.getvalue().splitlines()
    told = json.loads(line)
    assert (told["act"], told["by"], told["network"]) == ("network removed", "local", "a\nb")
    assert told["logger"] == audit.LOGGER


@pytest.mark.usefixtures("alone")
def test_an_error_keeps_its_trace_on_one_line(lines: StringIO) -> None:
    try:
        raise ValueError("of something")
    except ValueError:
        logging.getLogger("interpret_core.x").exception("It broke.")
    (line,) = lines.getvalue().splitlines()
    assert "ValueError: of something" in json.loads(line)["trace"]


@pytest.mark.thorough
def test_another_value_keeps_the_server_from_starting(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamlit", "run", "serve.py", "--server.address", "127.0.0.1"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path), logs.VARIABLE: "xml"}
    told = subprocess.run(
        [*command, "--server.port", str(free_port())],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode != 0
    assert "INTERPRET_LOG is 'xml', expected plain or json" in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
