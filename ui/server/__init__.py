"""Pictures and downloads beside the app, and whom it answers."""
