"""The embedded demo: rendered scenes, small trained networks, and what made them."""
