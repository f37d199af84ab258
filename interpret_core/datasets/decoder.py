"""Decoding the bytes of a picture or mask with Pillow, whatever else the process does with Pillow.

What counts as readable must not depend on the program around us: Pillow's settings belong to the whole
process, and training code often lets Pillow make up the rest of a truncated file. So while one of our threads
decodes, its settings are ours; every other thread goes on seeing its own.

How much is decoded at a time is bounded by pixels: a few large photographs, or one, or many small pictures. A
pixel takes about ten bytes while it is decoded and resized.

A file is damaged where its content is at fault. Too little memory, or an error of the operating system, is
not the file's fault and is raised as what it is.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from interpret_core.datasets import tiffs
from interpret_core.datasets.contents import refused
from interpret_core.datasets.tables import MAX_PIXELS
from interpret_core.errors import DamagedFileError, DatasetError

_LOCK = threading.Lock()  # Pillow's settings are looked at and exchanged in one step
# A process forked in the midst of such a step would wait for ever.
os.register_at_fork(before=_LOCK.acquire, after_in_child=_LOCK.release, after_in_parent=_LOCK.release)
_SAVE_IT = {
    "image": "save it with 8 bits a colour, as PNG or JPEG",
    "mask": "save the label numbers as PNG, with one channel of 8 or 16 bits",
}
AT_ONCE = MAX_PIXELS  # pixels that are decoded at a time in this process
_POSTSCRIPT = (b"%!PS", b"\xc5\xd0\xd3\xc6")  # for which Pillow starts an interpreter, whatever the name
_PATIENCE = 100  # attempts to decode while other code changes them
_NO_LIMIT = 1 << 62
# Pillow holds pictures in blocks of 16 MiB, which glibc keeps for the thread that freed them. Those of 32 MiB
# and more it gives back at once. A block is never larger than what is left of the picture.
_BLOCK = 64 << 20
if Image.core.get_block_size() < _BLOCK:  # type: ignore[attr-defined]
    Image.core.set_block_size(_BLOCK)  # type: ignore[attr-defined]
_T = TypeVar("_T")


class NotReadError(ValueError):
    """A sound file that is not read; the message goes on after the file's name: what it is, the remedy."""


def decode(kind: str, path: Path, content: bytes, convert: Callable[[Image.Image], _T]) -> _T:
    """What `convert` makes of an opened, not yet decoded image.

    Args:
        kind: what the file is, "image" or "mask", for the message.
        path: where the bytes come from.
        content: the file's bytes.
        convert: may be called again; what it raises as NotReadError becomes the message.

    Raises:
        DamagedFileError: the content is no image, damaged, truncated, too large, or not read.
        DatasetError: the operating system got in the way.
        MemoryError: there was not enough memory.
    """
    if content.startswith(_POSTSCRIPT):
        raise DamagedFileError(f"{kind} {path} is PostScript, a program that is not run: {_SAVE_IT[kind]}.")
    try:
        return _undisturbed(content, convert)
    except NotReadError as error:
        raise DamagedFileError(f"{kind} {path} {error}.") from error
    except (MemoryError, DatasetError):
        raise
    except Exception as error:
        # Pillow's decoders raise OSError, SyntaxError, struct.error, ValueError and more on damaged bytes.
        if isinstance(error, OSError) and error.errno is not None:
            raise refused(path, error) from error
        unidentified = isinstance(error, UnidentifiedImageError)
        if unidentified and (layout := tiffs.not_read(content)):
            raise DamagedFileError(f"{kind} {path} {layout}: {_SAVE_IT[kind]}.") from error
        reason = why_not(content) if unidentified else _words(error)
        if "out of memory" in reason:
            raise MemoryError(f"{kind} {path}: {reason}") from error
        raise DamagedFileError(
            f"{kind} {path} cannot be decoded ({reason}): restore it, or remove it from the table."
        ) from error


def _undisturbed(content: bytes, convert: Callable[[Image.Image], _T]) -> _T:
    """Decode under our settings; once more where somebody changed Pillow's in the meantime."""
    for _ in range(_PATIENCE):
        outcome: _T | Exception
        with _our_settings() as undisturbed:
            try:
                outcome = _decoded(content, convert)
            except Exception as error:
                outcome = error
        if undisturbed():
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
    raise DatasetError(
        "Other code in this process changes Pillow's settings (LOAD_TRUNCATED_IMAGES or others) all the "
        "time, expected them to stay for a moment: set them once, and run it again."
    )


def _decoded(content: bytes, convert: Callable[[Image.Image], _T]) -> _T:
    def once() -> _T:
        with Image.open(BytesIO(content)) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.height}×{image.width}"
                raise ValueError(f"{size} pixels, expected at most {MAX_PIXELS:,} in all")
            with _ROOM.taken(image.width * image.height):
                return convert(image)

    try:
        return once()
    except Warning:  # the process has warnings raised; Pillow's are about what does not matter to the pixels
        with _silent(), Image.open(BytesIO(content)) as image:
            pixels = image.width * image.height
        # Room before the lock: whoever has room needs the lock to give it back.
        with _ROOM.taken(min(pixels, MAX_PIXELS)), _silent():
            return once()


@contextmanager
def _silent() -> Iterator[None]:
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Room:
    """How many pixels are being decoded. What is larger than all the room has it to itself."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels = 0
        self._own = threading.local()

    @contextmanager
    def held(self) -> Iterator[None]:
        """What this thread decodes within the block counts until its end."""
        if self._depth:  # the outer block holds it
            yield
            return
        self._own.depth, self._own.pixels = 1, 0
        try:
            yield
        finally:
            taken, self._own.depth = self._own.pixels, 0
            with self._changed:
                self._pixels -= taken
                self._changed.notify_all()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait until so many fit. Whoever has some never waits for more, or two might wait for each other."""
        with self.held():
            with self._changed:
                if not self._own.pixels:
                    self._changed.wait_for(lambda: not self._pixels or self._pixels + pixels <= AT_ONCE)
                self._pixels += pixels
                self._own.pixels += pixels
            yield

    @property
    def _depth(self) -> int:
        return getattr(self._own, "depth", 0)


_ROOM = _Room()


def held() -> AbstractContextManager[None]:
    """A block at whose end nothing is left of the pictures that are decoded in it.

    Whoever reads a picture to make a small one of it does both in such a block: the next large picture is not
    decoded before.
    """
    return _ROOM.held()


def _new_room() -> None:
    """In a forked process, where no other thread goes on."""
    global _ROOM  # the threads that held the old one are not here
    _ROOM = _Room()


os.register_at_fork(after_in_child=_new_room)


class _Flag:
    """Stands in the place of a setting of Pillow: `own` for our threads, what it was for all others."""

    def __init__(self, users: object, own: bool) -> None:
        self.users, self.own = users, own
        self.ours: set[int] = set()

    def __bool__(self) -> bool:
        return self.own if threading.get_ident() in self.ours else bool(self.users)


class _Limit(int):
    """The same for the number of pixels beyond which Pillow warns or refuses: we have a limit of our own."""

    users: object
    ours: set[int]

    def __rmul__(self, factor: int) -> int:
        return factor * (_NO_LIMIT if threading.get_ident() in self.ours else int(self))

    def __lt__(self, pixels: int) -> bool:  # what becomes of Pillow's `pixels > limit`
        return threading.get_ident() not in self.ours and int(self) < pixels


def _limit(users: int | None) -> _Limit | None:
    if users is None:
        return None
    made = _Limit(users)
    made.users, made.ours = users, set()
    return made


_SETTINGS: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (ImageFile, "LOAD_TRUNCATED_IMAGES", partial(_Flag, own=False)),
    (TiffImagePlugin, "READ_LIBTIFF", partial(_Flag, own=True)),  # see `tiffs`
    (Image, "MAX_IMAGE_PIXELS", _limit),
)


@contextmanager
def _our_settings() -> Iterator[Callable[[], bool]]:
    """Our settings for this thread; gives a function that tells, afterwards, whether they held."""
    me = threading.get_ident()
    placed = []
    with _LOCK:
        for module, name, make in _SETTINGS:
            found = getattr(module, name)
            stand_in = found if isinstance(found, _Flag | _Limit) else make(found)
            if stand_in is not None:
                stand_in.ours.add(me)
            setattr(module, name, stand_in)
            placed.append(stand_in)
    held: list[bool] = []
    try:
        yield lambda: all(held)
    finally:
        with _LOCK:
            for (module, name, _), stand_in in zip(_SETTINGS, placed, strict=True):
                held.append(getattr(module, name) is stand_in)
                if stand_in is not None:
                    stand_in.ours.discard(me)
                    if held[-1] and not stand_in.ours:
                        setattr(module, name, stand_in.users)


def why_not(content: bytes) -> str:
    """Why Pillow does not know what some bytes are, as far as a format recognises them."""
    if not content:
        return "it is empty"
    if content.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the file: run `git lfs pull`"
    Image.init()
    with _silent():
        for name in Image.ID:
            factory, accepts = Image.OPEN[name]
            try:
                if accepts is not None and accepts(content[:16]) is True:
                    factory(BytesIO(content), "")
            except Exception as error:
                return f"{name}: {_words(error)}"
    return "it is no picture of a format that is read"


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
