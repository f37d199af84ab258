"""Concepts on a narrow screen: two lines each, nothing to the side."""
