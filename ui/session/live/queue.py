"""One bounded queue for what is computed live: ablations by hand, maps, examinations, loading a network.

Few computations work at a time, since each takes all cores. Who waits is served in turn, visitor by visitor,
however much one of them asks for. A place in the queue costs no thread: routes wait as coroutines, pages look
in for half a second, then draw that they wait and look in again at their next run. A place is kept only as
long as its visitor comes back for it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from interpret_core import sizes
from interpret_core.errors import UnitscopeError
from ui.access import visitors
from ui.access.roles import Role
from ui.session.live import presence

T = TypeVar("T")
VARIABLE, MOST = "INTERPRET_LIVE", 64
EACH = 8  # computations of one visitor that wait or work
TOTAL = 64  # of all visitors
LOOK_IN = 0.5  # seconds that a page waits for its turn before it says so
PATIENCE = 30.0  # seconds that a request waits for its turn before it is told to come back
FORGOTTEN = 15.0  # seconds after which the place of a page that has not looked in is given away
LISTEN = 0.5  # seconds between two looks whether whoever waits has left
AFTER = 2  # seconds after which whoever was turned away may come back


class Busy(UnitscopeError):
    """Others are being served; nothing is wrong, and it is worth while to ask again."""


class Left(Exception):
    """Whoever waited has left."""


class Ticket:
    """A place in the queue; from `LiveQueue`, compared by identity."""

    def __init__(self, who: str, slot: str | None) -> None:
        self.who, self.slot = who, slot
        self.working = False
        self._waits = False  # whether somebody stands here now; else the place is only kept
        self._seen = time.monotonic()
        self._wake: Callable[[], object] | None = None

    @property
    def kept(self) -> bool:
        """Whether nobody stands here just now."""
        return not (self._waits or self.working)


class LiveQueue:
    """Safe to share between threads and with the server's event loop."""

    def __init__(self, at_work: int, each: int = EACH, total: int = TOTAL) -> None:
        """Nobody waits.

        Args:
            at_work: computations at a time.
            each: those of one visitor that wait or work.
            total: of all visitors.
        """
        self._at_work, self._each, self._total = at_work, each, total
        self._visitors: OrderedDict[str, list[Ticket]] = OrderedDict()  # whose turn is next comes first
        self._working = 0
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Computations that wait for their turn."""
        with self._changed:
            return self._count() - self._working

    @property
    def working(self) -> int:
        """Computations at work."""
        return self._working

    @contextmanager
    def turn(
        self, who: str, slot: str, patience: float = LOOK_IN, gone: Callable[[], bool] = lambda: False
    ) -> Iterator[None]:
        """Hold a turn, in the thread that computes.

        Args:
            who: for whom.
            slot: what of theirs waits; one that waits under the same name already goes on with its place.
            patience: seconds to wait.
            gone: asked meanwhile; true ends the wait.

        Raises:
            Busy: the queue is full, or it is not yet their turn; then their place is kept for a while.
        """
        ticket = self.ask(who, slot)
        try:
            self._stand(ticket, patience, gone)
            yield
        finally:
            if ticket.working or gone():
                self.leave(ticket)

    async def computed(self, who: str, function: Callable[[], T], gone: Callable[[], Awaitable[bool]]) -> T:
        """What a function returns, called in a thread when its turn has come; nothing is held until then.

        Args:
            who: for whom.
            function: computes.
            gone: whether whoever asked has left, which ends the wait.

        Raises:
            Busy: the queue is full, or it took too long.
            Left: whoever asked has left.
        """
        ticket = self.ask(who)
        try:
            await self._called(ticket, gone)
            return await to_thread.run_sync(function, limiter=CapacityLimiter(1))
        finally:
            self.leave(ticket)

    def ask(self, who: str, slot: str | None = None) -> Ticket:
        """Take a place.

        Raises:
            Busy: there is none.
        """
        with self._changed:
            self._forget()
            own = self._visitors.get(who, [])
            found = next((one for one in own if slot and one.slot == slot and one.kept), None)
            if found is not None:
                found._seen = time.monotonic()
                return found
            if len(own) >= self._each:
                raise Busy(
                    f"{len(own)} computations of yours wait or work already, as many as one may have; ask "
                    "again when they are done."
                )
            if self._count() >= self._total:
                raise Busy(f"The server is busy: {self._count()} computations wait already; ask again soon.")
            ticket = Ticket(who, slot)
            self._visitors.setdefault(who, []).append(ticket)
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give a place or a turn back; the next one is called."""
        with self._changed:
            self._remove(ticket)
            self._call()

    def _stand(self, ticket: Ticket, patience: float, gone: Callable[[], bool]) -> None:
        end = time.monotonic() + patience
        with self._changed:
            ticket._waits = True
            self._call()
            while not ticket.working and (left := end - time.monotonic()) > 0 and not gone():
                self._changed.wait(min(left, LISTEN))
            ticket._waits, ticket._seen = False, time.monotonic()
            if not ticket.working:
                before = self._count() - 1
                raise Busy(
                    f"The server is busy with {'another computation' if before == 1 else f'{before} others'}"
                    " just now."
                )

    async def _called(self, ticket: Ticket, gone: Callable[[], Awaitable[bool]]) -> None:
        called, loop, end = asyncio.Event(), asyncio.get_running_loop(), time.monotonic() + PATIENCE
        with self._changed:
            ticket._wake = partial(loop.call_soon_threadsafe, called.set)
            ticket._waits = True
            self._call()
        while not ticket.working:
            with suppress(TimeoutError):
                await asyncio.wait_for(called.wait(), LISTEN)
            if await gone():
                raise Left
            if not ticket.working and time.monotonic() > end:
                raise Busy("The server is busy with others' computations; ask again soon.")

    def _call(self) -> None:
        """Give free turns to who stands in line, visitor by visitor."""
        self._forget()
        while self._working < self._at_work:
            standing = (
                one for own in self._visitors.values() for one in own if one._waits and not one.working
            )
            ticket = next(standing, None)
            if ticket is None:
                return
            ticket.working = True
            self._working += 1
            self._visitors.move_to_end(ticket.who)
            self._changed.notify_all()
            if ticket._wake is not None:
                with suppress(RuntimeError):  # the loop is closed: its server stops
                    ticket._wake()

    def _forget(self) -> None:
        """Give places away that nobody came back for."""
        now = time.monotonic()
        for own in list(self._visitors.values()):
            for ticket in list(own):
                if ticket.kept and now - ticket._seen > FORGOTTEN:
                    self._remove(ticket)

    def _remove(self, ticket: Ticket) -> None:
        own = self._visitors.get(ticket.who, [])
        if ticket in own:
            own.remove(ticket)
            if ticket.working:
                self._working -= 1
                ticket.working = False
                self._visitors.move_to_end(ticket.who)  # behind who came meanwhile
        if not own:
            self._visitors.pop(ticket.who, None)

    def _count(self) -> int:
        return sum(map(len, self._visitors.values()))


@lru_cache(maxsize=1)
def queue() -> LiveQueue:
    """The queue of this server.

    Raises:
        UserError: INTERPRET_LIVE is no number.
    """
    return LiveQueue(sizes.whole(VARIABLE, os.environ.get(VARIABLE, ""), 1, 1, MOST))


@contextmanager
def turn(slot: str, patience: float = LOOK_IN, act: str = "") -> Iterator[None]:
    """Hold a turn for the session whose page runs.

    Args:
        slot: which of its computations.
        patience: seconds to wait; beyond half of one, somebody has to be told meanwhile.
        act: what is computed, where only viewers may; empty for what a page of results needs itself.

    Raises:
        NotAllowedError: the visitor may not.
        Busy: it is not yet its turn, or the queue is full: draw that, and come back.
    """
    if act:
        visitors.require(Role.VIEWER, act)
    own = f"{presence.session()} {slot}"
    with queue().turn(presence.who(), own, patience, presence.gone):
        yield
