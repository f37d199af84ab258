"""Everything that is not one of the ten classes: makers that take a random generator and return a `Thing`."""
