"""What a unit responds to: a contest of colour and annotation on held-out images, in counts of pixels."""
