from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpret_core import files
from interpret_core.errors import Cancelled, DownloadError
from tests.datasets.http_server import Site, serving

BODY = bytes(range(256)) * 12_000  # 3 MB: several blocks
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize("replacing", [["mv"], ["cp", "-p"]])
def test_a_file_in_the_place_of_another_has_its_own_digest(tmp_path: Path, replacing: list[str]) -> None:
    """Equal size and equal time of change: the inode, or the time of its change, tells."""
    file, other = tmp_path / "weights", tmp_path / "others"
    for path, content in ((file, b"one"), (other, b"two")):
        path.write_bytes(content)
        os.utime(path, ns=(10**18, 10**18))
    assert files.sha256(file) == hashlib.sha256(b"one").hexdigest()
    subprocess.run([*replacing, other, file], check=True)
    assert file.stat().st_mtime_ns == 10**18
    assert files.sha256(file) == hashlib.sha256(b"two").hexdigest()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(files, "FIRST_WAIT", 0.001)
    with serving(Site({"/big.bin": BODY, "/empty": b""})) as running:
        yield running


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_plain_download_with_progress(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "big.bin"
    found = files.download(
        f"{site.url}/big.bin", target, sha256=SHA, progress=lambda done, total: seen.append((done, total))
    )
    assert found == target
    assert target.read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert left_over(target.parent) == ["big.bin"]


def test_an_existing_right_file_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(BODY)
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert site.requests == []


def test_an_existing_wrong_file_is_replaced(site: Site, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(b"old")
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", md5=hashlib.md5(BODY).hexdigest().upper())
    assert (tmp_path / "big.bin").read_bytes() == BODY


def test_a_connection_that_drops_is_resumed(site: Site, tmp_path: Path) -> None:
    site.break_after = [1_000_000, 700_000]
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert (tmp_path / "big.bin").read_bytes() == BODY
    assert [asked for _, asked in site.requests] == ["", "bytes=1000000-", "bytes=1700000-"]


def test_a_later_call_resumes(site: Site, tmp_path: Path) -> None:
    site.break_after = [1_000_000]
    with pytest.raises(DownloadError, match=r"broke off after 1,000,000 bytes .*it resumes") as caught:
        files.download(f"{site.url}/big.bin", tmp_path / "big.bin", retries=0)
    assert f"{site.url}/big.bin" in str(caught.value)
    assert not (tmp_path / "big.bin").exists()
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert site.requests[-1] == ("/big.bin", "bytes=1000000-")
    assert left_over(tmp_path) == ["big.bin"]


def test_many_drops_are_forgiven_while_bytes_arrive(site: Site, tmp_path: Path) -> None:
    site.break_after = [300_000] * 9
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA, retries=1)
    assert len(site.requests) == 10


def test_attempts_without_a_byte_are_counted(site: Site, tmp_path: Path) -> None:
    site.break_after = [0] * 20
    with pytest.raises(DownloadError, match="broke off after 0 bytes"):
        files.download(f"{site.url}/big.bin", tmp_path / "big.bin", retries=3)
    assert len(site.requests) == 4


def test_a_server_without_ranges_starts_over(site: Site, tmp_path: Path) -> None:
    site.ranges = False
    site.break_after = [1_000_000]
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert (tmp_path / "big.bin").read_bytes() == BODY


def test_a_file_that_changed_is_not_glued(site: Site, tmp_path: Path) -> None:
    site.break_after = [1_000_000]
    with pytest.raises(DownloadError):
        files.download(f"{site.url}/big.bin", tmp_path / "big.bin", retries=0)
    site.content["/big.bin"] = BODY[::-1]
    site.etag = '"two"'
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin")
    assert (tmp_path / "big.bin").read_bytes() == BODY[::-1]


def test_without_a_version_nothing_is_resumed(site: Site, tmp_path: Path) -> None:
    site.etag = ""
    site.break_after = [1_000_000]
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert [asked for _, asked in site.requests] == ["", ""]


def test_a_part_longer_than_the_file_is_dropped(site: Site, tmp_path: Path) -> None:
    (tmp_path / "big.bin.part").write_bytes(BODY + b"more")
    (tmp_path / "big.bin.part.version").write_text(site.etag)
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert (tmp_path / "big.bin").read_bytes() == BODY


def test_an_unknown_length_is_accepted(site: Site, tmp_path: Path) -> None:
    site.length = False
    seen: list[tuple[int, int | None]] = []
    files.download(
        f"{site.url}/big.bin", tmp_path / "b", progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (len(BODY), None)


def test_an_empty_file(site: Site, tmp_path: Path) -> None:
    assert files.download(f"{site.url}/empty", tmp_path / "empty").read_bytes() == b""


@pytest.mark.parametrize("before", [None, b"old but whole"])
def test_a_wrong_checksum_leaves_the_destination_alone(
    site: Site, tmp_path: Path, before: bytes | None
) -> None:
    target = tmp_path / "big.bin"
    if before is not None:
        target.write_bytes(before)
    with pytest.raises(DownloadError, match=f"arrived with sha256 {SHA}, expected {'0' * 64}") as caught:
        files.download(f"{site.url}/big.bin", target, sha256="0" * 64)
    assert str(target) in str(caught.value)
    assert (target.read_bytes() if target.exists() else None) == before
    assert left_over(tmp_path) == ([] if before is None else ["big.bin"])


def test_first_digits_of_a_checksum_suffice(site: Site, tmp_path: Path) -> None:
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA[:8])


def test_not_found_is_not_tried_again(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"/nothing cannot be downloaded, the server answered 404"):
        files.download(f"{site.url}/nothing", tmp_path / "x")
    assert len(site.requests) == 1
    assert not (tmp_path / "x").exists()


def test_a_busy_server_is_tried_again(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 503, None]
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert len(site.requests) == 3


def test_no_server(tmp_path: Path, site: Site) -> None:
    with serving(Site({})) as gone:
        pass
    with pytest.raises(DownloadError, match=r"broke off after 0 bytes .*check the connection"):
        files.download(f"{gone.url}/x", tmp_path / "x", retries=1)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "x.bin", ""])
def test_other_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="http or https"):
        files.download(url, tmp_path / "x")


def test_offline_never_asks(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    with pytest.raises(DownloadError, match="INTERPRET_OFFLINE forbids") as caught:
        files.download(f"{site.url}/big.bin", tmp_path / "big.bin")
    assert f"put it at {tmp_path / 'big.bin'}" in str(caught.value)
    assert site.requests == []


def test_cancelling_keeps_the_part(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        files.download(f"{site.url}/big.bin", tmp_path / "big.bin", cancelled=lambda: True)
    assert 0 < (tmp_path / "big.bin.part").stat().st_size < len(BODY)
    files.download(f"{site.url}/big.bin", tmp_path / "big.bin", sha256=SHA)
    assert site.requests[-1][1].startswith("bytes=")


def test_a_folder_that_cannot_be_made(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be written to"):
        files.download(f"{site.url}/big.bin", tmp_path / "file" / "big.bin")


def test_sha256_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert files.sha256(path) == hashlib.sha256(b"one").hexdigest()
    with monkeypatch.context() as patch:
        patch.setattr(files, "_hash_file", lambda *_: pytest.fail("read again"))
        assert files.sha256(str(path)) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert files.sha256(path) == hashlib.sha256(b"two").hexdigest()
