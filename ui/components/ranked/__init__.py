"""Units in an order, each a link, with a button that shows its maps."""
