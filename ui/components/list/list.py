"""Concepts on a narrow screen: two lines each, nothing to the side."""

from __future__ import annotations

from ui.shell.component import Component

concept_list = Component("components/list/list")
