from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from interpret_core.datasets import digests, open_dataset, shades, survey
from interpret_core.errors import Cancelled, ChangedFileError


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are remembered however fresh: what a minute's wait would give."""
    monkeypatch.setattr(digests, "_RACY_NS", -1)


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_the_place_does_not_enter(copy: Path, tmp_path: Path) -> None:
    first = open_dataset(copy).digest
    assert len(first) == 64
    moved = shutil.copytree(copy, tmp_path / "other" / "name")
    assert open_dataset(moved).digest == first


@pytest.mark.parametrize("file", ["planted/00000.png", "planted/00005_part_1.png"])
def test_a_changed_byte_shows(copy: Path, file: str) -> None:
    first = open_dataset(copy).digest
    change(copy / "images" / file)
    assert open_dataset(copy).digest != first


@pytest.mark.parametrize("table", ["index.csv", "label.csv", "category.csv", "classes.csv"])
def test_every_table_enters(copy: Path, table: str) -> None:
    first = open_dataset(copy).digest
    with (copy / table).open("a") as file:
        file.write("\n")
    assert open_dataset(copy).digest != first


def test_a_missing_file_shows(copy: Path) -> None:
    first = open_dataset(copy).digest
    (copy / "images/planted/00000.png").unlink()
    assert open_dataset(copy).digest != first


def test_files_outside_the_tables_do_not_enter(copy: Path) -> None:
    first = open_dataset(copy).digest
    (copy / "images/planted/notes.txt").write_text("x")
    (copy / "README").write_text("x")
    assert open_dataset(copy).digest == first


def test_the_recipe_of_the_shades_enters(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_dataset(copy).digest
    monkeypatch.setattr(digests, "RECIPE", shades.RECIPE | {"seed": 1})
    assert open_dataset(copy).digest != first


def test_a_revision_of_a_format_enters_where_it_is_used(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_dataset(copy).digest
    name = "planted/00000.PGM"
    (copy / "images/planted/00000.png").rename(copy / "images" / name)
    index = (copy / "index.csv").read_bytes()
    (copy / "index.csv").write_bytes(index.replace(b"planted/00000.png", name.encode()))
    renamed = open_dataset(copy).digest
    monkeypatch.setattr(digests, "_REVISION", digests._REVISION + 1)
    assert open_dataset(copy).digest != renamed
    (copy / "images" / name).rename(copy / "images/planted/00000.png")
    (copy / "index.csv").write_bytes(index)
    assert open_dataset(copy).digest == first


@pytest.mark.usefixtures("remembering")
def test_the_second_time_reads_no_picture(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_dataset(copy).digest
    read: list[str] = []
    plain = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path.name)
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    assert open_dataset(copy).digest == first
    assert not [name for name in read if name.endswith(".png")]
    change(copy / "images/planted/00002.png")
    read.clear()
    assert open_dataset(copy).digest != first
    assert [name for name in read if name.endswith(".png")] == ["00002.png"]


def test_fresh_files_are_not_remembered(copy: Path, tmp_path: Path) -> None:
    (copy / "images/planted/00000.png").touch()
    digest = open_dataset(copy).digest
    remembered = [json.loads(path.read_text()) for path in (tmp_path / "cache").rglob("*.json")]
    assert not any("images/planted/00000.png" in memo for memo in remembered)
    assert open_dataset(copy).digest == digest


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("replacing", ["mv", "cp -p"])
def test_a_file_in_the_place_of_another_shows(copy: Path, tmp_path: Path, replacing: str) -> None:
    """Equal size and equal time of change: the inode, or the time of its change, tells."""
    first = open_dataset(copy).digest
    path, other = copy / "images/planted/00002.png", tmp_path / "other.png"
    shutil.copy2(path, other)
    change(other)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    subprocess.run([*replacing.split(), other, path], check=True)
    assert open_dataset(copy).digest != first


@pytest.mark.usefixtures("remembering")
def test_a_file_written_back_with_its_old_time_shows(copy: Path) -> None:
    first = open_dataset(copy).digest
    path = copy / "images/planted/00002.png"
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_ino, path.stat().st_size) == (before.st_ino, before.st_size)
    assert open_dataset(copy).digest != first


def behind_the_memo(root: Path, name: str, cache: Path) -> None:
    """Change a file so that the memo cannot know: as on file systems that keep no time of change."""
    change(root / name)
    status = (root / name).stat()
    (memo,) = cache.rglob("*.json")
    entries = json.loads(memo.read_text())
    now = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    entries[name] = [*now, entries[name][-1]]
    memo.write_text(json.dumps(entries))


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize(
    "names",
    [
        ["images/planted/00002.png"],
        ["images/planted/00005_part_1.png"],
        ["images/planted/00002.png", "images/planted/00003.png"],
    ],
)
def test_a_memo_that_was_wrong_is_so_once(copy: Path, tmp_path: Path, names: list[str]) -> None:
    """The message says to run it again, and that has to help."""
    first = open_dataset(copy).digest
    for name in names:
        behind_the_memo(copy, name, tmp_path / "cache")
    stale = open_dataset(copy)
    assert stale.digest == first, "nothing tells"
    with pytest.raises(ChangedFileError, match="run it again"):
        survey(stale, stale.concepts())
    again = open_dataset(copy)
    assert again.digest != first
    survey(again, again.concepts())


@pytest.mark.usefixtures("remembering")
def test_what_the_memo_can_see_does_not_cost_it(copy: Path, tmp_path: Path) -> None:
    dataset = open_dataset(copy)
    assert dataset.digest
    (memo,) = (tmp_path / "cache").rglob("*.json")
    before = memo.read_bytes()
    change(copy / "images/planted/00002.png")
    with pytest.raises(ChangedFileError):
        dataset.read_image(2)
    (copy / "images/planted/00003.png").unlink()
    with pytest.raises(ChangedFileError):
        dataset.read_image(3)
    assert memo.read_bytes() == before


MEMOS = [
    "",
    "[]",
    "{",
    '{"images/planted/00000.png": 3}',
    '{"x": [1, 2]}',
    '{"x": [1, 2, "ab"]}',
    '{"x": [1, 2, 3, 4, "no hex"]}',
    '{"x": [1, 2, 3, 4, 5]}',
]


@pytest.mark.usefixtures("remembering")
@pytest.mark.parametrize("content", MEMOS)
def test_a_damaged_memo_is_ignored(copy: Path, tmp_path: Path, content: str) -> None:
    first = open_dataset(copy).digest
    (memo,) = (tmp_path / "cache").rglob("*.json")
    memo.write_text(content)
    assert open_dataset(copy).digest == first


def test_an_unwritable_cache_only_costs_time(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    first = open_dataset(copy).digest
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "file"))
    assert open_dataset(copy).digest == first


def test_progress_and_cancel(copy: Path) -> None:
    seen: list[tuple[int, int]] = []
    open_dataset(copy).compute_digest(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 12
    with pytest.raises(Cancelled):
        open_dataset(copy).compute_digest(cancelled=lambda: True)
