"""Networks that are added on a page: whether they may be, the file that was examined, and those there are."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from interpret_core import networks
from interpret_core.errors import ParameterError, UnitscopeError
from interpret_core.networks.providers import timm_models, torchvision_models
from interpret_core.uploads.networks import AddedNetworks
from ui.access import uploads
from ui.session.additions.acts import AdditionActs
from ui.session.networks import examinations

LARGEST = 1024  # MB of an uploaded file; Streamlit keeps it in memory until it is taken away
_EXAMINED = "_examined_file"


@dataclass(frozen=True)
class Examined:
    """A file that was examined in this session.

    Attributes:
        mark: of file and entry, as `mark_of` makes it.
        entry: as it was examined, and as it will be registered.
        staged: the file, None where the examination failed.
        report: of the examination.
        problem: why it failed, one line.
    """

    mark: str
    entry: Mapping[str, Any]
    staged: Path | None = None
    report: Mapping[str, Any] | None = None
    problem: str = ""


def refusal() -> str:
    """Why no network can be added here, and what to do; empty where one can."""
    return uploads.refusal("networks")


def folder() -> AddedNetworks:
    """Where they are.

    Raises:
        ParameterError: there is to be none, or none for this visitor.
    """
    return AddedNetworks(uploads.folder("networks"))


def architectures(source: str) -> tuple[str, ...]:
    """Names of all that a source builds: "torchvision" or "timm"."""
    if source == "timm":
        return tuple(f"{timm_models.PREFIX}{name}" for name in timm_models.names())
    return tuple(name for name in networks.known() if name.startswith(torchvision_models.PREFIX))


def sources() -> tuple[str, ...]:
    """Packages that are here and build architectures."""
    return ("torchvision", "timm") if importlib.util.find_spec("timm") else ("torchvision",)


ACTS = AdditionActs("network", "network", folder, networks.known)


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
        content: of the file.
        file_name: of the file.
        entry: as in `unitscope.toml`, weights apart.
    """
    forget()
    staged, found = None, None
    try:
        check_allowed(entry)
        staged = folder().stage(content, file_name)
        found = Examined(mark, entry, staged, examinations.of_file(name, staged, entry))
    except UnitscopeError as error:
        told = str(error).replace(str(staged), staged.name) if staged else str(error)
        found = Examined(mark, entry, problem=told)
    except (MemoryError, RuntimeError, TypeError, ValueError, OverflowError) as error:  # of torch, as a rule
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        found = Examined(
            mark,
            entry,
            problem=f"The network cannot be run here ({told}): another size may help, or more memory.",
        )
    finally:
        if staged is not None and (found is None or found.report is None):
            folder().discard(staged)
    st.session_state[_EXAMINED] = found


def check_allowed(entry: Mapping[str, Any]) -> None:
    """What a browser sends is anything: a known architecture and nothing else is built here.

    Raises:
        ParameterError: nothing may be added, or of another architecture.
    """
    name = str(entry.get("network"))
    if refusal():
        raise ParameterError(refusal())
    if not any(name in architectures(source) for source in sources()):
        raise ParameterError(
            f"{name!r} is no architecture of {' or '.join(sources())}: choose one of the list."
        )


def unfit(found: Examined) -> str:
    """Why what was examined cannot be what is meant, in a sentence; empty where it can."""
    if found.report is None:
        return found.problem
    names, outputs = len(found.entry.get("classes", ())), found.report["outputs"]["count"]
    if names and outputs is not None and names != outputs:
        return (
            f"The weights have {outputs:,} outputs, but {names:,} classes are named: name one for each "
            "output, in their order."
        )
    strange = [row["layer"] for row in found.report["layers"] if not row["finite"]]
    if strange:
        others = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        return (
            f"Values that are not finite on the test images, in {strange[0]}{others}: the weights are "
            "damaged, or meant for pictures prepared in another way."
        )
    return ""


def register(name: str) -> None:
    """Make what was examined, as it was examined, a network of this name.

    Raises:
        UserError: nothing was, or it is unfit; the name is taken meanwhile; the file is gone. One clear line.
    """
    found = examined()
    if found is None or found.staged is None:
        raise ParameterError("Nothing has been examined: examine the file first.")
    check_allowed(found.entry)
    problem = unfit(found)
    if problem:
        raise ParameterError(problem)
    ACTS.require_free(name)
    folder().register(found.staged, name, found.entry)
    st.session_state[_EXAMINED] = None
    ACTS.noted("added", name)
