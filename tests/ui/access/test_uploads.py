"""Who may add networks and data sets on pages, and what whoever may not is told."""

from __future__ import annotations

import pytest

from ui.access import settings, uploads


@pytest.mark.parametrize("what", ["networks", "data sets"])
@pytest.mark.parametrize(
    ("value", "address", "refused"),
    [
        ("", "127.0.0.1", ""),
        ("", "localhost", ""),
        ("", "::1", ""),
        ("", "0.0.0.0", "has no login"),
        ("", "", "has no login"),
        ("uploads", "0.0.0.0", ""),
        ("0", "127.0.0.1", "switched off"),
    ],
)
def test_who_may_add(
    monkeypatch: pytest.MonkeyPatch, value: str, address: str, refused: str, what: str
) -> None:
    monkeypatch.setenv("INTERPRET_UPLOADS", value)
    monkeypatch.setattr(settings.config, "get_option", lambda name: address)
    told = uploads.refusal(what)
    assert refused in told
    assert bool(told) is bool(refused)
    assert not told or what in told
