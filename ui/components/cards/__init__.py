"""Units as cards, each of them one link."""
