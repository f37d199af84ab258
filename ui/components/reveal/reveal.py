"""Bring a section into view once what it shows has been chosen."""

from __future__ import annotations

from ui.shell.component import Component

reveal = Component("components/reveal/reveal")
