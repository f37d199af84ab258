"""Photographs with masks and annotations drawn over them."""
