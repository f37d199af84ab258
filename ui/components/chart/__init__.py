"""Figures as plain dictionaries on one template, and the element that shows them."""
