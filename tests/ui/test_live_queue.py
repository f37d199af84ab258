"""The queue of live computations: in turn by visitor, bounded, and nobody holds a thread while waiting."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from interpret_core.measures.ablation.settings import Setting
from tests.ui import test_relevance_routes as maps
from ui.ablation.steps import Runs, Task
from ui.server import routes, searches
from ui.session import ablations, relevances, results
from ui.session.ablations import Case
from ui.session.live import queue as live
from ui.session.live.queue import Busy, Left, LiveQueue, Ticket


async def stays() -> bool:
    return False


def standing(queue: LiveQueue, who: str) -> Ticket:
    """A place at which somebody stands."""
    ticket = queue.ask(who)
    with queue._changed:
        ticket._waits = True
        queue._call()
    return ticket


def test_visitors_take_turns_however_much_one_asks_for() -> None:
    queue, order = LiveQueue(1), []
    first = standing(queue, "a")
    tickets = [standing(queue, who) for who in "aaabbc"]
    while first is not None:
        assert queue.working == 1
        order.append(first.who)
        queue.leave(first)
        first = next((one for one in tickets if one.working), None)
    assert order == ["a", "b", "c", "a", "b", "a", "a"]
    assert (queue.working, queue.waiting) == (0, 0)


def test_one_visitor_and_all_of_them_have_a_limit() -> None:
    queue = LiveQueue(1, each=3, total=5)
    held = [standing(queue, "a") for _ in range(3)]
    with pytest.raises(Busy, match="3 computations of yours wait or work already"):
        queue.ask("a")
    queue.ask("b")
    queue.ask("c")
    with pytest.raises(Busy, match="5 computations wait already"):
        queue.ask("d")
    queue.leave(held[0])
    queue.ask("d")


def test_so_many_work_at_a_time() -> None:
    queue, inside, most, lock = LiveQueue(2), [0], [0], threading.Lock()

    def compute() -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)
        with lock:
            inside[0] -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(queue.computed(f"{number}", compute, stays) for number in range(12)))

    asyncio.run(all_of_them())
    assert most[0] == 2
    assert (queue.working, queue.waiting) == (0, 0)


def test_a_page_keeps_its_place_between_looks_and_loses_it_when_it_stays_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = LiveQueue(1)
    working = standing(queue, "a")
    for _ in range(3):
        with pytest.raises(Busy, match="busy"), queue.turn("b", "slider", 0.01):
            pass
        assert queue.waiting == 1, "the same place each time"
    monkeypatch.setattr(live, "FORGOTTEN", -1.0)
    queue.leave(working)
    assert (queue.working, queue.waiting) == (0, 0)
    with queue.turn("b", "slider", 0.01):
        assert queue.working == 1
    assert queue.working == 0


def test_a_kept_place_does_not_hold_others_up() -> None:
    queue = LiveQueue(1)
    working = standing(queue, "a")
    with pytest.raises(Busy), queue.turn("b", "slider", 0.01):
        pass
    other = standing(queue, "c")
    queue.leave(working)
    assert other.working
    queue.leave(other)


def test_a_wait_ends_when_the_page_s_viewer_leaves() -> None:
    queue = LiveQueue(1)
    standing(queue, "a")
    with pytest.raises(Busy), queue.turn("b", "slider", 60.0, gone=lambda: True):
        pass
    assert queue.waiting == 0


def test_a_failure_gives_the_turn_back() -> None:
    queue = LiveQueue(1)
    with pytest.raises(ZeroDivisionError), queue.turn("a", "slider"):
        _ = 1 / 0

    async def failing() -> None:
        await queue.computed("a", lambda: 1 // 0, stays)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(failing())
    assert (queue.working, queue.waiting) == (0, 0)


def test_whoever_leaves_while_waiting_is_not_computed_for() -> None:
    queue, called = LiveQueue(1), []
    working = standing(queue, "a")

    async def left() -> bool:
        return True

    with pytest.raises(Left):
        asyncio.run(queue.computed("b", lambda: called.append(1), left))
    queue.leave(working)
    assert not called
    assert (queue.working, queue.waiting) == (0, 0)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> LiveQueue:
    """A queue of the server in which another visitor works."""
    queue = LiveQueue(1)
    monkeypatch.setattr(live, "queue", lambda: queue)
    standing(queue, "another")
    return queue


def scope(path: str, query: str, client: str = "10.0.0.1") -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "client": (client, 1),
    }


async def status(app: Starlette, asked: dict[str, Any], left: asyncio.Event) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer; `left` set means that whoever asks has left."""
    sent: list[Message] = []

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(asked, receive, send)
    start = next(one for one in sent if one["type"] == "http.response.start")
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.usefixtures("with_relevance")
def test_sixty_maps_at_once_leave_the_threads_for_pictures_free(busy: LiveQueue) -> None:
    """Structure in place of a clock: what waits for a map holds no thread, and a picture passes them all."""
    app = Starlette(routes=routes.routes())
    images = relevances.find(maps.WANTED).records["red square"].images
    query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in maps.query().items())
    photo = f"dataset=classed&v={results.dataset('classed').digest[:16]}"

    async def all_of_them() -> None:
        left = asyncio.Event()
        asked = [
            asyncio.create_task(
                status(
                    app,
                    scope(f"/api/map/layer/{images[at % len(images)]}.png", query, f"10.0.0.{at // 6}"),
                    left,
                )
            )
            for at in range(60)
        ]
        while busy.waiting < 60:
            await asyncio.sleep(0.01)
        assert to_thread.current_default_thread_limiter().borrowed_tokens == 0
        found, _ = await status(app, scope("/api/photo/0.jpg", photo), asyncio.Event())
        assert found == 200
        assert busy.waiting == 60
        assert not any(one.done() for one in asked)
        left.set()
        assert {code for code, _ in await asyncio.gather(*asked)} == {499}

    asyncio.run(asyncio.wait_for(all_of_them(), 120))
    assert busy.waiting == 0


@pytest.mark.usefixtures("with_relevance")
def test_searches_that_wait_leave_the_threads_for_pictures_free(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go = threading.Semaphore(0), threading.Event()

    def answer(*_: object) -> bytes:
        inside.release()
        go.wait(60)
        return b"{}"

    monkeypatch.setattr(searches, "answer", answer)
    app = Starlette(routes=routes.routes())
    photo = f"dataset=classed&v={results.dataset('classed').digest[:16]}"

    async def all_of_them() -> None:
        stays = asyncio.Event()
        asked = [
            asyncio.create_task(status(app, scope("/api/search", "dataset=classed&q=red"), stays))
            for _ in range(60)
        ]
        for _ in range(4):
            await to_thread.run_sync(inside.acquire)
        assert to_thread.current_default_thread_limiter().borrowed_tokens == 0
        assert (await status(app, scope("/api/photo/0.jpg", photo), stays))[0] == 200
        go.set()
        assert {code for code, _ in await asyncio.gather(*asked)} == {200}

    asyncio.run(asyncio.wait_for(all_of_them(), 120))


@pytest.mark.usefixtures("with_relevance")
def test_beyond_the_limit_a_route_says_when_to_come_back(busy: LiveQueue) -> None:
    app = Starlette(routes=routes.routes())
    image = maps.first()
    query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in maps.query().items())
    for _ in range(live.EACH):
        busy.ask("address 10.0.0.1")
    asked = scope(f"/api/map/layer/{image}.png", query)
    code, headers = asyncio.run(status(app, asked, asyncio.Event()))
    assert code == 429
    assert headers["retry-after"] == str(live.AFTER)
    assert headers["content-type"].startswith("text/plain")


@pytest.mark.usefixtures("with_relevance")
def test_a_map_that_is_there_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert maps.ask(maps.query(), image=maps.first()).status_code == 200
    queue = LiveQueue(1, each=0)
    monkeypatch.setattr(live, "queue", lambda: queue)
    answer: Response = maps.ask(maps.query(), image=maps.first())
    assert answer.status_code == 200


@pytest.mark.usefixtures("with_ablation")
def test_an_ablation_waits_in_words_and_goes_on_with_what_it_knows(busy: LiveQueue) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(live, "queue", lambda: LiveQueue(1))
        bench = ablations.bench(Case("classy", "classed"))
    tasks = [Task(bench, Setting()), Task(bench, Setting(units=(("conv1", 3),)))]
    runs = Runs(tasks).bound(tasks)
    runs.step()
    assert runs.waits.startswith("The server is busy with another computation just now.")
    assert runs.waits.endswith("goes on by itself.")
    assert (runs.steps, runs[0], runs.complete) == (0, None, False)
    busy.leave(next(one for one in busy._visitors["another"]))
    for _ in range(200):
        runs.step()
        if runs.complete:
            break
    assert runs.complete
    assert not runs.waits
    assert busy.working == 0


def test_who_asks() -> None:
    request = Request(scope("/", ""))
    assert live.presence.who(request) == "address 10.0.0.1"
    assert live.presence.who() == "no session"
