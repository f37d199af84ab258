"""The Dead units page: which units answer nothing, layer by layer."""
