"""What is computed here, for whom, and what it left, for the page “Jobs & data”; who may what with it."""
