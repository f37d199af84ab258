"""Whether a session is still there: `/api/session/ID`, asked by a page that has been connected again.

A server that was started again, another one behind the same proxy, and one that has waited too long for a
laptop to wake up do not know it; the page is then loaded anew (`components/common/reconnection.js`).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit.runtime import get_instance

from ui.shell.addresses import prefix


def routes() -> list[Route]:
    """The one route, under `server.baseUrlPath`."""
    return [Route(f"{prefix()}/session/{{session}}", known)]


async def known(request: Request) -> Response:
    """`{"known": true}` or false; who has the id has the session, and learns nothing else."""
    found = get_instance().is_active_session(str(request.path_params["session"]))
    return JSONResponse({"known": found}, headers={"Cache-Control": "no-store"})
