"""What a monitor reads of this process at `/metrics`, in Prometheus' words; for operators, or by a token.

Several processes are read one by one, each at its own port: what the proxy answers is one of them.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interpret_core import jobs
from interpret_core.errors import UnitscopeError
from interpret_core.jobs.state import STATES
from interpret_core.memory import budget
from ui.server import routes as served
from ui.session import stored
from ui.session.live.queue import queue
from ui.shell import notices
from ui.shell.addresses import base, prefix
from ui.shell.site import PAGES, address

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
_SESSIONS = Gauge("unitscope_sessions", "Open pages (websockets).", registry=REGISTRY)
_RERUNS = Histogram(
    "unitscope_rerun_seconds",
    "What a run of a page, or of a part of it, takes on the server.",
    ["page"],
    buckets=SECONDS,
    registry=REGISTRY,
)
_REQUESTS = Histogram(
    "unitscope_request_seconds",
    "What a request beside the pages takes: pictures, downloads, search.",
    ["route", "status"],
    buckets=SECONDS,
    registry=REGISTRY,
)
_NAMES = {address(page) for page in PAGES}


def routes() -> list[Route]:
    """The one route, under `server.baseUrlPath`; the gate guards it."""
    return [Route(f"{base()}/metrics", metrics)]


def metrics(_: Request) -> Response:
    """The numbers as text; who may read them, the gate knows."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


def rerun(seconds: float) -> None:
    """Take note of a run of the present session's page, or of a part of it."""
    page = notices.page()
    _RERUNS.labels(page if page and page in _NAMES else "home").observe(seconds)


class Measured:
    """ASGI middleware that counts sessions and times the own routes; no label is a word of the client."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, and take note."""
        if scope["type"] == "websocket":
            with _SESSIONS.track_inprogress():
                await self._app(scope, receive, send)
            return
        route = _route(scope) if scope["type"] == "http" else ""
        if not route:
            await self._app(scope, receive, send)
            return
        start, status = time.monotonic(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            _REQUESTS.labels(route, f"{status // 100}xx").observe(time.monotonic() - start)


def _route(scope: Scope) -> str:
    """Which of the own routes it is; empty for none."""
    below = scope["path"].removeprefix(f"{prefix()}/")
    name = below.partition("/")[0]
    return name if below != scope["path"] and name in _own_routes() else ""


@lru_cache(maxsize=1)
def _own_routes() -> frozenset[str]:
    """The first words of addresses below `/api`."""
    start = f"{prefix()}/"
    found = (route.path for route in served.routes() if route.path.startswith(start))
    return frozenset(path.removeprefix(start).partition("/")[0] for path in found)


class _Asked(Collector):
    """What is looked up when somebody asks."""

    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """The families; none of what cannot be read now."""
        try:
            return list(self._families())
        except UnitscopeError:
            return []


def _jobs() -> Iterator[Metric]:
    found = jobs.listing(stored.store())
    states = Tally(job.state for job in found)
    family = GaugeMetricFamily("unitscope_jobs", "Jobs that the store knows, by state.", labels=["state"])
    for state in STATES:
        family.add_metric([state], states[state])
    yield family
    waiting = [job.submitted for job in found if job.state == "queued"]
    yield GaugeMetricFamily(
        "unitscope_jobs_longest_wait_seconds",
        "How long the job has waited that has waited longest.",
        value=max((time.time() - since for since in waiting), default=0.0),
    )


def _bounds() -> Iterator[Metric]:
    held = GaugeMetricFamily("unitscope_memory_bytes", "What is kept in memory, by kind.", labels=["kind"])
    for kind, size in budget().held().items():
        held.add_metric([kind], size)
    yield held
    yield GaugeMetricFamily("unitscope_memory_limit_bytes", "What may be kept.", value=budget().limit)
    live = GaugeMetricFamily("unitscope_live", "Computations that pages wait for.", labels=["state"])
    live.add_metric(["waiting"], queue().waiting)
    live.add_metric(["working"], queue().working)
    yield live


def _stored() -> Iterator[Metric]:
    store = stored.store()
    sizes = GaugeMetricFamily("unitscope_cache_bytes", "What the cache holds, by kind.", labels=["kind"])
    entries = GaugeMetricFamily("unitscope_cache_entries", "Entries of the cache, by kind.", labels=["kind"])
    for kind, usage in store.usage().items():
        sizes.add_metric([kind], usage.bytes)
        entries.add_metric([kind], usage.entries)
    yield sizes
    yield entries
    yield GaugeMetricFamily(
        "unitscope_cache_damaged",
        "Damaged entries met lately.",
        value=len(store.damaged),
    )


for _families in (_jobs, _bounds, _stored):
    REGISTRY.register(_Asked(_families))
