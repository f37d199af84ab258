"""Writing the results that are shipped with the program, from the store where they were computed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interpret_core import __version__
from interpret_core.errors import UserError
from interpret_core.store.bundle.packer import pack, unpack
from interpret_core.store.bundle.shipped import FORMAT, KEY, MANIFEST
from interpret_core.store.schema import SCHEMA
from interpret_core.store.store import Store

# Shards of a run, states of jobs, this machine's speed, what somebody tried out: of no use elsewhere. And
# what follows from a profile and can be made again.
OWN = (
    "partial",
    "round",
    "job",
    "sample",
    "answers",
    "responses",
    "thresholds",
    "largest",
    "masks",
    "sketch",
)


@dataclass(frozen=True)
class Cargo:
    """What to ship.

    Attributes:
        networks, datasets: name -> hex digest of what the results were computed with.
        prefixes: of the keys; without any, every key but those in `OWN`.
    """

    networks: Mapping[str, str]
    datasets: Mapping[str, str]
    prefixes: tuple[str, ...] = ()

    def wanted(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are shipped, sorted."""
        if self.prefixes:
            return sorted(key for key in keys if key.startswith(self.prefixes))
        return sorted(key for key in keys if not key.startswith(OWN))


def ship(
    store: Store, folder: Path, cargo: Cargo, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> dict[str, Any]:
    """Pack a store's results into a folder, in place of what it held.

    Equal results give equal files, so that version control keeps what did not change once.

    Args:
        store: where the results are; `Store(…, shipped=())`, or what was shipped before would be shipped on.
        folder: replaced as a whole, at the end.
        cargo: which results, and of whom.
        tell: progress: records done, records in all.
    Returns:
        The manifest.
    Raises:
        UserError: nothing to ship, or a record is damaged.
    """
    keys = cargo.wanted(store.keys())
    if not keys:
        raise UserError(f"The store in {store.folder} holds no result to ship: compute some first.")
    made = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    records = {}
    for done, key in enumerate(keys, 1):
        records[key] = _packed(store, made, key)
        tell(done, len(keys))
    states = {key: store.get_json(key) for key in cargo.wanted(store.json_keys())}
    manifest = {
        "format": FORMAT,
        "schema": SCHEMA,
        "version": __version__,
        "networks": dict(cargo.networks),
        "datasets": dict(cargo.datasets),
        "records": records,
        "states": states,
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (made / MANIFEST).write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)
    return manifest


def _packed(store: Store, folder: Path, key: str) -> dict[str, Any]:
    """Write one record's file; its entry in the manifest."""
    record = store.get(key)
    if record is None or not KEY.fullmatch(key):
        raise UserError(f"The stored result {key!r} is damaged or cannot be a file's name: compute it again.")
    payload, packed = record.to_bytes(), pack(record)
    if unpack(packed).to_bytes() != payload:
        raise UserError(f"The packed result {key} does not unpack to what was computed: please report it.")
    path = folder / f"{key}.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
    return {
        "size": len(packed),
        "bytes": len(payload),
        "sha256": hashlib.sha256(packed).hexdigest(),
        "digest": hashlib.sha256(payload).hexdigest(),
    }
