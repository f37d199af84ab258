"""Results on disk: records, and the store that keeps them."""

from interpret_core.store.records import Record
from interpret_core.store.store import Store

__all__ = ["Record", "Store"]
