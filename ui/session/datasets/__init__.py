"""Data sets that are added on a page: looked at first, registered, removed, put back."""
