"""Data sets that can be downloaded."""
