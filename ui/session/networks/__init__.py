"""Networks as pages add and examine them."""
