"""The Home page: what this is, what is known here, and the state of each result."""
