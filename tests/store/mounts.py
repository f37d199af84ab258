"""Real file systems for the store's tests: mounted in a namespace of their own, gone with their process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534


def run(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    """What a program prints; the test fails, with its errors, where it does."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def namespace(mount: str, *, root: bool = False) -> tuple[str, ...]:
    """A prefix that runs a command with `mount` done in a mount namespace of its own; else skips.

    Args:
        mount: a shell command.
        root: it needs the system's root, and not only a user namespace's: a loop device, say.
    """
    prefix = ("unshare", "-m" if root else "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh")
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"") or error
        pytest.skip(f"`{mount}` cannot be done in a mount namespace here ({reason})")
    return prefix


def fill(folder: Path) -> None:
    """Write a file beside what lies in a folder until not a byte is left on its disk."""
    with (folder / "junk").open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(os.urandom(size))
        os.fsync(file.fileno())
    assert os.statvfs(folder).f_bavail == 0


def read_only(folder: Path) -> tuple[str, ...]:
    """A prefix that runs a command with a folder on a read-only mount."""
    return namespace(f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'")


def small(folder: Path, kind: str, size: str = "20M") -> tuple[str, ...]:
    """A prefix that runs a command with an empty file system of its own in a folder.

    Args:
        folder: where it is mounted.
        kind: "tmpfs", or "ext4" in an image file beside the folder.
        size: of the file system.
    """
    if kind == "tmpfs":
        return namespace(f"mount -t tmpfs -o size={size} none '{folder}'")
    image = folder.with_suffix(".img")
    try:
        subprocess.run(["truncate", "-s", size, image], check=True, capture_output=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no ext4 image can be made here ({error})")
    return namespace(f"mount -o loop '{image}' '{folder}'", root=True)
