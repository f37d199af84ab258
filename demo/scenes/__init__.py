"""Rendered scenes with exact annotations. Build-time only: the program ships pictures, not the renderer."""
