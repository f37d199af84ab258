"""Profiled layers: read whole for a page that shows one, or as a sketch for whoever looks through all."""
