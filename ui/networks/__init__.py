"""The Networks page: a known architecture with one's own weights becomes a network; those there are."""
