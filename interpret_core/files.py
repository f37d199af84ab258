"""Files: digests remembered within the process, and downloads that resume and are checked.

A download grows in `<destination>.part`; only when it is complete and its checksum is right does it take its
name, in one step. So the destination is always absent, or the right file, and an interrupted download goes on
where it stopped, where the server knows HTTP ranges.
"""

from __future__ import annotations

import hashlib
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from interpret_core import config
from interpret_core.errors import Cancelled, DownloadError

Progress = Callable[[int, int | None], None]

TIMEOUT = 30.0  # seconds without a byte before an attempt is given up
FIRST_WAIT = 0.5  # seconds before the first further attempt; doubled each time
_BLOCK = 1 << 20
_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE_NOT_SATISFIABLE = 416
_MENDABLE = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


def sha256(path: str | Path) -> str:
    """SHA-256 (hex) of a file, computed once in this process for the same path, size, times and inode.

    Size and mtime alone miss a file that `mv` or `cp -p` put in the place of another.

    Raises:
        OSError: the file cannot be read.
    """
    file = Path(path).absolute()
    status = file.stat()  # of what a link leads to: through another link it would only be read once more
    return _sha256(file, (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))


def name_bytes(name: str) -> bytes:
    """A file's name as the bytes it has on disk; in UTF-8 for most, and nobody can say for the others."""
    return name.encode("utf-8", "surrogateescape")


@lru_cache(maxsize=4096)
def _sha256(file: Path, identity: tuple[int, ...]) -> str:
    return _hash_file(file, "sha256")


def _hash_file(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def download(  # noqa: PLR0913 - each is one fact about one transfer
    url: str,
    destination: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    retries: int = 4,
) -> Path:
    """Download `url` to `destination`, resuming an earlier attempt.

    Args:
        url: http or https.
        destination: file to make; an existing one is kept if its checksum is right (or none is known).
        sha256: expected digest in hex, or its first digits (torch hub names files by eight of them).
        md5: the same for servers that only publish MD5. Without either, the length alone is checked.
        progress: called with bytes done and bytes in all (None where the server does not say).
        cancelled: asked for every block; a true answer raises Cancelled and keeps the part.
        retries: further attempts in a row that bring no new byte.

    Returns:
        `destination`, complete and checked.

    Raises:
        DownloadError: the URL, what happened, and what to do; `destination` is then as it was.
        Cancelled: as asked.
    """
    expected = [(name, value.lower()) for name, value in (("sha256", sha256), ("md5", md5)) if value]
    if destination.is_file() and _mismatch(destination, expected) is None:
        return destination
    _check_allowed(url, destination)
    part = destination.with_name(destination.name + ".part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        _Attempts(url, part, progress, cancelled, retries).run()
        _accept(url, part, destination, expected)
    except OSError as error:
        raise DownloadError(
            f"{url} cannot be written to {destination} ({error.strerror or error}): "
            "free space there, or choose another folder."
        ) from error
    return destination


def _accept(url: str, part: Path, destination: Path, expected: list[tuple[str, str]]) -> None:
    """Give a complete part its name, or delete it where a digest is wrong."""
    wrong = _mismatch(part, expected)
    if wrong is not None:
        part.unlink()
        raise DownloadError(
            f"{url} arrived with {wrong}: nothing was kept; try again, "
            f"and if it repeats, get the file elsewhere and put it at {destination}."
        )
    part.replace(destination)


def _check_allowed(url: str, destination: Path) -> None:
    if not url.lower().startswith(("http://", "https://")):
        raise DownloadError(f"Cannot download {url!r}, expected an http or https address: correct it.")
    if config.current().offline:
        raise DownloadError(
            f"{url} is needed, but INTERPRET_OFFLINE forbids downloads: "
            f"unset it, or get the file elsewhere and put it at {destination}."
        )


def _mismatch(file: Path, expected: list[tuple[str, str]]) -> str | None:
    """What is wrong with the first digest that differs, None where all agree."""
    for algorithm, value in expected:
        found = _hash_file(file, algorithm)
        if not found.startswith(value):
            return f"{algorithm} {found}, expected {value}"
    return None


class _BrokenError(Exception):
    """An attempt ended early, in a way that a further attempt may mend."""


class _Attempts:
    """Requests until the part file is complete."""

    def __init__(
        self,
        url: str,
        part: Path,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        retries: int,
    ) -> None:
        self._url = url
        self._part = part
        self._progress = progress
        self._cancelled = cancelled
        self._retries = retries
        # Says which version of the file the part belongs to; a changed file must not be glued to an old half.
        self._stamp = part.with_name(part.name + ".version")

    def run(self) -> None:
        failures = 0
        while True:
            before = self._size()
            try:
                self._attempt(before)
                self._stamp.unlink(missing_ok=True)
                return
            except _BrokenError as error:
                # Progress forgives: a long download over a bad line may break off many times.
                failures = 1 if self._size() > before else failures + 1
                if failures > self._retries:
                    raise DownloadError(
                        f"{self._url} broke off after {self._size():,} bytes ({error}): "
                        "check the connection and run the same command again; it resumes."
                    ) from error
                time.sleep(min(60.0, FIRST_WAIT * 2 ** (failures - 1)))

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _attempt(self, have: int) -> None:
        headers = {"User-Agent": "unitscope", "Accept-Encoding": "identity"}
        version = self._stamp.read_text(encoding="utf-8") if self._stamp.is_file() else ""
        if have and version:
            headers |= {"Range": f"bytes={have}-", "If-Range": version}
        request = urllib.request.Request(self._url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                self._receive(response, have)
        except urllib.error.HTTPError as error:
            self._refused(error)
        except _MENDABLE as error:
            raise _BrokenError(getattr(error, "reason", None) or error) from error

    def _refused(self, error: urllib.error.HTTPError) -> None:
        status = error.code
        error.close()
        if status == _RANGE_NOT_SATISFIABLE:
            # The part is longer than the file, so it is not a part of it.
            self._part.unlink(missing_ok=True)
            raise _BrokenError("the server does not know the range") from error
        if status in _RETRY_STATUS:
            raise _BrokenError(f"the server answered {status}") from error
        raise DownloadError(
            f"{self._url} cannot be downloaded, the server answered {status} {error.reason}: "
            "check the address."
        ) from error

    def _receive(self, response: Any, have: int) -> None:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(response, have)
        if response.status == http.HTTPStatus.PARTIAL_CONTENT and not resumed:
            self._part.unlink(missing_ok=True)
            raise _BrokenError("the server sent another range than asked for")
        done = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length and length.isdigit() else None
        if not resumed:
            self._remember(response)
        with self._part.open("ab" if resumed else "wb") as out:
            while block := self._read(response):
                out.write(block)
                done += len(block)
                if self._progress is not None:
                    self._progress(done, total)
                if self._cancelled is not None and self._cancelled():
                    raise Cancelled(f"Stopped downloading {self._url}; the same command resumes.")
        if total is not None and done < total:
            raise _BrokenError(f"expected {total:,} bytes")

    def _read(self, response: Any) -> bytes:
        try:
            return bytes(response.read1(_BLOCK))
        except http.client.IncompleteRead as error:
            raise _BrokenError("the connection closed early") from error

    def _remember(self, response: Any) -> None:
        etag = response.headers.get("ETag", "")
        # A weak ETag does not promise equal bytes, so it cannot guard a range.
        version = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
        if version:
            self._stamp.write_text(version, encoding="utf-8")
        else:
            self._stamp.unlink(missing_ok=True)


def _starts_at(response: Any, have: int) -> bool:
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-")
