"""The Shared units page: how far classes rely on the same units."""
