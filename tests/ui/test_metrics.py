"""What a monitor reads: numbers of what has happened, under words of ours alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.ui.asgi import get
from ui.server import metrics
from ui.server.metrics import Measured

pytestmark = pytest.mark.usefixtures("full")


def numbers() -> dict[tuple[str, ...], float]:
    """Name and labels -> value, as a monitor takes them from the route."""
    text = get(Starlette(routes=metrics.routes()), "/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_sessions_and_reruns_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def photo(request: Any) -> PlainTextResponse:
        return PlainTextResponse("x", 404)

    app = Measured(Starlette(routes=[Route("/api/photo/{image}.jpg", photo)]))
    before = numbers()
    get(app, "/api/photo/1.jpg?v=secret")
    get(app, "/api/<script>/1")
    for page in ("units", "no such page"):
        monkeypatch.setattr(metrics.notices, "page", lambda page=page: page)
        metrics.rerun(0.1)
    after = numbers()
    counted = {name: value - before.get(name, 0.0) for name, value in after.items() if "count" in name[0]}
    assert counted["unitscope_request_seconds_count", "photo", "4xx"] == 1
    assert counted["unitscope_rerun_seconds_count", "units"] == 1
    assert counted["unitscope_rerun_seconds_count", "home"] == 1
    assert sum(counted.values()) == 3
    assert not any(re.search("secret|script>|no such", part) for name in after for part in name)


def test_a_session_counts_while_it_is_open() -> None:
    seen = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        seen.append(metrics.REGISTRY.get_sample_value("unitscope_sessions"))
        await send({"type": "websocket.accept"})

    get(Measured(inside), "/_stcore/stream", kind="websocket")
    assert seen == [numbers()["unitscope_sessions",] + 1]


def test_memory_queue_and_cache_are_told() -> None:
    found = numbers()
    assert found["unitscope_memory_limit_bytes",] > 0
    assert found["unitscope_live", "waiting"] == 0
    assert found["unitscope_cache_bytes", "profile"] > 0
    assert found["unitscope_cache_damaged",] == 0


def test_jobs_are_counted_by_state() -> None:
    found = numbers()
    assert {name[1] for name in found if name[0] == "unitscope_jobs"} >= {"queued", "running", "died"}
    assert found["unitscope_jobs_longest_wait_seconds",] == 0.0
