"""Asks for the next step of a computation once this one is on screen."""
