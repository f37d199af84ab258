"""What a network can no longer do with units silenced."""
