"""Which units are silenced, and what the answers amount to."""
