"""The documents as a site (`make docs`), under `/docs` where it is built.

Its files are given out as they lie there. They name each other relatively, so a base path or a proxy's path
may stand before them; they need no script, style or font from elsewhere, so they go with the policy of all
other answers.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from interpret_core import installation
from ui.shell.addresses import base

NAME = "docs"
FIRST = "index.html"


def routes() -> list[Route]:
    """The site, under `server.baseUrlPath`, and the way to it from its name without a slash."""
    place = f"{base()}/{NAME}"
    return [Route(place, _lead_on), Route(f"{place}/{{path:path}}", _answer)]


def _lead_on(_: Request) -> Response:
    """Relative, so that a path which a proxy has put before it stays."""
    return RedirectResponse(f"{NAME}/", status_code=307)


async def _answer(request: Request) -> Response:
    """A file below the site's folder; Starlette sees to it that none above is reached."""
    if not installation.site_is_built():
        return PlainTextResponse("The documents are not built on this server: make docs builds them.", 404)
    files = StaticFiles(directory=installation.SITE)
    try:
        answer = await files.get_response(request.path_params["path"] or FIRST, request.scope)
    except HTTPException as refused:
        return PlainTextResponse("No such page or file of the documents.", refused.status_code)
    answer.headers["Cache-Control"] = "no-cache"
    return answer
