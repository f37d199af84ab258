"""Weights files as training code leaves them: read without running anything, and fitted to a module."""
