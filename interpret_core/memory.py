"""What a process holds in memory, by kind, within one budget for everybody.

Whoever keeps something large (a network, the prefixes of an ablation, the records of a layer) says so with
`MemoryBudget.hold`: what it is, which pieces of memory it consists of, and how to let go of it. Where all of
it exceeds the budget, whoever has not been used for the longest lets go, never what is in use. Memory that
several keep counts once.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from interpret_core import config

Pieces = Mapping[int, int]  # address of a piece of memory -> its bytes
DEEPEST = 12  # containers within containers that are looked into
OURS = ("interpret_core", "ui")
OBJECT = 200  # bytes that any object of ours takes, about
NUMBER = 32  # the same of a number in a list; lists of numbers hold nothing else


class MemoryHolding:
    """Something that is kept; from `MemoryBudget.hold`, compared by identity.

    Attributes:
        kind: what it is, in a word or two.
    """

    def __init__(self, kind: str, pieces: Pieces, drop: Callable[[], object]) -> None:
        self.kind = kind
        self._pieces = dict(pieces)
        self._drop = drop
        self._uses = 0


class MemoryBudget:
    """Holdings in the order of their last use. Safe to share between threads.

    No function is called while its lock is held, so that whoever lets go may hold locks of its own.
    """

    def __init__(self, limit: int) -> None:
        """Nothing is held yet.

        Args:
            limit: bytes.
        """
        self.limit = limit
        self._holdings: OrderedDict[MemoryHolding, None] = OrderedDict()
        self._pieces: dict[int, tuple[int, str]] = {}  # bytes, and the kind that was the first to hold them
        self._sharers: Counter[int] = Counter()
        self._total = 0
        self._gone: deque[MemoryHolding] = deque()
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Bytes that are held, what several hold counted once."""
        with self._locked():
            return self._total

    def held(self) -> dict[str, int]:
        """Bytes by kind, largest first; what several share counts for whoever held it first."""
        found: Counter[str] = Counter()
        with self._locked():
            for size, kind in self._pieces.values():
                found[kind] += size
        return dict(found.most_common())

    def hold(
        self, kind: str, pieces: Pieces, drop: Callable[[], object], *, used: bool = False
    ) -> MemoryHolding:
        """Count something that is kept from now on; others may have to let go for it.

        Args:
            kind: what it is.
            pieces: of memory, as `pieces_of` finds them.
            drop: lets go of it, called at most once, from any thread; not called after `release`.
            used: it is in use from the start, until `unuse`.
        """
        holding = MemoryHolding(kind, pieces, drop)
        with self._locked():
            holding._uses += used
            self._holdings[holding] = None
            self._add(holding.kind, holding._pieces)
        if pieces:
            self._trim(holding)
        return holding

    def grow(self, holding: MemoryHolding, pieces: Pieces) -> bool:
        """Add to what is held; false, and nothing is added, where others that are in use leave no room."""
        with self._locked():
            if holding not in self._holdings:
                return False
            more = {piece: size for piece, size in pieces.items() if piece not in holding._pieces}
            holding._pieces.update(more)
            self._add(holding.kind, more)
        self._trim(holding)
        with self._locked():
            if self._total <= self.limit or holding not in self._holdings:
                return holding in self._holdings
            for piece in more:
                del holding._pieces[piece]
            self._take(more)
        return False

    def use(self, holding: MemoryHolding) -> bool:
        """Note that it is used from now on, until `unuse`; false where it has been let go of."""
        with self._locked():
            if holding not in self._holdings:
                return False
            holding._uses += 1
            self._holdings.move_to_end(holding)
        return True

    def unuse(self, *holdings: MemoryHolding) -> None:
        """Note the end of uses, of all at once: what was used before the others is let go of before them."""
        with self._locked():
            for holding in holdings:
                holding._uses -= 1
        self._trim()

    @contextmanager
    def using(self, holding: MemoryHolding) -> Iterator[bool]:
        """In use meanwhile; false where it has been let go of."""
        there = self.use(holding)
        try:
            yield there
        finally:
            if there:
                self.unuse(holding)

    def touch(self, holding: MemoryHolding) -> bool:
        """Note that it was used just now; false where it has been let go of."""
        with self._locked():
            if holding not in self._holdings:
                return False
            self._holdings.move_to_end(holding)
        return True

    def release(self, holding: MemoryHolding) -> None:
        """Forget it: its keeper has let go by itself."""
        with self._locked():
            self._forget(holding)

    def release_later(self, holding: MemoryHolding) -> None:
        """The same for finalizers, which may run in the middle of anything."""
        self._gone.append(holding)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            while self._gone:
                self._forget(self._gone.popleft())
            yield

    def _trim(self, newest: MemoryHolding | None = None) -> None:
        """Have others let go until all is within the limit, or in use."""
        while True:
            with self._locked():
                if self._total <= self.limit:
                    return
                unused = [one for one in self._holdings if not one._uses and one is not newest]
                # What only shares memory with others frees nothing: it goes with the last that holds it.
                victim = next((one for one in unused if self._frees(one)), None)
                victim = victim or next((one for one in unused if one._pieces), None)
                if victim is None:
                    return
                self._forget(victim)
            victim._drop()

    def _frees(self, holding: MemoryHolding) -> bool:
        return any(self._sharers[piece] == 1 for piece in holding._pieces)

    def _forget(self, holding: MemoryHolding) -> None:
        if holding in self._holdings:
            del self._holdings[holding]
            self._take(holding._pieces)

    def _add(self, kind: str, pieces: Pieces) -> None:
        for piece, size in pieces.items():
            self._sharers[piece] += 1
            if self._sharers[piece] == 1:
                self._pieces[piece] = size, kind
                self._total += size

    def _take(self, pieces: Pieces) -> None:
        for piece in pieces:
            self._sharers[piece] -= 1
            if not self._sharers[piece]:
                del self._sharers[piece]
                self._total -= self._pieces.pop(piece)[0]


@lru_cache(maxsize=1)
def budget() -> MemoryBudget:
    """The budget of this process, as INTERPRET_MEMORY says.

    Raises:
        UserError: the variable is no size.
    """
    return MemoryBudget(config.memory_size())


def pieces_of(value: object) -> dict[int, int]:
    """The pieces of memory that a value consists of: buffers of arrays and tensors, texts, objects of ours.

    A value of ours may say so itself, by `memory_pieces()`. What is computed later and kept by the value is
    not among them.
    """
    found: dict[int, int] = {}
    _look(value, found, set(), 0)
    return found


def _look(value: Any, found: dict[int, int], seen: set[int], depth: int) -> None:
    if value is None or isinstance(value, bool | int | float | type) or id(value) in seen or depth > DEEPEST:
        return
    seen.add(id(value))
    if hasattr(type(value), "memory_pieces"):
        found.update(value.memory_pieces())
        return
    if isinstance(value, np.ndarray):
        _array(value, found)
    elif isinstance(value, str | bytes | bytearray):
        found[id(value)] = sys.getsizeof(value)
    elif not _tensors(value, found):
        for one in _parts(value, found):
            _look(one, found, seen, depth + 1)


def _array(array: np.ndarray[Any, Any], found: dict[int, int]) -> None:
    base: Any = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    owner = base.base  # the bytes of a record, say
    if isinstance(owner, memoryview):
        owner = owner.obj
    if isinstance(owner, bytes | bytearray):
        found[id(owner)] = len(owner)
    else:
        found[base.__array_interface__["data"][0]] = base.nbytes


def _tensors(value: Any, found: dict[int, int]) -> bool:
    """A tensor, or the parameters and buffers of a module."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor | torch.nn.Module):
        return False
    tensors: Sequence[Any] = (
        [value] if isinstance(value, torch.Tensor) else [*value.parameters(), *value.buffers()]
    )
    for tensor in tensors:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
    return True


def _parts(value: Any, found: dict[int, int]) -> Sequence[Any]:
    """What a container holds, and objects of ours; nothing else is looked into."""
    if isinstance(value, Mapping):
        found[id(value)] = sys.getsizeof(value)
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        numbers = bool(value) and isinstance(next(iter(value)), int | float)
        found[id(value)] = sys.getsizeof(value) + (NUMBER * len(value) if numbers else 0)
        return () if numbers else list(value)
    if type(value).__module__.partition(".")[0] not in OURS:
        return ()
    found[id(value)] = OBJECT
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    own = [getattr(value, name) for name in slots if isinstance(name, str) and hasattr(value, name)]
    return [*own, *getattr(value, "__dict__", {}).values()]
