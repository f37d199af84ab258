"""What `make run` starts (`streamlit run serve.py`): app, own routes, known hosts, gate, compression."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from interpret_core.networks import torchvision_ops
from ui.access import hosts, settings
from ui.access.gate import Gate
from ui.access.hosts import KnownHosts
from ui.server import limits, logs, metrics, readiness, routes, sessions
from ui.server.compression import KeptCompression
from ui.server.logs import Logged
from ui.server.metrics import Measured
from ui.session import memory
from ui.shell import site

# Streamlit's first generation of multi-page apps runs whatever lies in a folder called pages/ by itself,
# until the first st.navigation of the process: a deep link right after a start would miss app.py.
PagesManager.uses_pages_directory = False


FIRST = 2.0  # seconds that belong to the first visitor


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Answer at once; what some pages need is imported once the first one has been drawn."""
    logs.set_up()
    memory.watch(metrics.rerun)
    memory.watch(readiness.PACE.note)
    hosts.warn()
    gc.freeze()
    later = threading.Timer(FIRST, warm)
    later.daemon = True
    later.start()
    async with readiness.PACE.watched():
        yield {}
    later.cancel()


def warm() -> None:
    """Import what is heavy, then take all of it out of the garbage collector's walks."""
    import scipy.stats  # noqa: F401

    torchvision_ops.classifiers()
    gc.collect()
    gc.freeze()


if refusal := settings.current().problem or logs.problem() or limits.problem():
    sys.exit(refusal)

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[
        *routes.routes(),
        *readiness.routes(),
        *sessions.routes(),
        *metrics.routes(),
        *site.routes(),
    ],
    middleware=[Middleware(one) for one in (Logged, KnownHosts, Gate, Measured, KeptCompression)],
    lifespan=lifespan,
)
