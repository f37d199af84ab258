"""A dashboard as a process of its own, and visitors that talk to it as a browser does, over raw websockets.

What a browser costs is left out: a visitor reads what the server sends and draws nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.ui.browser import free_port

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # seconds for one answer
EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"  # the widget that takes a component's events


class Served(NamedTuple):
    """A running dashboard."""

    address: str
    process: psutil.Process
    log: Path

    def cpu(self) -> float:
        """Seconds of processor time that it has used: by Linux's own clock, which has no steps of 10 ms."""
        return time.clock_gettime(~self.process.pid << 3 | 2)


@contextlib.contextmanager
def served(checkout: Path = ROOT, runner: Sequence[str] = ("-m", "streamlit")) -> Iterator[Served]:
    """The dashboard of a checkout, over a cache of its own, until the block ends.

    Args:
        checkout: where its code lies; this interpreter runs it.
        runner: what Python runs in place of Streamlit's command.
    """
    port = free_port()
    command = [sys.executable, *runner, "run", "serve.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        # One found in the environment counts: whoever measures other data than the demo has filled it.
        environment = {"INTERPRET_CACHE": f"{folder}/cache", **os.environ}
        with log.open("wb") as output:
            started = subprocess.Popen(
                command, cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        address = f"http://127.0.0.1:{port}"
        try:
            _awaited(f"{address}/_stcore/health", started, log)
            yield Served(address, psutil.Process(started.pid), log)
        finally:
            started.terminate()
            started.wait(60)


def _awaited(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.05)
    raise SystemExit(f"The server did not get ready:\n{log.read_text(errors='replace')}")


class Answer(NamedTuple):
    """What the server sent for one action.

    Attributes:
        seconds: from asking to the end of the last script run.
        runs: script runs, of whole pages or of parts.
        size: bytes.
        errors: texts of exceptions and of red boxes on the page.
    """

    seconds: float
    runs: int
    size: int
    errors: tuple[str, ...]


class Visitor:
    """One session. Use as `async with Visitor(address) as visitor`."""

    def __init__(self, address: str) -> None:
        """Nothing is opened yet."""
        self._address = address.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket: ClientConnection | None = None
        self._page, self._script, self.query = "", "", ""
        self._components: dict[str, tuple[str, str]] = {}  # key -> id, id of its fragment
        self._data: dict[str, Any] = {}

    async def __aenter__(self) -> Visitor:
        self._socket = await connect(
            self._address, subprotocols=["streamlit"], max_size=None, open_timeout=60, ping_interval=None
        )  # type: ignore[arg-type]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def open(self, page: str, query: str = "") -> Answer:
        """Go to a page; the script runs as a whole."""
        self._page, self._script, self.query = page, "", query
        self._components.clear()
        return await self._ask(BackMsg())

    async def go(self, query: str) -> Answer:
        """Another view of the page, as a link or the browser's Back leads to it: the whole script runs."""
        self.query = query
        return await self._ask(BackMsg())

    async def trigger(self, key: str, event: str, value: object) -> Answer:
        """What a component tells once: a click, a slider let go; its part of the page runs."""
        number, fragment = self._components[key]
        message = BackMsg()
        states = message.rerun_script.widget_states.widgets
        for known, _ in self._components.values():  # a browser sends the state of all, each time
            states.add(id=known, json_value="{}")
        told = json.dumps([{"event": event, "value": value}])
        states.add(id=EVENTS.format(number), json_trigger_value=told)
        message.rerun_script.fragment_id = fragment
        return await self._ask(message)

    def data(self, key: str) -> Any:
        """What a component was last told, by its key."""
        return self._data.get(key)

    async def _ask(self, message: BackMsg) -> Answer:
        rerun = message.rerun_script
        rerun.query_string, rerun.page_name, rerun.page_script_hash = self.query, self._page, self._script
        assert self._socket is not None
        start = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        runs, size, errors = 0, 0, []
        while True:
            raw = await self._receive()
            size += len(raw)
            got = ForwardMsg.FromString(raw)
            kind = got.WhichOneof("type")
            if kind == "navigation":
                self._script = got.navigation.page_script_hash
            elif kind == "page_info_changed":
                self.query = got.page_info_changed.query_string
            elif kind == "delta":
                errors += self._see(got)
            elif kind == "script_finished":
                runs += 1
                if got.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return Answer(time.perf_counter() - start, runs, size, tuple(errors))

    async def _receive(self) -> bytes:
        import asyncio

        assert self._socket is not None
        raw = await asyncio.wait_for(self._socket.recv(), PATIENCE)
        return raw if isinstance(raw, bytes) else raw.encode()

    def _see(self, got: ForwardMsg) -> list[str]:
        element = got.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "bidi_component":
            one = element.bidi_component
            key = one.id.split("-", 2)[2]  # $$ID-digest-key
            self._components[key] = (one.id, got.delta.fragment_id)
            self._data[key] = json.loads(one.bytes or one.json or "null")
        elif kind == "exception":
            return [element.exception.message]
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            return [element.alert.body]
        return []
