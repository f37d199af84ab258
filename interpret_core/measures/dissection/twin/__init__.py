"""What the passes do with responses, twice: compiled for the processor, by torch for any device."""
