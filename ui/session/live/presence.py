"""Who asks, and whether they are still there: the one place that decides by whom limits are counted."""

from __future__ import annotations

from starlette.requests import Request
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.access import visitors


def who(request: Request | None = None) -> str:
    """The visitor for whom something is computed.

    Args:
        request: of a route; without one it is the session whose page runs.
    """
    found = visitors.of(request) if request is not None else visitors.current()
    if found.name:
        return found.name
    if request is not None:
        return f"address {request.client.host}" if request.client else "an unknown address"
    context = get_script_run_ctx(suppress_warning=True)
    return f"session {context.session_id}" if context else "no session"


def session() -> str:
    """The session whose page runs, however many of them a visitor has; empty outside."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def gone() -> bool:
    """Whether the session whose page runs has been left."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not Runtime.exists():
        return False
    return not Runtime.instance().is_active_session(context.session_id)
