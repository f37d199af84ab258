"""Data sets at an address: copied, compared, completed; what a process elsewhere opens under it."""

from __future__ import annotations

import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from interpret_core import config, datasets
from interpret_core.datasets.fetch import remote
from interpret_core.errors import DatasetError
from interpret_core.runtime.openings import DatasetOpening, place_of
from tests.planted_dataset import Planted, make_planted


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(remote, "_seen", set())
    return make_planted(tmp_path / "bucket" / "planted", images=6)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As a process does that has opened nothing yet."""
    return lambda: monkeypatch.setattr(remote, "_seen", set())


def inodes(root: Path) -> dict[Path, int]:
    return {path.relative_to(root): path.stat().st_ino for path in root.rglob("*") if path.is_file()}


def test_a_copy_is_what_lies_there(origin: Planted) -> None:
    dataset = datasets.open_dataset(f"file://{origin.root}")
    assert dataset.name == "planted"
    assert dataset.root == config.copy_of(f"file://{origin.root}").resolve() / "files"
    assert dataset.compute_digest() == datasets.open_dataset(origin.root).compute_digest()
    assert place_of(dataset) == f"file://{origin.root}"
    table = dataset.concepts()
    found, _ = DatasetOpening(place_of(dataset), dataset.digest, table.categories).open()
    assert found.root == dataset.root


def test_memory_and_archives(origin: Planted, tmp_path: Path) -> None:
    """Other protocols of fsspec: one that is not a disk, and a folder in an archive."""
    memory = fsspec.filesystem("memory")
    memory.put(str(origin.root), "/bucket/planted", recursive=True)
    shutil.make_archive(str(tmp_path / "planted"), "zip", origin.root.parent, "planted")
    expected = datasets.open_dataset(origin.root).compute_digest()
    for url in ("memory://bucket/planted", f"zip://planted::file://{tmp_path}/planted.zip"):
        assert datasets.open_dataset(url).compute_digest() == expected, url
    memory.rm("/bucket", recursive=True)


def test_what_has_changed_there_is_fetched_again(origin: Planted, anew: Callable[[], None]) -> None:
    url = f"file://{origin.root}"
    root = datasets.open_dataset(url).root
    pictures = sorted(path for path in origin.root.rglob("*") if path.suffix in (".png", ".jpg"))
    changed = pictures[0].relative_to(origin.root)
    before = inodes(root)
    pictures[0].write_bytes(pictures[1].read_bytes())
    (origin.root / "gone.txt").write_text("new")
    assert not (root / "gone.txt").exists(), "compared once per process"
    datasets.open_dataset(url)
    assert not (root / "gone.txt").exists()
    anew()
    datasets.open_dataset(url)
    after = inodes(root)
    assert {name for name in before if before[name] != after[name]} == {changed}
    assert (root / changed).read_bytes() == pictures[1].read_bytes()
    (origin.root / "gone.txt").unlink()
    anew()
    datasets.open_dataset(url)
    assert not (root / "gone.txt").exists()


def test_one_that_was_stopped_goes_on(
    origin: Planted, anew: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "BATCH", 4)
    url = f"file://{origin.root}"
    local = type(fsspec.filesystem("file"))
    asked: list[str] = []
    real = local.get

    def breaks(self: object, source: list[str], target: list[str]) -> None:
        if len(asked) >= 8:
            raise ConnectionError("the line is cut")
        asked.extend(source)
        real(self, source, target)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(local, "get", breaks)
        with pytest.raises(DatasetError, match="the line is cut"):
            datasets.open_dataset(url)
    with pytest.raises(DatasetError, match="not copied to this machine yet"):
        remote.copied(url, fetch=False)
    first, asked = set(asked), []
    with monkeypatch.context() as patch:
        patch.setattr(local, "get", lambda self, s, t: (asked.extend(s), real(self, s, t)))
        datasets.open_dataset(url)
    assert not first & set(asked)
    assert len(first) + len(asked) == sum(1 for path in origin.root.rglob("*") if path.is_file())


def test_what_was_complete_and_is_stopped_halfway_counts_as_incomplete(
    origin: Planted, anew: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"file://{origin.root}"
    datasets.open_dataset(url)
    (origin.root / "further.txt").write_text("new")

    def breaks(*_: object) -> None:
        raise ConnectionError("the line is cut")

    anew()
    with monkeypatch.context() as patch:
        patch.setattr(type(fsspec.filesystem("file")), "get", breaks)
        with pytest.raises(DatasetError, match="the line is cut"):
            datasets.open_dataset(url)
    with pytest.raises(DatasetError, match="not copied to this machine yet"):
        remote.copied(url, fetch=False)


def test_who_is_not_there_any_more_has_a_copy(origin: Planted, anew: Callable[[], None]) -> None:
    url = f"memory://{origin.root.name}"
    memory = fsspec.filesystem("memory")
    memory.put(str(origin.root), f"/{origin.root.name}", recursive=True)
    expected = datasets.open_dataset(url).compute_digest()
    memory.rm(f"/{origin.root.name}", recursive=True)
    anew()
    with pytest.raises(DatasetError, match="holds no file"):
        datasets.open_dataset(url)
    with pytest.raises(DatasetError, match=r"nowhere://x cannot be read \(ValueError: Protocol not known"):
        datasets.open_dataset("nowhere://x")
    assert datasets.open_dataset(remote.copied(url, fetch=False)).compute_digest() == expected


def test_pages_open_what_is_registered_and_copied(
    origin: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"file://{origin.root}"
    (tmp_path / "unitscope.toml").write_text(f'[datasets]\nfaraway = "{url}"\n')
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    with pytest.raises(DatasetError, match="is not copied to this machine yet"):
        datasets.open_dataset("faraway", registered_only=True)
    with pytest.raises(DatasetError, match=r"[Uu]nknown data set"):
        datasets.open_dataset(url, registered_only=True)
    dataset = datasets.open_dataset("faraway")
    assert (dataset.name, place_of(dataset)) == ("faraway", "faraway")
    assert datasets.open_dataset("faraway", registered_only=True).root == dataset.root
    assert datasets.known()["faraway"].resolve() == dataset.root


@pytest.mark.parametrize("name", ["a [x](https://outside.invalid) b", "://x", "1a://x", "a b://x"])
def test_a_folder_may_be_called_as_it_likes(origin: Planted, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folders" / name
    folder.parent.mkdir(parents=True)
    shutil.move(origin.root, folder)
    (tmp_path / "unitscope.toml").write_text(f"[datasets]\nodd = 'folders/{name}'\n")
    assert datasets.open_dataset(folder).origin == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
        dataset = datasets.open_dataset("odd", registered_only=True)
        assert (dataset.origin, dataset.root) == ("", folder.resolve())


@pytest.mark.parametrize("name", ["../outside.png", "images/../../outside.png"])
def test_an_archive_that_leads_out(origin: Planted, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("set/index.csv", "image\n")
        archive.writestr(f"set/{name}", b"x")
    before = sorted(tmp_path.rglob("*.png"))
    with pytest.raises(DatasetError, match=r"leads out of its folder: it is not copied"):
        datasets.open_dataset(f"zip://set::file://{tmp_path}/odd.zip")
    assert sorted(tmp_path.rglob("*.png")) == before


def test_an_archive_that_is_larger_than_the_disk(origin: Planted, tmp_path: Path) -> None:
    """Its directory says a terabyte; nothing is unpacked."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/index.csv", bytes(100))
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")
    path.write_bytes(content[: at + 24] + struct.pack("<I", 0xFFFFFFF0) + content[at + 28 :])
    usage = shutil.disk_usage(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 30))
        with pytest.raises(
            DatasetError, match=r"bomb\.zip needs 4\.4 GB in .*, which has 1\.1 GB free: make room"
        ):
            datasets.open_dataset(f"zip://set::file://{path}")
    assert not list((tmp_path / "cache").rglob("index.csv"))
