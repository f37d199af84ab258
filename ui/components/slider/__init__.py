"""Sliders that answer while they are dragged."""
