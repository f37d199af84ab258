"""How a request is run: device, progress, cancellation, parts that are kept."""
