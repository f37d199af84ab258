"""The command line: the same requests, results and cache as the dashboard."""

from interpret_core.cli.app import main

__all__ = ["main"]
