"""A data set is what its digest says: a file that is another one now is refused, whatever the reason."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interpret_core.datasets import Dataset, Loader, open_dataset, read_classes, survey
from interpret_core.errors import ChangedFileError, DamagedFileError, DatasetError

IMAGE, MASK = "images/planted/00002.png", "images/planted/00002_object_0.png"
OTHER_IMAGE, OTHER_MASK = "images/planted/00000.png", "images/planted/00000_object_0.png"


def read(dataset: Dataset) -> None:
    dataset.read_image(2)
    dataset.read_annotation(2, dataset.concepts())


@pytest.fixture
def known(copy: Path) -> Dataset:
    """Opened, and its digest read."""
    dataset = open_dataset(copy)
    assert dataset.digest
    read(dataset)
    return dataset


def exchange(root: Path, name: str, other: str) -> None:
    (root / name).write_bytes((root / other).read_bytes())


CHANGES: dict[str, Callable[[Path, str, str], object]] = {
    "other content": exchange,
    "one byte more": lambda root, name, _: (root / name).write_bytes((root / name).read_bytes() + b"\0"),
    "truncated": lambda root, name, _: (root / name).write_bytes((root / name).read_bytes()[:40]),
    "empty": lambda root, name, _: (root / name).write_bytes(b""),
    "removed": lambda root, name, _: (root / name).unlink(),
    "a folder instead": lambda root, name, _: ((root / name).unlink(), (root / name).mkdir()),
    "a pipe instead": lambda root, name, _: ((root / name).unlink(), os.mkfifo(root / name)),
    "a link to itself": lambda root, name, _: ((root / name).unlink(), (root / name).symlink_to(root / name)),
    "moved away with its folder": lambda root, *_: (root / "images").rename(root / "elsewhere"),
}


@pytest.mark.parametrize(("name", "other"), [(IMAGE, OTHER_IMAGE), (MASK, OTHER_MASK)])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_no_damage_and_no_picture(
    known: Dataset, copy: Path, change: str, name: str, other: str
) -> None:
    CHANGES[change](copy, name, other)
    with pytest.raises(ChangedFileError, match=r"nothing of it was kept; run it again") as caught:
        read(known)
    assert not isinstance(caught.value, DamagedFileError)
    assert "\n" not in str(caught.value)
    wanted = copy / (IMAGE if change == "moved away with its folder" else name)
    assert str(caught.value).startswith(str(wanted))


def test_a_file_put_back_or_touched_is_the_same(known: Dataset, copy: Path) -> None:
    content = (copy / IMAGE).read_bytes()
    (copy / IMAGE).write_bytes(b"x")
    (copy / IMAGE).write_bytes(content)
    (copy / MASK).touch()
    read(known)


@pytest.mark.parametrize("name", [IMAGE, MASK])
def test_a_file_known_as_missing_must_not_appear(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    dataset = open_dataset(copy)
    assert dataset.digest
    with pytest.raises(DamagedFileError, match="is missing: restore it"):
        read(dataset)
    (copy / name).write_bytes(content)
    with pytest.raises(ChangedFileError, match="was missing when the data set was read, and is there now"):
        read(dataset)


def test_damage_that_the_digest_knows_stays_damage(copy: Path) -> None:
    (copy / IMAGE).write_bytes((copy / IMAGE).read_bytes()[:60])
    dataset = open_dataset(copy)
    assert dataset.digest
    with pytest.raises(DamagedFileError, match="cannot be decoded"):
        read(dataset)


def test_without_a_digest_any_content_will_do(copy: Path) -> None:
    dataset = open_dataset(copy)
    exchange(copy, IMAGE, OTHER_IMAGE)
    read(dataset)


def test_the_survey_and_the_reader_stop(known: Dataset, copy: Path) -> None:
    table = known.concepts()
    found = survey(known, table)
    exchange(copy, MASK, OTHER_MASK)
    with pytest.raises(ChangedFileError):
        survey(known, table)
    for told in (found, None):
        with pytest.raises(ChangedFileError):
            list(Loader(known, table, told).batches([range(4)], annotations=True))


def test_tables_are_those_that_were_opened(planted_with_classes: Path) -> None:
    """The class of an image is read from the bytes that the digest saw."""
    dataset = open_dataset(planted_with_classes)
    before = read_classes(dataset)
    (planted_with_classes / "classes.csv").write_text("image,class\nplanted/00000.png,other\n")
    assert dataset.digest
    assert read_classes(dataset).names == before.names == ("cat", "dog")
    (planted_with_classes / "classes.csv").unlink()
    assert read_classes(dataset).names == before.names
    with pytest.raises(DatasetError, match="has no classes"):
        read_classes(open_dataset(planted_with_classes))


@pytest.fixture
def planted_with_classes(copy: Path) -> Path:
    (copy / "classes.csv").write_text("image,class\nplanted/00000.png,cat\nplanted/00001.png,dog\n")
    return copy


@contextmanager
def no_more_files() -> Iterator[None]:
    """The process has no file descriptor left, as under load."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    taken = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_too_many_open_files_are_no_damage(copy: Path, name: str) -> None:
    dataset = open_dataset(copy)
    if name == "known":
        assert dataset.digest
    with no_more_files(), pytest.raises(DatasetError, match="Too many open files") as caught:
        dataset.read_image(2)
    assert not isinstance(caught.value, DamagedFileError)
    assert str(copy / IMAGE) in str(caught.value)


def test_too_many_open_files_are_no_missing_file(copy: Path) -> None:
    dataset = open_dataset(copy)
    with no_more_files(), pytest.raises(DatasetError, match=r"Too many open files.*ulimit"):
        dataset.compute_digest()
    assert dataset.digest == open_dataset(copy).digest


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EPERM])
@pytest.mark.parametrize("known", [True, False])
def test_what_the_system_refuses_is_no_damage(
    copy: Path, monkeypatch: pytest.MonkeyPatch, number: int, known: bool
) -> None:
    dataset = open_dataset(copy)
    if known:
        assert dataset.digest

    def refused(path: Path) -> bytes:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(DatasetError, match=os.strerror(number)) as caught:
        dataset.read_image(2)
    assert not isinstance(caught.value, DamagedFileError)
    assert isinstance(caught.value, ChangedFileError) is known
    if not known:
        with pytest.raises(DatasetError, match=os.strerror(number)):
            dataset.compute_digest()
