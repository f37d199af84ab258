"""What each single unit does for each class."""
