"""The grid of a layer's units."""
