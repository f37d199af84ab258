"""The pages: what the menu calls them, where their scripts lie, and ways to them under other spellings."""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from ui.shell.addresses import base


class Entry(NamedTuple):
    """A page of the menu.

    Attributes:
        script: in `pages/`, without its ending; also the page's address.
        title: in the menu.
    """

    script: str
    title: str

    @property
    def path(self) -> str:
        """The script as Streamlit names it."""
        return f"pages/{self.script}.py"


HOME = Entry("home", "Home")  # has no name in its address
PAGES = (
    HOME,
    Entry("units", "Units"),
    Entry("concepts", "Concepts"),
    Entry("relevance", "Relevance"),
    Entry("agreement", "Agreement"),
    Entry("shared", "Shared units"),
    Entry("ablation", "Ablation"),
    Entry("networks", "Networks"),
    Entry("datasets", "Data sets"),
    Entry("jobs", "Jobs & data"),
)


def address(page: Entry) -> str:
    """The last part of a page's address."""
    return "" if page is HOME else page.script


def meant(name: str) -> str | None:
    """The address that another spelling of a page stands for: its title, capitals, a space or a dash.

    Returns:
        None for an address as it should be, and for what is no page's name.
    """
    plainly = "".join("-" if character in " _+" else character for character in name.casefold())
    for page in PAGES:
        if plainly in (page.script, page.title.casefold().replace(" ", "-")) and name != address(page):
            return address(page)
    return None


def routes() -> list[Route]:
    """Ways that lead on from another spelling of a page's name, below `server.baseUrlPath`."""
    return [_Spelling(f"{base()}/{{name}}{slash}", _lead_on) for slash in ("", "/")]


class _Spelling(Route):
    """Takes a path with one name, if that is another spelling of a page's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found, child = super().matches(scope)
        if found is not Match.NONE and meant(child["path_params"]["name"]) is None:
            return Match.NONE, {}
        return found, child


def _lead_on(request: Request) -> Response:
    """With the view kept; relative, so that a path which a proxy has put before it stays as well."""
    up = "../" if request.url.path.endswith("/") else "./"
    place = f"{up}{meant(request.path_params['name'])}"
    query = request.url.query
    return RedirectResponse(f"{place}?{query}" if query else place, status_code=307)
