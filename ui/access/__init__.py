"""Who may what: hosts, login, roles, and the one gate before everything that the server answers."""
