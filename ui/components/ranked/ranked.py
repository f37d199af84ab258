"""Units in an order, each a link, with a button that shows its maps."""

from __future__ import annotations

from ui.shell.component import Component

ranked = Component("components/ranked/ranked", "components/common/travel.js", "components/common/focus.js")
