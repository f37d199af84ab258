"""Bring a section into view once what it shows has been chosen."""
