from __future__ import annotations

import io
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from interpret_core import files
from interpret_core.datasets import open_dataset, survey
from interpret_core.datasets.fetch import broden
from interpret_core.datasets.fetch.broden import Step, fetch_broden
from interpret_core.errors import Cancelled, DatasetError, DownloadError, ParameterError
from tests.datasets.http_server import Site, serving
from tests.planted_dataset import Planted

NAME = "/broden1_224.zip"


def packed(root: Path, top: str = "broden1_224/", extra: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, top + path.relative_to(root).as_posix())
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def site(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(files, "FIRST_WAIT", 0.001)
    with serving(Site({NAME: packed(planted.root)})) as running:
        yield running


def only(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.parametrize("top", ["broden1_224/", "", "other/"])
def test_fetch_unpacks_and_cleans_up(site: Site, planted: Planted, tmp_path: Path, top: str) -> None:
    site.content[NAME] = packed(planted.root, top)
    steps: list[Step] = []
    folder = fetch_broden(tmp_path / "sets", base_url=f"{site.url}/", progress=steps.append)
    assert folder == tmp_path / "sets" / "broden1_224"
    assert only(tmp_path / "sets", "broden1_224")
    dataset = open_dataset(folder)
    assert survey(dataset, dataset.concepts()).valid.all()
    assert dataset.digest == open_dataset(planted.root).digest
    assert {step.phase for step in steps} == {"download", "unpack"}
    assert all(
        step.done == step.total for step in (steps[-1], [s for s in steps if s.phase == "download"][-1])
    )


def test_a_second_fetch_asks_for_nothing(site: Site, tmp_path: Path) -> None:
    fetch_broden(tmp_path, base_url=site.url)
    asked = len(site.requests)
    fetch_broden(tmp_path, base_url=site.url)
    assert len(site.requests) == asked


def test_a_broken_connection_resumes(site: Site, tmp_path: Path) -> None:
    site.break_after = [5000, 7000]
    fetch_broden(tmp_path, base_url=site.url)
    assert [asked for _, asked in site.requests] == ["", "bytes=5000-", "bytes=12000-"]


def test_an_interrupted_unpacking_starts_over_without_a_download(site: Site, tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.phase == "unpack" and step.done > 5000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_broden(tmp_path, base_url=site.url, progress=stop)
    assert only(tmp_path, "broden1_224.zip")
    fetch_broden(tmp_path, base_url=site.url)
    assert len(site.requests) == 1


def test_cancelling(site: Site, tmp_path: Path) -> None:
    phases: list[str] = []
    with pytest.raises(Cancelled):
        fetch_broden(
            tmp_path,
            base_url=site.url,
            progress=lambda step: phases.append(step.phase),
            cancelled=lambda: "unpack" in phases,
        )
    assert only(tmp_path, "broden1_224.zip")


def flip(content: bytes, needle: bytes) -> bytes:
    at = content.index(needle) + len(needle) + 60
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda content: content[:-30], "not a zip"),
        (lambda content: flip(content, b"images/planted/00003.png"), "CRC"),
        (lambda content: b"<html>moved</html>", "not a zip"),
        (lambda content: packed(Path("/nonexistent"), extra={"a.txt": b"x"}), "no index.csv"),
        (lambda content: packed(Path("/nonexistent"), extra={"index.csv": b"x"}), "label.csv is missing"),
    ],
)
def test_an_unusable_archive_is_removed(
    site: Site, tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    good = site.content[NAME]
    site.content[NAME] = spoil(good)
    with pytest.raises(DownloadError, match=words) as caught:
        fetch_broden(tmp_path, base_url=site.url)
    assert "\n" not in str(caught.value)
    assert only(tmp_path)
    site.content[NAME] = good
    site.etag = '"good"'
    fetch_broden(tmp_path, base_url=site.url)


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:/evil"]
)
def test_names_that_leave_the_folder_are_refused(
    site: Site, planted: Planted, tmp_path: Path, name: str
) -> None:
    site.content[NAME] = packed(planted.root, extra={name: b"evil"})
    with pytest.raises(DownloadError, match="no plain file below its own folder"):
        fetch_broden(tmp_path / "deep" / "er", base_url=site.url)
    assert not list(tmp_path.rglob("evil*"))
    assert only(tmp_path / "deep" / "er")


def test_links_are_refused(site: Site, planted: Planted, tmp_path: Path) -> None:
    buffer = io.BytesIO(packed(planted.root))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("broden1_224/images/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    site.content[NAME] = buffer.getvalue()
    with pytest.raises(DownloadError, match="no plain file"):
        fetch_broden(tmp_path, base_url=site.url)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_small_disk_keeps_the_archive(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 1000, 1000))
        with pytest.raises(DownloadError, match="make room, or choose another folder"):
            fetch_broden(tmp_path, base_url=site.url)
    assert only(tmp_path, "broden1_224.zip")
    fetch_broden(tmp_path, base_url=site.url)


def test_a_wrong_checksum(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="arrived with sha256"):
        fetch_broden(tmp_path, base_url=site.url, sha256="0" * 64)
    assert only(tmp_path)


def test_not_found(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"broden1_384\.zip .* 404"):
        fetch_broden(tmp_path, 384, base_url=site.url)
    assert only(tmp_path)


def test_an_existing_folder_of_another_layout_is_left_alone(site: Site, tmp_path: Path) -> None:
    (tmp_path / "broden1_224").mkdir()
    with pytest.raises(DatasetError, match=r"index\.csv is missing"):
        fetch_broden(tmp_path, base_url=site.url)
    assert site.requests == []


def test_unknown_resolution(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Resolution 512, expected one of 224, 227, 384"):
        fetch_broden(tmp_path, 512)


def test_the_authors_server_is_the_default() -> None:
    assert broden.BASE_URL == "http://netdissect.csail.mit.edu/data"
