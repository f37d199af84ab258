"""Ready is more than alive: slow pages, a late event loop and unreadable results are told."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette

from tests.ui.asgi import get
from ui.server import readiness
from ui.server.readiness import SPAN, Pace
from ui.session import memory


def test_slow_runs_are_told_until_a_minute_has_passed() -> None:
    pace = Pace()
    for at in range(4):
        pace.note(9.0, 100.0 + at)
    assert pace.slow(104.0) == "", "a few first visits say nothing"
    pace.note(9.0, 104.0)
    assert pace.slow(105.0) == "half of the last minute's 5 page runs took over 9.0 s"
    for at in range(6):
        pace.note(0.1, 105.0 + at)
    assert pace.slow(111.0) == ""
    for at in range(20):
        pace.note(9.0, 112.0 + at)
    assert pace.slow(132.0)
    assert pace.slow(133.0 + SPAN) == ""


def test_a_late_event_loop_is_told() -> None:
    pace = Pace()
    for at in range(3):
        pace.note_late(3.0, float(at))
    for at in range(3, 50):
        pace.note_late(0.01, float(at))
    assert pace.slow(50.0) == "requests wait 3.0 s before anything is done for them"
    for at in range(50, 60):
        pace.note_late(0.01, float(at))
    assert pace.slow(60.0) == "", "three of sixty are fewer than one in twenty and one more"


@pytest.mark.thorough
def test_the_event_loop_is_measured() -> None:
    pace = Pace()

    async def held() -> None:
        async with pace.watched():
            await asyncio.sleep(0.01)
            time.sleep(2.0)  # what a loop must not do
            await asyncio.sleep(0.6)

    asyncio.run(held())
    assert max(seconds for _, seconds in pace._late) > 1.0


def answer() -> tuple[int, str]:
    found = get(Starlette(routes=readiness.routes()), "/api/ready")
    return found.status, found.text


def test_the_store_has_to_be_readable(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PACE", Pace())
    assert answer() == (200, "ready")
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    status, text = answer()
    assert status == 503
    assert text == "Not ready: stored results cannot be read; the server's log says why."
    assert str(tmp_path) not in text


def test_slow_pages_make_it_red(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace()
    monkeypatch.setattr(readiness, "PACE", pace)
    for _ in range(5):
        pace.note(4.0, time.monotonic())
    assert answer() == (503, "Not ready: half of the last minute's 5 page runs took over 4.0 s.")


def test_pages_are_what_is_measured(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    pace = Pace()
    monkeypatch.setattr(memory, "_watchers", [pace.note])
    app = AppTest.from_file(str(Path(__file__).resolve().parents[2] / "app.py"), default_timeout=60).run()
    assert not app.exception
    ((_, seconds),) = pace._runs
    assert seconds > 0.0
