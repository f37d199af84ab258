"""What a network answers, intact or with units silenced: arrays in, arrays out."""
