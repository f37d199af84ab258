"""Data sets that lie elsewhere: Broden, and whatever has an address."""
