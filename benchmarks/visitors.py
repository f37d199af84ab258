"""A dashboard as a process of its own, and visitors that talk to it as a browser does, over raw websockets.

What a browser costs is left out: a visitor reads what the server sends and draws nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.ui.browser import ROOT, STREAMLIT, started

PATIENCE = 120.0  # seconds for one answer
EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"  # the widget that takes a component's events


class Served(NamedTuple):
    """A running dashboard."""

    address: str
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds of processor time that it has used: by Linux's own clock, which has no steps of 10 ms."""
        return time.clock_gettime(~self.process.pid << 3 | 2)


@contextlib.contextmanager
def served(checkout: Path = ROOT, runner: Sequence[str] = STREAMLIT) -> Iterator[Served]:
    """The dashboard of a checkout, over a cache of its own, until the block ends.

    Args:
        checkout: where its code lies; this interpreter runs it.
        runner: Streamlit's command, or what stands in its place.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        # One found in the environment counts: whoever measures other data than the demo has filled it.
        environment = {"INTERPRET_CACHE": f"{folder}/cache", **os.environ}
        command = (*runner, "run", "serve.py")
        with started(command, environment, log, folder=checkout) as (address, process):
            yield Served(address, psutil.Process(process.pid))


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

    def __init__(self, address: str, cookie: str = "") -> None:
        """Nothing is opened yet.

        Args:
            address: of the dashboard.
            cookie: what a browser would send as Cookie, also of a user who has logged in.
        """
        self._headers = {"Cookie": cookie} if cookie else {}
        self._address = address.replace("http", "ws", 1) + "/_stcore/stream"
        self._opened = contextlib.AsyncExitStack()
        self._socket: ClientConnection  # from the moment it is entered
        self._page, self._script, self.query = "", "", ""
        self._components: dict[str, tuple[str, str]] = {}  # key -> id, id of its fragment
        self._data: dict[str, Any] = {}

    async def __aenter__(self) -> Visitor:
        connection = connect(
            self._address,
            subprotocols=[Subprotocol("streamlit")],
            additional_headers=self._headers,
            max_size=None,
            open_timeout=60,
            ping_interval=None,
        )
        self._socket = await self._opened.enter_async_context(connection)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

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
