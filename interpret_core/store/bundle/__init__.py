"""Results that come with the program."""
