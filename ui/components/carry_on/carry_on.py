"""Asks for the next step of a computation once this one is on screen."""

from __future__ import annotations

from ui.shell.component import Component

carry_on_step = Component("components/carry_on/carry_on")
