"""What pages ask the core for; the only caller of its analyses and its store."""
