"""What is kept in memory: results for all sessions, and answers for as long as one run of a page takes.

Streamlit's own cache reads a function's signature and hashes its arguments at every call; on pages that ask
dozens of times per run, that was a fifth of what a run cost.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakValueDictionary

import streamlit as st
from cachetools import LRUCache, TTLCache, cached

from ui.shell.addresses import read_once

P = ParamSpec("P")
T = TypeVar("T")

_caches: list[MutableMapping[Any, Any]] = []  # of all functions; only ever added to
_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers", default=None)


def kept(most: int, seconds: float | None = None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function returned, for every session, by its arguments.

    Those whose names begin with an underscore do not count; the others are hashable, and all are given by
    place. Of several calls for the same at the same time, one computes and the others wait. What is kept is
    shared: nobody changes it.

    Args:
        most: how many answers; what has not been asked for the longest is forgotten first.
        seconds: after which an answer is forgotten.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cache: MutableMapping[Any, Any] = LRUCache(most) if seconds is None else TTLCache(most, seconds)
        _caches.append(cache)
        places = [at for at, name in enumerate(inspect.signature(function).parameters) if name[0] != "_"]

        def key(*arguments: Any) -> tuple[Any, ...]:
            return tuple(arguments[at] for at in places)

        return cast(Callable[P, T], cached(cache, key, condition=threading.Condition())(function))

    return decorate


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
    token = _answers.set({})
    try:
        with read_once():
            yield
    finally:
        _answers.reset(token)


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
