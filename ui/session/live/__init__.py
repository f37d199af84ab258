"""What is computed while somebody waits: one bounded queue for all of it, and who asks."""
