"""The version of what results mean, apart from the rest: it must be known without loading what computes."""

SCHEMA = 4  # raised whenever the same request would give other numbers or another layout
