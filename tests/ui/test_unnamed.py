"""The box that keeps names of pictures out of what a page saves."""

from __future__ import annotations

import re

import pytest

from interpret_core.privacy import VARIABLE
from tests.ui.test_pages import open_page
from ui.components.unnamed import BOX

pytestmark = pytest.mark.usefixtures("full")
UNIT = {"network": "small", "dataset": "planted", "layer": "conv2", "unit": "3"}


def addresses(app) -> list[str]:
    """Of the downloads on the page."""
    bodies = "".join(str(node.proto.body) for node in app.get("html"))
    return re.findall(r'href="([^"]*download/[^"]*)"', bodies)


def test_its_files_are_asked_for_without_names() -> None:
    app = open_page("pages/units.py", **UNIT)
    assert len(addresses(app)) == 3
    assert not any("pictures=0" in one for one in addresses(app))
    (box,) = [one for one in app.checkbox if one.label == BOX]
    box.check().run()
    assert len(addresses(app)) == 3
    assert all("pictures=0" in one for one in addresses(app))


def test_where_no_name_leaves_there_is_no_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    app = open_page("pages/units.py", **UNIT)
    assert BOX not in [one.label for one in app.checkbox]
    assert all("pictures=0" in one for one in addresses(app))
