"""What is kept in memory: results for all sessions, and answers for as long as one run of a page takes.

Streamlit's own cache reads a function's signature and hashes its arguments at every call; on pages that ask
dozens of times per run, that was a fifth of what a run cost.
"""

from __future__ import annotations

import functools
import inspect
import math
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast
from weakref import WeakValueDictionary

import streamlit as st
from cachetools import cached

from interpret_core.memory import MemoryHolding, budget, pieces_of
from ui.shell.addresses import read_once

P = ParamSpec("P")
T = TypeVar("T")

_caches: list[MutableMapping[Any, Any]] = []  # of all functions; only ever added to
_watchers: list[Callable[[float], None]] = []
_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers", default=None)
_in_use: ContextVar[set[MemoryHolding] | None] = ContextVar("in_use", default=None)


class _KeptAnswer(NamedTuple):
    """A value, when it is forgotten (monotonic seconds), and what the budget knows of it."""

    value: Any
    until: float
    holding: MemoryHolding | None


class KeptAnswers(MutableMapping[Any, Any]):
    """Answers by key, the least recently used out first: by number, by age, and by what the process may hold.

    Safe to share between threads.
    """

    def __init__(self, most: int, seconds: float | None = None, kind: str = "") -> None:
        """Nothing is kept yet.

        Args:
            most: how many answers.
            seconds: after which one is forgotten.
            kind: under which the process's budget counts them; "" where it does not.
        """
        self._most, self._seconds, self._kind = most, seconds or math.inf, kind
        self._answers: OrderedDict[Any, _KeptAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def __getitem__(self, key: Any) -> Any:
        with self._lock:
            found = self._answers[key]
            self._answers.move_to_end(key)
        if found.until < time.monotonic() or not (found.holding is None or use(found.holding)):
            self._forget(key, found)
            raise KeyError(key)
        return found.value

    def __setitem__(self, key: Any, value: Any) -> None:
        pieces = pieces_of(value) if self._kind else {}
        found = _KeptAnswer(value, time.monotonic() + self._seconds, None)
        if pieces:
            self_of = weakref.ref(self)

            def drop() -> None:
                kept = self_of()
                if kept is not None:
                    kept._drop(key, holding)

            holding = budget().hold(self._kind, pieces, drop, used=True)
            found = found._replace(holding=holding)
        with self._lock:
            old = [self._answers.pop(key, None)]
            self._answers[key] = found
            while len(self._answers) > self._most:
                old.append(self._answers.popitem(last=False)[1])
        for one in old:
            _release(one)
        if pieces:
            use(holding)
            budget().unuse(holding)

    def __delitem__(self, key: Any) -> None:
        with self._lock:
            found = self._answers.pop(key)
        _release(found)

    def __iter__(self) -> Iterator[Any]:
        with self._lock:
            return iter(list(self._answers))

    def __len__(self) -> int:
        return len(self._answers)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            found, self._answers = list(self._answers.values()), OrderedDict()
        for one in found:
            _release(one)

    def _forget(self, key: Any, found: _KeptAnswer) -> None:
        """Forget an answer, unless another one is there by now."""
        with self._lock:
            if self._answers.get(key) is found:
                del self._answers[key]
        _release(found)

    def _drop(self, key: Any, holding: MemoryHolding) -> None:
        with self._lock:
            found = self._answers.get(key)
            if found is not None and found.holding is holding:
                del self._answers[key]


def _release(found: _KeptAnswer | None) -> None:
    if found is not None and found.holding is not None:
        budget().release(found.holding)


def use(holding: MemoryHolding) -> bool:
    """Note that something held is used, by a run of a page until its end; false where it was let go of."""
    using = _in_use.get()
    if using is None:
        return budget().touch(holding)
    if holding in using:
        return True
    if not budget().use(holding):
        return False
    using.add(holding)
    return True


@contextmanager
def using() -> Iterator[None]:
    """What is asked for meanwhile stays in memory until the end."""
    if _in_use.get() is not None:
        yield
        return
    token = _in_use.set(set())
    try:
        yield
    finally:
        budget().unuse(*(_in_use.get() or ()))
        _in_use.reset(token)


def kept(
    most: int, seconds: float | None = None, *, kind: str = "drawn"
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function returned, for every session, by its arguments.

    Those whose names begin with an underscore do not count; the others are hashable, and all are given by
    place. Of several calls for the same at the same time, one computes and the others wait. What is kept is
    shared: nobody changes it.

    Args:
        most: how many answers; what has not been asked for the longest is forgotten first.
        seconds: after which an answer is forgotten.
        kind: what they are, for the process's budget (`interpret_core.memory`), which lets go of what has
            not been asked for the longest; "" for what must not be forgotten, or costs nothing.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cache = KeptAnswers(most, seconds, kind)
        _caches.append(cache)
        places = [at for at, name in enumerate(inspect.signature(function).parameters) if name[0] != "_"]

        def key(*arguments: Any) -> tuple[Any, ...]:
            return tuple(arguments[at] for at in places)

        return cast(Callable[P, T], cached(cache, key, condition=threading.Condition())(function))

    return decorate


def at_hand(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function that is `kept` returned for these arguments, None where that is not known any more."""
    wrapper: Any = function
    return wrapper.cache.get(wrapper.cache_key(*arguments))


def held() -> MutableMapping[Any, Any]:
    """What somebody holds anyway (a part of an open page), by its key: it costs no room of its own."""
    found: MutableMapping[Any, Any] = WeakValueDictionary()
    _caches.append(found)
    return found


def forget() -> None:
    """Forget everything that is kept, as a new start of the server would."""
    for cache in _caches:
        cache.clear()


def once(function: Callable[P, T]) -> Callable[P, T]:
    """Ask a function once per run of a page; a run sees one state of the files and of the store.

    Outside a run (routes, callbacks) it is asked each time.
    """

    @functools.wraps(function)
    def asked(*arguments: P.args, **named: P.kwargs) -> T:
        answers = _answers.get()
        if answers is None:
            return function(*arguments, **named)
        key = (function, arguments, tuple(sorted(named.items())))
        if key not in answers:
            answers[key] = function(*arguments, **named)
        return cast(T, answers[key])

    return asked


@contextmanager
def run() -> Iterator[None]:
    """One run of a page, or of a part of it on its own."""
    if _answers.get() is not None:
        yield
        return
    token, start = _answers.set({}), time.monotonic()
    try:
        with read_once(), using():
            yield
    finally:
        _answers.reset(token)
        for watcher in _watchers:
            watcher(time.monotonic() - start)


def watch(watcher: Callable[[float], None]) -> None:
    """Call somebody with the seconds that each run of a page or of a part took, in the run's own thread."""
    _watchers.append(watcher)


def again() -> None:
    """Ask everything anew from here on: the run itself has changed something."""
    answers = _answers.get()
    if answers is not None:
        answers.clear()


def part(function: Callable[P, None], every: float | None = None) -> Callable[P, None]:
    """A part of a page that reruns alone (`st.fragment`).

    Args:
        function: draws it.
        every: seconds after which it reruns by itself.
    """

    @functools.wraps(function)
    def drawn(*arguments: P.args, **named: P.kwargs) -> None:
        with run():
            function(*arguments, **named)

    return cast(Callable[P, None], st.fragment(drawn, run_every=every))
