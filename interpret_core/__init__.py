"""Unitscope's core: what a convolutional network's units detect. Usable without the dashboard."""

__version__ = "0.1.0"
