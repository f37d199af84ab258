"""A process without a login that listens to its own machine alone."""

from __future__ import annotations

import pytest
from streamlit import auth_util, config
from streamlit.runtime.secrets import AttrDict

from ui.access import gate, settings

SECRET = "0123456789abcdef" * 4
VARIABLES = (
    *settings.PATTERNS.values(),
    settings.OPEN,
    settings.ANONYMOUS,
    settings.HEADER,
    settings.SECRET,
    settings.LOGOUT,
    settings.ADDRESS,
    settings.CONTACT,
    settings.PUBLISHED,
    settings.CLAIM,
    gate.METRICS_TOKEN,
)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting but the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    options = {"server.address": "127.0.0.1", "server.baseUrlPath": "", "server.cookieSecret": SECRET}
    real = config.get_option
    monkeypatch.setattr(config, "get_option", lambda name: options[name] if name in options else real(name))
    monkeypatch.setattr(auth_util, "get_secrets_auth_section", lambda: AttrDict({}))
