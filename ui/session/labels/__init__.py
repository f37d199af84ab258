"""What the unit browser asks of the core about labels of whole images."""
