"""What may leave with a file, a page or a report: no folder of this machine, and no picture where not wanted.

Names by which networks and data sets are asked for may be paths, and messages name files. Whatever is written
for others goes through a `Discretion`: of a path its last part is left, and of a picture's file, where
pictures are to be left out, its number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from interpret_core import config

VARIABLE = "INTERPRET_PICTURES"
ELSEWHERE = "…"  # a folder whose name says nothing
# Columns of words that a data set or a network gives: one may look like a path or a file, and stays as it is.
LABELS = frozenset({"concept", "class", "label", "category", "layer", "ablated_class", "evaluated_class"})
_OFF = frozenset({"0", "false", "no", "off"})
# A network with weights of a file: package.module:factory@file, torchvision/name@file, timm/name@file.
_FROM_FILE = re.compile(r"(?P<network>[^@\s]+[:/][^@\s]+)@(?P<folders>.*[/\\])(?P<file>[^/\\]+)")
_BEFORE, _BEHIND = r"(?<![\w/.-])", r"(?=[/\\\s'\":,;)\]]|$)"  # a path is no part of another

# A path of at least two parts that begins the way absolute ones do, and is no part of an address.
_PATH = re.compile(r"(?<![\w:/.…])(?:/|[A-Za-z]:\\)(?:[^\s/\\:'\"<>|,;()]+[/\\])+(?=([^\s/\\'\"<>|,;()]*))")


def pictures_leave(wanted: bool = True) -> bool:
    """Whether pictures and the names of their files may leave.

    Args:
        wanted: what was asked for; INTERPRET_PICTURES=0 says no whatever that is.
    """
    return wanted and os.environ.get(VARIABLE, "").strip().lower() not in _OFF


def number_of(picture: int) -> str:
    """What stands for a picture: its place in the data set's table, from 0."""
    return f"#{picture}"


@dataclass(frozen=True)
class Discretion:
    """How what is known here is called where it leaves.

    Attributes:
        called: a text that is asked for here -> what stands for it.
        places: absolute folders -> what stands for each.
        pictures: files of pictures below the data set's folder, in order, where they are to be left out.
    """

    called: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    pictures: Sequence[str] = ()

    @cached_property
    def _numbers(self) -> dict[str, str]:
        return {name: number_of(number) for number, name in reversed(list(enumerate(self.pictures)))}

    @cached_property
    def _endings(self) -> tuple[str, ...]:
        return tuple({Path(name).suffix for name in self.pictures})

    @cached_property
    def _words(self) -> list[tuple[str, re.Pattern[str], str]]:
        """Texts to look for, the longest first: a folder may lie in another."""
        long = {word: other for word, other in self.called.items() if "/" in word or "\\" in word}
        every = sorted({**self.places, **long}.items(), key=lambda pair: -len(pair[0]))
        return [
            (word, re.compile(f"{_BEFORE}{re.escape(word)}{_BEHIND}"), other)
            for word, other in every
            if word != other
        ]

    def text(self, said: str) -> str:
        """A text as it may leave."""
        if said in self.called:
            return self.called[said]
        stranger = "@" in said and not any(word in said for word in self.called if "@" in word)
        for word, pattern, other in self._words:
            if word in said:
                said = pattern.sub(other.replace("\\", r"\\"), said)
        # A stored result may say by which file somebody else once asked for it.
        if stranger and (found := _FROM_FILE.fullmatch(said)) is not None:
            said = f"{found['network']}@{found['file']}"
        return self._numbered(said) if self.pictures else said

    def _numbered(self, said: str) -> str:
        """With a number in place of each picture's file."""
        if said in self._numbers:
            return self._numbers[said]
        if any(ending in said for ending in self._endings):
            named = sorted((name for name in self._numbers if name in said), key=len, reverse=True)
            for name in named:
                said = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", self._numbers[name], said)
        return said

    def told(self, value: Any) -> Any:
        """The same of whatever texts are in lists, mappings and dataclasses."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.told(key): one if key in LABELS and isinstance(one, str) else self.told(one)
                for key, one in value.items()
            }
        if isinstance(value, list | tuple):
            found = map(self.told, value)
            return type(value)(*found) if hasattr(value, "_fields") else type(value)(found)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{one.name: self.told(getattr(value, one.name)) for one in fields(value)})
        return value


def discretion(
    networks: Iterable[str], dataset: tuple[str, str, Path] | None = None, pictures: Sequence[str] = ()
) -> Discretion:
    """What stands for the folders of this machine, and for what was asked for.

    Args:
        networks: names as they were asked for.
        dataset: how it was asked for, its own name, and its folder.
        pictures: see `Discretion`.
    """
    asked = list(networks)
    called = dict(zip(asked, _unlike(asked), strict=True))
    now = config.current()
    places = {
        **{str(folder): word for folder, word in _downloads().items()},
        str(Path.home()): "~",
        str(Path.cwd()): ".",
        str(now.cache): "cache",
        **({str(now.uploads): "uploads"} if now.uploads is not None else {}),
        **{str(folder): name for name, folder in now.datasets.items()},
    }
    for name in asked:
        if (found := _FROM_FILE.fullmatch(name)) is not None and Path(found["folders"]).is_absolute():
            places[found["folders"].rstrip("/\\")] = ELSEWHERE
    if dataset is not None:
        given, name, root = dataset
        called[given] = name
        places[str(root)] = name
    places = {place: word for place, word in places.items() if len(Path(place).parts) > 1}
    return Discretion(called, places, pictures)


def _downloads() -> dict[Path, str]:
    """Folders of downloads outside the home, which notes on missing weights name; torch's own rules."""
    caches = {name: os.environ.get(name, "") for name in ("TORCH_HOME", "XDG_CACHE_HOME", "HF_HOME")}
    return {Path(place).expanduser().absolute(): f"${name}" for name, place in caches.items() if place}


def _unlike(names: Sequence[str]) -> list[str]:
    """Names without the folders of their files; as many of these as tell two of them apart."""
    matches = [_FROM_FILE.fullmatch(name) for name in names]
    parts = [re.split(r"[/\\]+", f"{one['folders']}{one['file']}") if one else [] for one in matches]
    kept = [1] * len(names)
    while True:
        short = [
            name if found is None else f"{found['network']}@{'/'.join(part[-count:])}"
            for name, found, part, count in zip(names, matches, parts, kept, strict=True)
        ]
        alike = [at for at, one in enumerate(short) if matches[at] is not None and short.count(one) > 1]
        grown = [at for at in alike if kept[at] < len(parts[at])]
        if not grown:
            return short
        for at in grown:
            kept[at] += 1


def without_paths(text: str, roots: tuple[str, ...] = ()) -> str:
    """A text with each path of the server cut down to its last part.

    Args:
        text: any.
        roots: folders that are known, and may have spaces in their names; the longest first.
    """
    for root in roots:
        text = re.sub(rf"(?<![\w/.-]){re.escape(root)}(?=[/\\\s'\":,;)]|$)", "…", text)
    return _PATH.sub("…/", text)
