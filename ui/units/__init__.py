"""The Units page: a grid of a layer's units, and one unit in full."""
