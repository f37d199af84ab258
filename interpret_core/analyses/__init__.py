"""One package per analysis: what is asked for, what it amounts to, how it is computed, the result."""
