"""Tables to keep, as CSV and JSON."""
