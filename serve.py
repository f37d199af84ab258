"""What `make run` starts: the app, its own routes, known hosts, compression. `streamlit run serve.py`."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from interpret_core.networks import torchvision_ops
from ui.server import hosts, limits, routes
from ui.server.compression import KeptCompression
from ui.server.hosts import KnownHosts
from ui.shell import site

# Streamlit's first generation of multi-page apps runs whatever lies in a folder called pages/ by itself,
# until the first st.navigation of the process: a deep link right after a start would miss app.py.
PagesManager.uses_pages_directory = False


limits.check()
FIRST = 2.0  # seconds that belong to the first visitor


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Answer at once; what some pages need is imported once the first one has been drawn."""
    hosts.warn()
    gc.freeze()
    later = threading.Timer(FIRST, warm)
    later.daemon = True
    later.start()
    yield {}
    later.cancel()


def warm() -> None:
    """Import what is heavy, then take all of it out of the garbage collector's walks."""
    import scipy.stats  # noqa: F401

    torchvision_ops.classifiers()
    gc.collect()
    gc.freeze()


app = st.App(
    Path(__file__).with_name("app.py"),
    routes=[*routes.routes(), *site.routes()],
    middleware=[Middleware(KnownHosts), Middleware(KeptCompression)],
    lifespan=lifespan,
)
