"""Choices that stand in the address."""
