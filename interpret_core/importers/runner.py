"""An import from its beginning to its end: picture by picture, in order, by threads, to be gone on with."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import asdict, astuple, dataclass, field
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import Cancelled, DamagedFileError, DatasetError
from interpret_core.importers.base import (
    Importer,
    ImportSettings,
    ImportSource,
    Preparation,
    SourcePicture,
    Tell,
    checked_labels,
)
from interpret_core.importers.grid import as_picture, nearest
from interpret_core.importers.names import target_name
from interpret_core.importers.placement import PictureFacts, ending_for, facts_of, put_picture
from interpret_core.importers.target import Imported, ImportTarget, opened

WORKERS = 2  # a photograph of 48 megapixels takes 450 MB of each while it is scaled down
LARGE = 12_000_000  # pixels of a picture whose label maps are read one at a time: 8 bytes for each of them
_AHEAD = 8
_PICTURES = "pictures"  # folder below images/


def run_import(
    importer: Importer,
    settings: ImportSettings,
    tell: Tell = lambda _stage, _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Imported:
    """Bring a data set into the reader's layout; cut off and asked for again, it goes on.

    Args:
        importer: of what, and its format's options.
        settings: where to, and how.
        tell: progress: stage, done, of how many.
        cancelled: asked for each picture; a true answer raises Cancelled.

    Returns:
        What was made; pictures that cannot be read are left out, and named in it.

    Raises:
        DatasetError: nothing can be imported; what is wrong with the source, or with the folder.
        Cancelled: as asked; finished pictures are kept.
    """
    folder = settings.into.expanduser().resolve()
    places = [place.expanduser().resolve() for place in importer.places()]
    for place in places:
        if folder == place or place in folder.parents or folder in place.parents:
            raise DatasetError(
                f"--into {folder} and the source {place} lie in each other: choose a folder beside it."
            )
    prepared = importer.prepared()
    asked = {"format": importer.called, **_asked(importer, places), **prepared.made_with}
    whole = Path(str(getattr(importer, "source", "")))  # its places may be folders below it
    licensed = [*places, *([whole] if whole.is_dir() else [])]
    return written(Preparation(prepared.open, asked, licensed), settings, str(places[0]), tell, cancelled)


def written(
    preparation: Preparation,
    settings: ImportSettings,
    where: str,
    tell: Tell = lambda _stage, _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Imported:
    """Write a source into the reader's layout; cut off and asked for again, it goes on.

    Args:
        preparation: opens the source, and says all that decides what is written beside the settings.
        settings: where to, and how.
        where: the source lies, for messages.
        tell: as for `run_import`.
        cancelled: as for `run_import`.

    Raises:
        DatasetError: as `run_import`.
        Cancelled: as `run_import`.
    """
    folder = settings.into.expanduser().resolve()
    asked = {**preparation.made_with, **settings.to_json()}
    with opened(folder, asked) as target:
        if isinstance(target, Imported):
            return target
        with closing(preparation.open(target.work, _stoppable(tell, cancelled))) as source:
            checked_labels(source.labels, f"The labels of {where}")
            target.same_source([[asdict(one) for one in source.labels], source.identity])
            run = _ImportRun(source, target, settings)
            run.go(tell, cancelled)
            found = run.imported()
            labels = source.labels
        target.keep_licences(preparation.licensed)
        target.close(labels, found, asked)
    return found


def _stoppable(tell: Tell, cancelled: Callable[[], bool]) -> Tell:
    """Progress that ends what tells it, when asked to."""

    def telling(stage: str, done: int, total: int | None) -> None:
        tell(stage, done, total)
        if cancelled():
            raise Cancelled("Stopped before the first picture; the same command begins again.")

    return telling


def _asked(importer: Importer, places: list[Path]) -> dict[str, Any]:
    """The options, and the files among the places as they are now."""
    files = [place for place in places if place.is_file()]
    stats = [[place.name, place.stat().st_size, place.stat().st_mtime_ns] for place in files]
    options = {name: list(one) if isinstance(one, tuple) else one for name, one in importer.to_json().items()}
    return {"source": [_shown(place) for place in places], "options": options, "files": stats}


def _shown(place: Path) -> str:
    return str(place).encode("utf-8", "backslashreplace").decode()


@dataclass
class _Counts:
    """What the finished pictures tell."""

    pictures: int = 0
    classes: set[str] = field(default_factory=set)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    lost: int = 0
    turned: int = 0

    def add(self, entry: dict[str, Any]) -> None:
        if "why" in entry:
            self.left_out.append((entry["name"], entry["why"]))
            return
        self.pictures += 1
        self.lost += entry["lost"]
        self.turned += entry["turned"]
        self.classes.update(filter(None, [entry["class"], *entry.get("several", ())]))
        self.sizes.update({(h, w) for h, w in entry["drawn"]})


def _told(error: DamagedFileError, picture: SourcePicture) -> str:
    """What is wrong with a picture, which whatever is kept names by its place in the source alone."""
    return str(error).replace(str(picture.path), picture.name)


class _ImportRun:
    """One import at work."""

    def __init__(self, source: ImportSource, target: ImportTarget, settings: ImportSettings) -> None:
        self._source, self._target, self._settings = source, target, settings
        self._category_of = {one.number: one.category for one in source.labels}
        self._known = np.zeros(MAX_LABEL + 1, np.bool_)
        self._known[[0, *self._category_of]] = True
        self._counts = _Counts()
        self._unsure = not source.upright
        self._alone = Lock()

    def go(self, tell: Tell, cancelled: Callable[[], bool]) -> None:
        """All pictures that are not finished yet."""
        pictures, total = self._source.pictures(), len(self._source)
        done = 0
        for entry in self._target.finished():
            before = next(pictures, None)
            if before is None or target_name(before.name) != entry["name"]:
                raise DatasetError(
                    f"{self._target.folder} holds an unfinished import of other pictures "
                    f"({entry['name']} is not where it was): choose a new folder, or remove this one."
                )
            self._counts.add(entry)
            done += 1
        tell("import", done, total)
        with self._target.noting() as journal:
            for entry in _in_order(pictures, self._entry):
                journal.write(json.dumps(entry) + "\n")
                journal.flush()
                self._counts.add(entry)
                done += 1
                tell("import", done, total)
                if cancelled():
                    raise Cancelled("Stopped importing; the same command goes on.")

    def imported(self) -> Imported:
        """What was made.

        Raises:
            DatasetError: every picture was left out.
        """
        counts = self._counts
        if not counts.pictures:
            first = f" The first: {counts.left_out[0][1]}" if counts.left_out else ""
            raise DatasetError(
                f"None of the {len(self._source)} pictures of the source can be imported, expected at least "
                f"one.{first}"
            )
        return Imported(
            self._target.folder,
            counts.pictures,
            len(self._source.labels),
            len(counts.classes),
            self._settings.grid,
            tuple(counts.left_out),
            dict(counts.sizes),
            counts.lost,
            counts.turned,
            tuple(self._source.notes),
        )

    def _entry(self, picture: SourcePicture) -> dict[str, Any]:
        """Make one picture's files; what the journal holds of it."""
        name = target_name(picture.name)
        try:
            facts = facts_of(picture.path)
            with self._alone if facts.size[0] * facts.size[1] > LARGE else nullcontext():
                maps, drawn = self._placed_maps(picture, facts)
        except DamagedFileError as error:
            return {"name": name, "why": _told(error, picture)}
        image = f"{_PICTURES}/{name}{ending_for(picture.path, facts, self._settings.resize)}"
        part = self._target.part()
        try:
            size = put_picture(
                picture.path, facts, part, copy=self._settings.copy, resize=self._settings.resize
            )
        except DamagedFileError as error:
            return {"name": name, "why": _told(error, picture)}
        self._target.take(part, image)
        files: dict[str, list[str]] = {}
        present: set[int] = set()
        for place, (category, grid) in enumerate(maps):
            files.setdefault(category, []).append(f"masks/{category}/{name}.{place}.png")
            self._target.write_mask(files[category][-1], grid)
            present.update(np.unique(grid).tolist())
        present.discard(0)
        several = {"several": list(picture.several)} if picture.several else {}
        return {
            "name": name, "image": image, "split": picture.split, "class": picture.label.strip(),
            "size": list(size), "maps": files, "labels": sorted(present),
            "lost": len(drawn.labels - present), "drawn": sorted(drawn.sizes),
            "turned": int(self._unsure and bool(drawn.sizes) and facts.unconfirmed),
            **({"rights": list(astuple(picture.rights))} if picture.rights is not None else {}),
            **several,
        }  # fmt: skip

    def _placed_maps(
        self, picture: SourcePicture, facts: PictureFacts
    ) -> tuple[list[tuple[str, NDArray[np.int64]]], _Drawn]:
        """Category and map on the grid, one after the other; maps without any label are left away."""
        maps, drawn = [], _Drawn()
        for category, several in self._source.planes(picture).items():
            for plane in several:
                self._check(plane, category, picture)
                drawn.sizes.add((plane.shape[0], plane.shape[1]))
                drawn.labels.update(np.flatnonzero(np.bincount(plane.reshape(-1))).tolist())
                grid = nearest(as_picture(plane, facts, picture.path), self._settings.grid)
                if grid.any():
                    maps.append((category, grid))
        drawn.labels.discard(0)
        return maps, drawn

    def _check(self, plane: NDArray[np.int64], category: str, picture: SourcePicture) -> None:
        outside = (plane < 0) | (plane > MAX_LABEL)
        strange = plane[outside] if outside.any() else plane[~self._known[plane]]
        if strange.size:
            raise DamagedFileError(
                f"the annotation of {picture.path} has number {int(strange[0])} ({strange.size:,} pixels of "
                f"{category}), expected one that the labels list: add it there, or correct the annotation."
            )


@dataclass
class _Drawn:
    """Sizes of a picture's maps as they were drawn, and the labels in them."""

    sizes: set[tuple[int, int]] = field(default_factory=set)
    labels: set[int] = field(default_factory=set)


def _in_order(
    pictures: Iterator[SourcePicture], work: Callable[[SourcePicture], dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What threads make of pictures, in their order, a few ahead."""
    pending: deque[Future[dict[str, Any]]] = deque()
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="import")
    try:
        pending.extend(pool.submit(work, one) for one in islice(pictures, _AHEAD))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(work, one) for one in islice(pictures, 1))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
