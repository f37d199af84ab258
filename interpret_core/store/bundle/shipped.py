"""Results that come with the program: a folder of packed records and a manifest, only ever read.

A store looks here for what its cache does not hold, and puts what it finds into the cache: each record once,
when it is first asked for, so that nobody waits for the others. Keys hold schema and digests, so what was
computed by other code, from other weights or on other pictures is simply never asked for.

    manifest.json   {"format", "schema", "version", "networks" and "datasets": {name: digest},
                     "records": {key: {"size", "sha256" of the file, "digest" of the record}},
                     "states": {key: JSON}}
    KEY.xz          a record, packed (`store.bundle.packer`)
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from interpret_core.files import sha256
from interpret_core.store.bundle.packer import unpack
from interpret_core.store.schema import SCHEMA

logger = logging.getLogger(__name__)

FORMAT = 1  # of the manifest and of packed records
MANIFEST = "manifest.json"
KEY = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")  # may be a path: nothing that leads out of the folder
Complain = Callable[[str, str], None]


class Shipped:
    """The records of one folder; a missing folder has none. Safe to share between threads.

    Args:
        folder: what `store.bundle.cargo.ship` wrote.
        complain: called once per damaged record, with its key and why.
    """

    def __init__(self, folder: Path, complain: Complain = lambda _key, _reason: None) -> None:
        self.folder = folder
        self._complain = complain
        self._refused: set[str] = set()
        self._told: set[str] = set()

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What is shipped; empty, with a line in the log that says why, where it cannot be used."""
        path = self.folder / MANIFEST
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if (found["format"], found["schema"]) == (FORMAT, SCHEMA):
                return _checked(found)
            reason = (
                f"it is of format {found['format']} and schema {found['schema']}, "
                f"expected {FORMAT} and {SCHEMA}"
            )
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
        logger.warning("Shipped results are not used, results are computed instead. %s: %s.", path, reason)
        return {}

    def has(self, key: str) -> bool:
        """Whether an undamaged record is shipped under `key`; its file is read once per process."""
        entry = self.manifest.get("records", {}).get(key)
        if entry is None or key in self._refused:
            return False
        try:
            if sha256(self._file(key)) == entry["sha256"]:
                return True
            reason = "its checksum differs"
        except OSError as error:
            reason = error.strerror or str(error)
        self._refuse(key, reason)
        return False

    def get(self, key: str) -> bytes | None:
        """The record's canonical bytes, equal to those that were computed; None where there is none."""
        if not self.has(key):
            return None
        try:
            payload = unpack(self._file(key).read_bytes()).to_bytes()
            if hashlib.sha256(payload).hexdigest() == self.manifest["records"][key]["digest"]:
                return payload
            reason = "its content differs from what was computed"
        except (OSError, ValueError) as error:
            reason = str(error)
        self._refuse(key, reason)
        return None

    def state(self, key: str) -> Any:
        """The JSON value shipped under `key`, or None."""
        return self.manifest.get("states", {}).get(key)

    def compare(self, kind: str, name: str, digest: str) -> None:
        """Say in the log, once, that what is shipped under this name does not fit the files that are here.

        Args:
            kind: "networks" or "datasets".
            name: as it was asked for.
            digest: of what lies behind the name now; empty where its weights, code or libraries are others
                than those, so that only a run can tell it.
        """
        expected = self.manifest.get(kind, {}).get(name, digest)
        if expected != digest and name not in self._told:
            self._told.add(name)
            logger.warning(
                "Shipped results of %s are not used, results are computed instead: its digest is %s, they "
                "were made with %s.",
                name,
                digest[:12] or "not known yet",
                expected[:12],
            )

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.xz"

    def _refuse(self, key: str, reason: str) -> None:
        if key not in self._refused:
            self._refused.add(key)
            logger.warning("Shipped result %s is damaged (%s): left aside, can be computed.", key, reason)
            self._complain(key, reason)


def _checked(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest, if it is one.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: it is not.
    """
    for key, entry in manifest["records"].items():
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of a shipped record")
        for name in ("sha256", "digest"):
            if not isinstance(entry[name], str):
                raise TypeError(f"{name} of {key} is no text")
    for name in ("networks", "datasets", "states"):
        manifest[name].items()
    return manifest
