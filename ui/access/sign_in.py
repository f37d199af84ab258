"""The two pages that the gate itself shows: log in, and no access."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from ui.access import settings
from ui.access.roles import Visitor
from ui.access.settings import Access
from ui.shell.addresses import base
from ui.shell.theme import asset

LOGOUT, ENTER = "/auth/logout", "/access/login"


def page(access: Access, came_for: str) -> str:
    """Where somebody who is not logged in finds the way in.

    Args:
        access: the settings.
        came_for: the address that they wanted, as path and query.
    """
    if access.login == "header":
        text = (
            "You are not logged in. People log in on a page in front of this server, which sends them here "
            "with their name: open that page's address, or ask whoever runs this one."
        )
        return _page("Log in first", text, "", access)
    names = settings.providers()
    ways = ""
    for name in names:
        query = urlencode({"provider": name, "next": came_for})
        word = "Log in" if len(names) == 1 else f"Log in with {name.replace('_', ' ').title()}"
        ways += f'<a class="way" href="{escape(f"{base()}{ENTER}?{query}")}">{escape(word)}</a>'
    text = "What a convolutional network has learned, unit by unit. Your colleagues share this instance."
    kept = "The link that you followed opens afterwards." if came_for.strip("/") != base().strip("/") else ""
    return _page("Log in to go on", text, ways, access, kept)


def stranger(access: Access, visitor: Visitor) -> str:
    """What somebody sees whom the login knows and nobody has let in."""
    text = unlisted(visitor)
    out = logout(access)
    ways = f'<a class="way other" href="{escape(out)}">Log out</a>' if out else ""
    return _page("No access", text, ways, access)


def unlisted(visitor: Visitor) -> str:
    """The same in a sentence."""
    return (
        f"You are logged in as {visitor.shown}, and this instance does not list that name. Whoever runs it "
        "can add you."
    )


def logout(access: Access) -> str:
    """Address where one logs out; empty where there is none."""
    return f"{base()}{LOGOUT}" if access.login == "oidc" else access.logout


def _page(title: str, text: str, ways: str, access: Access, kept: str = "") -> str:
    ask = f"Questions: {access.contact}" if access.contact else ""
    small = " ".join(filter(None, (kept, ask)))
    return asset("access/sign_in.html").format(
        title=escape(title),
        text=escape(text),
        ways=ways,
        small=f"<small>{escape(small)}</small>" if small else "",
    )
