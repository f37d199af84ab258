"""Photographs labelled by a segmenter: what a factory returns, its labels, its answers, who it is."""
