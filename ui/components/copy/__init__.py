"""The button that copies the link to a view."""
