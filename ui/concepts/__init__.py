"""The Concepts page: what a network's detectors detect, layer by layer, beside other networks."""
