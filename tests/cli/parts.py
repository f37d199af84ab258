"""A run in parts, for the command line's tests: its caches, its rounds, what it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interpret_core.store import Store
from tests.cli.conftest import Command, Ran
from tests.planted_dataset import Planted

NETWORK = "tests.analyses.networks:mixed"
OPTIONS = ("--min-images", 1, "--permutations", 5, "--batch-size", 2, "--quantile", 0.02, "--device", "cpu")
SHARDS = ("--shards", 6)


@dataclass(frozen=True)
class Rounds:
    """A profile in parts below a folder."""

    command: Command
    planted: Planted
    folder: Path

    def profile(self, *more: object, shards: Sequence[object] = SHARDS) -> Ran:
        asked = ("profile", "--network", NETWORK, "--dataset", self.planted.root)
        return self.command(*asked, *OPTIONS, *shards, *more)

    def cache(self, part: int) -> Path:
        return self.folder / f"part-{part}"

    def part(self, part: int, of: int = 3, *more: object, merged: str = "joined") -> Ran:
        ran = self.profile(
            *("--part", f"{part}/{of}", "--cache", self.cache(part), "--merged", self.folder / merged), *more
        )
        assert (ran.status, ran.err) == (0, "")
        return ran

    def merge(self, parts: Iterable[int] = (1, 2, 3), into: str = "joined") -> Ran:
        return self.command("merge", *map(self.cache, parts), "--into", self.folder / into)

    def following(self, parts: Iterable[int] = (1, 2, 3), into: str = "joined") -> list[int]:
        """Parts that come next; none once it is done."""
        ran = self.merge(parts, into)
        assert (ran.status, ran.err) == (0, "")
        return read_last(ran)

    def until(self, title: str, of: int = 3) -> None:
        """All parts, round by round, before they begin with a pass."""
        everybody = range(1, of + 1)
        for _ in range(6):
            said = [self.part(part, of) for part in everybody]
            if all(f"share of {title}" in ran.out for ran in said):
                return
            self.following(everybody)
        raise AssertionError(f"No pass of {title} came.")


def read_last(ran: Ran) -> list[int]:
    word, *rest = ran.out.splitlines()[-1].split()
    assert (word, len(rest)) in (("parts", 1), ("done", 0)), ran.out
    return [int(part) for part in rest[0].split(",")] if rest else []


def records(folder: Path) -> dict[str, str]:
    """What lies in a cache: digests by key."""
    with Store(folder, shipped=()) as store:
        found = {}
        for key in store.keys(""):
            record = store.get(key)
            assert record is not None
            found[key] = record.digest()
        return found


def results(folder: Path) -> dict[str, str]:
    """Those of them that were asked for, and what further runs make use of."""
    kinds = ("survey/", "profile/", "chance/", "assessment/", "largest/", "masks/")
    return {key: digest for key, digest in records(folder).items() if key.startswith(kinds)}
