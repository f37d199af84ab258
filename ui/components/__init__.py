"""What pages are made of, each with its own script, style and markup."""
