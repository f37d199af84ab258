"""Slow, paper-literal twins of the product's numbers. They never import `interpret_core`."""
