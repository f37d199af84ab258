"""Reading a data set's pictures and masks so that they are what its digest says, or nothing at all.

A run names its answers by the digest of the data set, which is read once. So each file is read as a whole,
its bytes are compared with what the digest knows of it, and the very bytes that were compared are decoded. A
file that was exchanged, removed or added in the meantime stops the run: it is no damaged picture, and no
answer may be kept under the name of what was there before. Neither is a file that the operating system does
not hand out (permissions, a disk or network error, too many open files).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

from interpret_core.errors import ChangedFileError, DamagedFileError, DatasetError

LARGEST = 1 << 30  # bytes of a file: more than any picture of `tables.MAX_PIXELS` has
UNKNOWN = b""  # of a file: no digest has been computed
MISSING = b"missing"  # of a file: the digest knows that it was not there
# What says that there is no such file. Any other error says nothing about the file.
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})
_REMEDIES = {
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EMFILE: "close files, or allow more of them (ulimit -n)",
    errno.ENFILE: "close files, or allow more of them",
}


def read_content(kind: str, path: Path, known: bytes = UNKNOWN) -> bytes:
    """The bytes of a picture or a mask.

    Args:
        kind: what it is, for the message.
        path: the file.
        known: the SHA-256 that the data set's digest holds of it, MISSING, or UNKNOWN, which takes any file.

    Raises:
        DamagedFileError: there is no such file, as far as is known all the time.
        ChangedFileError: it is not what the digest knows.
        DatasetError: the operating system does not hand it out.
    """
    try:
        size = _large(path)
        digest = _streamed(path) if size and known not in (UNKNOWN, MISSING) else b""
        content = b"" if size else read_if_there(path)
    except OSError as error:
        if known == UNKNOWN:
            raise refused(path, error) from error
        raise _changed(path, f"cannot be read any more ({error.strerror or error})") from error
    if content is None:
        if known not in (UNKNOWN, MISSING):
            raise _changed(path, "was there when the data set was read, and is missing now")
        raise DamagedFileError(f"{kind} {path} is missing: restore it, or remove it from the table.")
    if known == MISSING:
        raise _changed(path, "was missing when the data set was read, and is there now")
    if known != UNKNOWN and (digest or hashlib.sha256(content).digest()) != known:
        raise _changed(path, "is not the file that it was when the data set was read")
    if size:
        raise DamagedFileError(
            f"{kind} {path} has {size:,} bytes, expected at most {LARGEST:,}: scale it down, or remove it "
            "from the table."
        )
    return content


def digest_if_there(path: str, status: os.stat_result) -> bytes | None:
    """The SHA-256 of a file, None where there is none (a folder, a pipe or a broken link is none).

    Args:
        path: the file.
        status: what `os.stat` says of it.

    Raises:
        OSError: anything else, which says nothing about the file.
    """
    if status.st_size > LARGEST and stat.S_ISREG(status.st_mode):
        return _streamed(path)
    content = read_if_there(path, status)  # a picture is small: one read, no streaming
    return None if content is None else hashlib.sha256(content).digest()


def _large(path: Path) -> int:
    """Bytes of a file that is too large to be read as a whole; 0 of any other, and where there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0  # whoever reads it says so
    return status.st_size if status.st_size > LARGEST and stat.S_ISREG(status.st_mode) else 0


def _streamed(path: str | Path) -> bytes:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def read_if_there(path: str | Path, status: os.stat_result | None = None) -> bytes | None:
    """The bytes of a file, None where there is none (a folder, a pipe or a broken link is none).

    Args:
        path: the file.
        status: what `os.stat` says of it, if the caller has asked.

    Raises:
        OSError: anything else, which says nothing about the file.
    """
    try:
        status = os.stat(path) if status is None else status  # noqa: PTH116 - see `digests`
        # Opening a pipe would wait for somebody to write into it.
        return Path(path).read_bytes() if stat.S_ISREG(status.st_mode) else None
    except OSError as error:
        if not_there(error):
            return None
        raise


def not_there(error: OSError) -> bool:
    """Whether an error says that there is no such file."""
    return error.errno in _NOT_THERE


def refused(path: str | Path, error: OSError) -> DatasetError:
    """The line for a file that the operating system does not hand out."""
    remedy = _REMEDIES.get(error.errno or 0, "check the disk or the connection to it, and run it again")
    return DatasetError(f"{path} cannot be read ({error.strerror or error}): {remedy}.")


def _changed(path: Path, what: str) -> ChangedFileError:
    return ChangedFileError(
        f"{path} {what}: nothing of it was kept; run it again when the files are at rest."
    )
