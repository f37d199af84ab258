"""Photographs of a class with maps laid over them."""

from __future__ import annotations

from ui.shell.component import Component

maps = Component("components/maps/maps", "components/common/outline.js", "components/common/focus.js")
