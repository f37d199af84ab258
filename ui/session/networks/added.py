"""Networks that are added on a page: whether they may be, the file that was examined, and those there are."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config as served

from interpret_core import config, networks
from interpret_core.config import UPLOADS
from interpret_core.errors import StoreError, UnitscopeError
from interpret_core.networks.providers import timm_models, torchvision_models
from interpret_core.uploads import RemovedNetwork, Uploads, name_problem
from ui.session.memory import again
from ui.session.networks import examinations
from ui.session.work import listing

LARGEST = 1024  # MB of an uploaded file; Streamlit keeps it in memory until it is taken away
BUSY = "A job that waits or runs needs the name {name}: cancel that job first."
_EXAMINED = "_examined_file"


@dataclass(frozen=True)
class Examined:
    """A file that was examined in this session.

    Attributes:
        mark: of file and entry, as `mark_of` makes it.
        staged: the file, None where the examination failed.
        report: of the examination.
        problem: why it failed, one line.
    """

    mark: str
    staged: Path | None = None
    report: Mapping[str, Any] | None = None
    problem: str = ""


def refusal() -> str:
    """Why no network can be added here, and what to do; empty where one can."""
    if config.current().uploads is None:
        return (
            f"Adding networks on this page is switched off ({UPLOADS}=0). Whoever runs the server names them "
            "in unitscope.toml."
        )
    if not os.environ.get(UPLOADS, "").strip() and not _loopback():
        return (
            "This server answers to other machines and has no login, so networks are not added on its pages "
            f"unless whoever runs it names a folder for them: {UPLOADS}=uploads. Or they name networks in "
            "unitscope.toml."
        )
    return ""


def _loopback() -> bool:
    """Whether the server listens to its own machine alone."""
    address = str(served.get_option("server.address") or "")
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def folder() -> Uploads:
    """Where they are.

    Raises:
        StoreError: there is to be none.
    """
    place = config.current().uploads
    if place is None:
        raise StoreError(refusal())
    return Uploads(place)


def architectures(source: str) -> tuple[str, ...]:
    """Names of all that a source builds: "torchvision" or "timm"."""
    if source == "timm":
        return tuple(f"{timm_models.PREFIX}{name}" for name in timm_models.names())
    return tuple(name for name in networks.known() if name.startswith(torchvision_models.PREFIX))


def sources() -> tuple[str, ...]:
    """Packages that are here and build architectures."""
    return ("torchvision", "timm") if importlib.util.find_spec("timm") else ("torchvision",)


def unusable(name: str) -> str:
    """Why a new network cannot be called so; empty where it can."""
    return name_problem(name, networks.known())


def mark_of(file_id: str, entry: Mapping[str, Any]) -> str:
    """Tells whether what was examined is what the form says now."""
    return json.dumps([file_id, entry], sort_keys=True)


def examined() -> Examined | None:
    """What this session has examined last and not registered."""
    found = st.session_state.get(_EXAMINED)
    return found if isinstance(found, Examined) else None


def forget() -> None:
    """Throw away what was examined."""
    found = examined()
    if found is not None and found.staged is not None:
        folder().discard(found.staged)
    st.session_state[_EXAMINED] = None


def examine(mark: str, name: str, content: memoryview, file_name: str, entry: Mapping[str, Any]) -> None:
    """Write an uploaded file, load it as the entry says, and keep the report for this session.

    Args:
        mark: from `mark_of`.
        name: of the network.
        content, file_name: of the file.
        entry: as in `unitscope.toml`, weights apart.
    """
    forget()
    staged, found = None, None
    try:
        check(entry)
        staged = folder().stage(content, file_name)
        found = Examined(mark, staged, examinations.of_file(name, staged, entry))
    except UnitscopeError as error:
        told = str(error).replace(str(staged), staged.name) if staged else str(error)
        found = Examined(mark, problem=told)
    except (MemoryError, RuntimeError, TypeError, ValueError, OverflowError) as error:  # of torch, as a rule
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        found = Examined(
            mark, problem=f"The network cannot be run here ({told}): another size may help, or more memory."
        )
    finally:
        if staged is not None and (found is None or found.report is None):
            folder().discard(staged)
    st.session_state[_EXAMINED] = found


def check(entry: Mapping[str, Any]) -> None:
    """What a browser sends is anything: a known architecture and nothing else is built here.

    Raises:
        StoreError: nothing may be added, or of another architecture.
    """
    name = str(entry.get("network"))
    if refusal():
        raise StoreError(refusal())
    if not any(name in architectures(source) for source in sources()):
        raise StoreError(f"{name!r} is no architecture of {' or '.join(sources())}: choose one of the list.")


def register(name: str, entry: Mapping[str, Any]) -> None:
    """Make what was examined a network of this name.

    Raises:
        UserError: the name is taken meanwhile, or the file is gone; one clear line.
    """
    found = examined()
    if found is None or found.staged is None:
        raise StoreError("Nothing has been examined: examine the file first.")
    check(entry)
    if unusable(name) or at_work(name):
        raise StoreError(unusable(name) or BUSY.format(name=name))
    folder().register(found.staged, name, entry)
    st.session_state[_EXAMINED] = None
    again()


def remove(name: str) -> None:
    """Take an added network away.

    Raises:
        UserError: a job needs it, or it is gone already; one clear line.
    """
    if at_work(name):
        raise StoreError(BUSY.format(name=name))
    folder().remove(name)
    again()


def put_back(removed: RemovedNetwork) -> None:
    """Undo that.

    Raises:
        UserError: its name is taken now or needed by a job, or it is gone for good; one clear line.
    """
    if at_work(removed.name) or unusable(removed.name):
        raise StoreError(unusable(removed.name) or BUSY.format(name=removed.name))
    folder().put_back(removed)
    again()


def at_work(name: str) -> bool:
    """Whether a job waits or runs that needs a network."""
    return any(job.active and name in _networks(job.request) for job in listing())


def _networks(request: Mapping[str, Any]) -> tuple[object, ...]:
    return request.get("network"), *request.get("networks", ())
