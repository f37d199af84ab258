"""Whether the present visitor may add networks and data sets here, and where they go."""

from __future__ import annotations

import os
from pathlib import Path

from interpret_core import config
from interpret_core.errors import ParameterError
from interpret_core.uploads.places import VARIABLE as UPLOADS
from ui.access import settings, visitors
from ui.access.roles import Role


def refusal(what: str) -> str:
    """Why nothing can be added here, and what to do; empty where something can.

    Args:
        what: "networks" or "data sets".
    """
    if config.current().uploads is None:
        return (
            f"Adding {what} on this page is switched off ({UPLOADS}=0). Whoever runs the server names them "
            "in unitscope.toml."
        )
    access = settings.current()
    if not visitors.may(Role.OPERATOR):
        return visitors.refused(Role.OPERATOR, f"Adding {what}")
    if access.beyond and not access.login and not os.environ.get(UPLOADS, "").strip():
        return (
            f"This server answers to other machines and has no login, so {what} are not added on its pages "
            f"unless whoever runs it names a folder for them: {UPLOADS}=uploads. Or they name {what} in "
            "unitscope.toml."
        )
    return ""


def folder(what: str) -> Path:
    """Where everything that is added lies.

    Raises:
        ParameterError: there is to be nothing, or nothing of this visitor.
    """
    place, refused = config.current().uploads, refusal(what)
    if place is None or refused:
        raise ParameterError(refused)
    return place
