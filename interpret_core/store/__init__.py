"""Results on disk: records, and the store that keeps them."""

from interpret_core.store.records import Record
from interpret_core.store.store import ReadOnlyStore, Store

__all__ = ["ReadOnlyStore", "Record", "Store"]
