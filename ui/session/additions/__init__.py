"""What is added on pages: who may take it away or put it back, and whether a job needs it."""
