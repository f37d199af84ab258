"""A data set whose files change while a run works on it: the run stops, or its records are the right ones.

Every job runs on real files, which are exchanged, removed, added, put back or touched at every moment that it
reports progress, or by a thread at random moments. Afterwards the files are as they were, and the same job in
the same store has to end with the undisturbed records, byte for byte.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.errors import ChangedFileError
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.related import NETWORK, asked, write_objects
from tests.slow import some_slow, thorough_beyond

Job = Callable[[Path, Store, Execution], object]
FIRST = 1  # moment after the digest was read; before, what is changed is another data set
IMAGES = 20  # two chunks of a survey, five batches of a profile


def _profile(root: Path, store: Store, execution: Execution) -> object:
    settings = {"min_images": 1, "permutations": 5, "batch_size": 4, "quantile": 0.02}
    return run_profile(ProfileRequest(NETWORK, str(root), **settings), store, execution)  # type: ignore[arg-type]


def _relevance(root: Path, store: Store, execution: Execution) -> object:
    return run_relevance(asked(root, images=6, points=4, most_points=8), store, execution)


def _evaluation(root: Path, store: Store, execution: Execution) -> object:
    return run_evaluation(EvaluationRequest(NETWORK, str(root), split="all", batch_size=1), store, execution)


def _ablation(root: Path, store: Store, execution: Execution) -> object:
    request = AblationRequest(NETWORK, str(root), images=4, value="mean")
    run_relevance(request.relevance(), store)
    return run_ablation(request, store, execution)


def _effects(root: Path, store: Store, execution: Execution) -> object:
    request = AblationRequest(NETWORK, str(root), images=4)
    run_relevance(request.relevance(), store)  # surveys the data set where that decides the classes
    return run_effects(request, store, execution)


JOBS: dict[str, Job] = {
    "profile": _profile,
    "relevance": _relevance,
    "evaluation": _evaluation,
    "ablation": _ablation,
    "effects": _effects,
}


@dataclass(frozen=True)
class Folder:
    """The data set under test, and a copy of it as it was."""

    root: Path
    kept: Path

    def files(self, kind: str) -> list[Path]:
        """Pictures, masks, or both."""
        masks = sorted((self.root / "images").glob("object-*.png"))
        pictures = sorted(set((self.root / "images").glob("*.png")) - set(masks))
        return {"pictures": pictures, "masks": masks, "both": pictures + masks}[kind]

    def restore(self) -> None:
        """Every file as it was, whatever happened to it."""
        shutil.rmtree(self.root / "images", ignore_errors=True)
        shutil.copytree(self.kept / "images", self.root / "images")


def exchange(files: list[Path]) -> None:
    """Each file becomes its neighbour."""
    contents = [path.read_bytes() for path in files]
    for path, content in zip(files, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)


def exchange_unseen(files: list[Path]) -> None:
    """The same with equal sizes and times of change, as `cp -p` leaves them."""
    longest = max(path.stat().st_size for path in files)
    for path in files:
        path.write_bytes(path.read_bytes().ljust(longest, b"\0"))
        os.utime(path, ns=(10**18, 10**18))
    contents = [path.read_bytes() for path in files]
    for path, content in zip(files, contents[1:] + contents[:1], strict=True):
        other = path.with_suffix(".part")
        other.write_bytes(content)
        os.utime(other, ns=(10**18, 10**18))
        other.replace(path)


def remove(files: list[Path]) -> None:
    for path in files:
        path.unlink()


def truncate(files: list[Path]) -> None:
    for path in files:
        path.write_bytes(path.read_bytes()[:-20])


def touch(files: list[Path]) -> None:
    for path in files:
        path.touch()


DISTURBANCES = {"exchange": exchange, "unseen": exchange_unseen, "remove": remove, "truncate": truncate}


KINDS = ("listed", "by largest object")


def some() -> Iterator[object]:
    """Every job with one disturbance, each of these with a job; all others run with --slow."""
    for (j, name), (d, disturbance), (k, kind) in product(*map(enumerate, (JOBS, DISTURBANCES, KINDS))):
        quick = d == j % len(DISTURBANCES) and j % 2 == k
        yield pytest.param(kind, name, disturbance, marks=[] if quick else [pytest.mark.slow])


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Folder:
    """Classes from classes.csv, or from the masks."""
    return Folder(write_objects(tmp_path / "data", IMAGES // 2, request.param == "listed"), tmp_path / "kept")


@pytest.fixture
def listed(tmp_path: Path) -> Folder:
    return Folder(write_objects(tmp_path / "data", IMAGES // 2), tmp_path / "kept")


def records(store: Store) -> dict[str, str]:
    """Every result by its key; finished parts of a run that was stopped are not results."""
    found = {}
    for key in sorted(store.keys("")):
        record = store.get(key)
        assert record is not None
        if not key.startswith("partial/"):
            found[key] = record.digest()
    return found | {key: str(store.get_json(key)) for key in store.json_keys("damaged/")}


def undisturbed(job: Job, folder: Folder, place: Path) -> tuple[dict[str, str], int]:
    """The right records, and how often the job reports progress."""
    shutil.copytree(folder.root, folder.kept, dirs_exist_ok=True)
    moments = 0

    def count(_stage: str, _done: int, _total: int) -> None:
        nonlocal moments
        moments += 1

    with Store(place) as store:
        job(folder.root, store, Execution(tell=count))
        return records(store), moments


class At:
    """Progress of a job that something happens to when it reports for the n-th time."""

    def __init__(self, moment: int, happens: Callable[[], None]) -> None:
        self.moment, self.happens = moment, happens

    def __call__(self, _stage: str, _done: int, _total: int) -> None:
        self.moment -= 1
        if self.moment == -1:
            self.happens()


def stopped(job: Job, folder: Folder, store: Store, execution: Execution) -> bool:
    """Run it; whether it stopped with the one line that is right to stop with."""
    try:
        job(folder.root, store, execution)
    except ChangedFileError as error:
        line = str(error)
    else:
        return False
    assert line.endswith("nothing of it was kept; run it again when the files are at rest.")
    assert "\n" not in line
    return True


def check(job: Job, folder: Folder, store: Store, wanted: dict[str, str]) -> None:
    """What is kept is right; and undisturbed, the job ends with all of it."""
    kept = records(store)
    assert kept == {key: wanted[key] for key in kept}
    folder.restore()
    job(folder.root, store, Execution())
    assert records(store) == wanted


@pytest.mark.thorough
@pytest.mark.parametrize(("folder", "name", "disturbance"), list(some()), indirect=["folder"])
def test_disturbed_at_any_moment(folder: Folder, tmp_path: Path, name: str, disturbance: str) -> None:
    job, disturb = JOBS[name], DISTURBANCES[disturbance]
    wanted, moments = undisturbed(job, folder, tmp_path / "right")
    chance = random.Random(f"{name} {disturbance} {folder.root.name}")
    stops = 0
    for number, moment in enumerate(sorted(chance.sample(range(FIRST, moments), min(moments - FIRST, 4)))):
        kind = ("pictures", "masks", "both")[number % 3]
        some = chance.random() < 0.5

        def happens(kind: str = kind, some: bool = some) -> None:
            files = folder.files(kind)
            disturb(files[:: 3 if some else 1])

        with Store(tmp_path / f"store{number}") as store:
            stops += stopped(job, folder, store, Execution(tell=At(moment, happens)))
            check(job, folder, store, wanted)
    # What an ablation keeps in memory may outlast every change of the files.
    assert stops or name in ("ablation", "effects"), "no disturbance was noticed"


@pytest.mark.thorough
@pytest.mark.parametrize("name", some_slow(JOBS, ("profile", "ablation")))
def test_files_put_back_before_the_end(listed: Folder, tmp_path: Path, name: str) -> None:
    """Wrong while some stage runs and right again at the end: the digest alone would see nothing."""
    job = JOBS[name]
    wanted, moments = undisturbed(job, listed, tmp_path / "right")
    first, last = max(1, moments // 3), max(2, 2 * moments // 3)
    away, back = At(first, lambda: exchange(listed.files("both"))), At(last, listed.restore)

    def tell(stage: str, done: int, total: int) -> None:
        away(stage, done, total)
        back(stage, done, total)

    with Store(tmp_path / "store") as store:
        stopped(job, listed, store, Execution(tell=tell))
        check(job, listed, store, wanted)


@thorough_beyond(1)
@pytest.mark.parametrize("name", some_slow(JOBS, ("profile", "relevance")))
def test_touched_files_do_not_matter(listed: Folder, tmp_path: Path, name: str) -> None:
    job = JOBS[name]
    wanted, moments = undisturbed(job, listed, tmp_path / "right")
    with Store(tmp_path / "store") as store:
        happens = At(moments // 2, lambda: touch(listed.files("both")))
        assert not stopped(job, listed, store, Execution(tell=happens))
        assert records(store) == wanted


@pytest.mark.thorough
@pytest.mark.parametrize("name", some_slow(JOBS, ("evaluation",)))
def test_a_missing_file_that_appears(listed: Folder, tmp_path: Path, name: str) -> None:
    job = JOBS[name]
    picture, mask = listed.files("pictures")[1], listed.files("masks")[2]
    contents = {path: path.read_bytes() for path in (picture, mask)}
    remove([picture, mask])
    wanted, moments = undisturbed(job, listed, tmp_path / "right")

    def appear() -> None:
        for path, content in contents.items():
            path.write_bytes(content)

    for number, moment in enumerate(range(FIRST, moments, max(1, moments // 4))):
        with Store(tmp_path / f"store{number}") as store:
            stopped(job, listed, store, Execution(tell=At(moment, appear)))
            check(job, listed, store, wanted)


@pytest.mark.thorough
@pytest.mark.parametrize("name", some_slow(JOBS, ("profile",)))
def test_a_thread_that_exchanges_files_all_the_time(listed: Folder, tmp_path: Path, name: str) -> None:
    job = JOBS[name]
    wanted, _ = undisturbed(job, listed, tmp_path / "right")
    contents = {path: path.read_bytes() for path in listed.files("both")}

    def write(path: Path, content: bytes) -> None:
        path.with_suffix(".part").write_bytes(content)
        path.with_suffix(".part").replace(path)

    for turn in range(2):
        over = threading.Event()

        def meddle(turn: int = turn, over: threading.Event = over) -> None:
            chance = random.Random(turn)
            while not over.wait(chance.random() * 0.02):
                path, other = chance.sample(list(contents), 2)
                write(path, contents[other])
                over.wait(chance.random() * 0.01)
                write(path, contents[path])

        thread = threading.Thread(target=meddle)
        with Store(tmp_path / f"store{turn}") as store:
            started = At(FIRST, thread.start)
            try:
                stopped(job, listed, store, Execution(tell=started))
            finally:
                over.set()
                thread.join()
            check(job, listed, store, wanted)
