"""Bars of classes that stay on the page while a setting changes."""
