"""Photographs of a class with maps laid over them."""
