"""What one read of every image and mask tells, whatever the network."""
