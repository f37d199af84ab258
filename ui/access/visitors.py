"""Who the present visitor is, for pages and routes behind the gate, and what they may."""

from __future__ import annotations

import json
from collections.abc import Iterable, MutableMapping, Sequence
from urllib.parse import quote, unquote

import streamlit as st
from cachetools import LRUCache
from starlette.requests import Request
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

from interpret_core.errors import UserError
from ui.access import identity, settings
from ui.access.roles import NOBODY, Role, Visitor
from ui.access.settings import Access

HEADER = "x-unitscope-visitor"  # written by the gate; a client's own never passes it
_A = {role: f"{'an' if role.word[0] in 'ao' else 'a'} {role.word}" for role in Role}
_SESSION = "_visitor"  # in the session's state
_owners: MutableMapping[str, str] = LRUCache(100_000)  # session -> name of whoever used it last
LOCAL = Visitor("", Role.OPERATOR)


class NotAllowedError(UserError):
    """What the visitor asks for needs another role."""


def written(
    given: Iterable[tuple[bytes, bytes]], visitor: Visitor, access: Access
) -> list[tuple[bytes, bytes]]:
    """A request's headers with who asks; without what a client has written there, and without the secret."""
    hidden = {HEADER.encode(), identity.PROXY_HEADER.encode(), access.header.encode("latin-1")}
    told = quote(json.dumps([visitor.name, visitor.role, visitor.shown])).encode()
    return [*(pair for pair in given if pair[0].lower() not in hidden), (HEADER.encode(), told)]


def current() -> Visitor:
    """The visitor of this session, in a run of a page or a callback.

    Outside a server (a script run by a test, a command) it is whoever has started the process.
    """
    # Streamlit's test runner puts something in the place of a server's runtime that passes for an instance.
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or type(Runtime._instance) is not Runtime:
        return LOCAL
    told = st.context.headers
    if len(told):
        st.session_state[_SESSION] = _read(told.get_all(HEADER))
        _owners[context.session_id] = st.session_state[_SESSION].name
    # Who has closed the connection is who they were: nobody is trusted more for being gone.
    found = st.session_state.get(_SESSION)
    return found if isinstance(found, Visitor) else NOBODY


def may_join(session: str, name: str) -> bool:
    """Whether somebody may go on with a session: their own, or one that nobody has used yet."""
    return _owners.get(session, name) == name


def of(request: Request) -> Visitor:
    """The visitor who asks for a route."""
    return _read(request.headers.getlist(HEADER))


def may(role: Role) -> bool:
    """Whether the present visitor may what a role may."""
    return _may(current(), role)


def require(role: Role, act: str) -> Visitor:
    """The present visitor, if they may.

    Args:
        role: the least that may.
        act: what they are about to do, for the message: "Starting a computation".

    Raises:
        NotAllowedError: they may not.
    """
    return _required(current(), role, act)


def require_of(request: Request, role: Role, act: str) -> Visitor:
    """The same of who asks for a route."""
    return _required(of(request), role, act)


def refused(role: Role, act: str) -> str:
    """Why the present visitor may not, in a line for the page."""
    return _refusal(current(), role, act)


def _required(visitor: Visitor, role: Role, act: str) -> Visitor:
    if not _may(visitor, role):
        raise NotAllowedError(_refusal(visitor, role, act))
    return visitor


def _may(visitor: Visitor, role: Role) -> bool:
    """In a published collection nobody does more than browse."""
    return visitor.role >= role and (role <= Role.ANONYMOUS or not settings.current().published)


def _refusal(visitor: Visitor, role: Role, act: str) -> str:
    """Why somebody may not, and whom to ask."""
    access = settings.current()
    if access.published:
        return "This is a published collection: it shows what was computed, and computes nothing."
    if access.login and not visitor.shown:
        return f"{act} is for those who are logged in: log in at the foot of the sidebar."
    whom = f" Ask {access.contact}." if access.contact else ""
    who = visitor.shown or "everybody"
    return f"{act} takes the role {role.word}; here {who} is {_A[visitor.role]}.{whom}"


def _read(told: Sequence[str]) -> Visitor:
    """From the gate's header; somebody who has not come through it is nobody beyond this machine."""
    if len(told) != 1:
        return NOBODY if settings.current().beyond else LOCAL
    name, role, shown = json.loads(unquote(told[0]))
    return Visitor(name, Role(role), shown)
