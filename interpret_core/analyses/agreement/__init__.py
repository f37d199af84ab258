"""Whether the units that overlap a class's object most matter most for it."""
