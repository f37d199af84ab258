"""Keys: a digest of everything that changes a result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from interpret_core.store.records import canonical_json
from interpret_core.store.schema import SCHEMA


def content_key(kind: str, content: Mapping[str, Any]) -> str:
    """A key under which a result is kept.

    Args:
        kind: first part of the key.
        content: everything that changes the result, as JSON.
    """
    text = canonical_json({"schema": SCHEMA, **content})
    return f"{kind}/{hashlib.sha256(text.encode()).hexdigest()[:40]}"
