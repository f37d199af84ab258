"""Integrated gradients and what is read off them."""
