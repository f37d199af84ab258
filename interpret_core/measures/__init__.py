"""What is computed, arrays in and arrays out: no store, no files."""
