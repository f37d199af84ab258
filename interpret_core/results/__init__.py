"""Results on disk: requests, records, and the store that keeps them."""

from interpret_core.results.records import Record
from interpret_core.results.store import Store

__all__ = ["Record", "Store"]
