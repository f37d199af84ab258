"""What was added on a page: networks with their weights, and data sets."""
