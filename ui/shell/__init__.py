"""What every page has: the address, the sidebar, the menu, words, colours."""
