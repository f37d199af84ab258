"""How data sets lie on disk: one file per layout."""
