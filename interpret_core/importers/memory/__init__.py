"""Pictures and labels that somebody has in memory, brought into the layout that the reader knows."""
