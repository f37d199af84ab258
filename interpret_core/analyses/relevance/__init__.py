"""Which classes each unit matters for."""
