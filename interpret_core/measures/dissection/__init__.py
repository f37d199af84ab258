"""Thresholds, tallies, masks and chance: Network Dissection."""
