"""How often an intact network is right."""
