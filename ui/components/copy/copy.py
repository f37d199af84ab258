"""The button that copies the link to a view."""

from __future__ import annotations

from ui.shell.component import Component

copy_link = Component("components/copy/copy")
