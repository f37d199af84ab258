"""Who computes the pieces of a run: this process, others beside it, other machines; the same bytes."""
