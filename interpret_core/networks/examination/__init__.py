"""First runs of a network: whether and how it can be used, and the report on it."""
