"""What leads a newcomer: the tour, a line for whoever opens a link without knowing more; presenting."""
