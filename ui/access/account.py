"""Who is logged in, as the foot of the sidebar says it."""

from __future__ import annotations

from ui.access import settings, sign_in, visitors
from ui.shell.addresses import base
from ui.shell.sidebar import Account


def account() -> Account | None:
    """The present visitor; None where there is no login."""
    access, visitor = settings.current(), visitors.current()
    if not access.login:
        return None
    if visitor.shown:
        out = sign_in.logout(access)
        return Account(f"{visitor.shown}, {visitor.role.word}", "Log out" if out else "", out)
    way = "Log in" if access.login == "oidc" else ""
    return Account("Looking on without a login", way, f"{base()}{sign_in.ENTER}" if way else "", returns=True)
