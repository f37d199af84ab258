"""Layers of a network: what they are, which there are, and where their response is read."""
