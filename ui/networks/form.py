"""What is asked for a new network: its weights, what they are of, its classes, how its pictures were made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import streamlit as st

from interpret_core import networks
from interpret_core.errors import UnitscopeError
from interpret_core.network_tables import HEADS
from interpret_core.networks import NetworkSpec
from interpret_core.networks.providers.architectures import CLASSES
from interpret_core.uploads.names import normal
from ui.access.told import told
from ui.session.networks import added
from ui.shell.plain import plain
from ui.shell.theme import count_text

LARGEST_SIDE = 1024  # pixels of an input: the examination holds three of them and what they become
FIRST = "torchvision/resnet18"
LISTED, IMAGENET, NONE = "Written here", "ImageNet’s 1,000", "No names"
FOUND = "found by running it"
WAYS = ("bilinear", "bicubic", "nearest")
_KEYS = "_new_network"  # raised after each that was added, so that the form begins anew


class Draft(NamedTuple):
    """What the form says now.

    Attributes:
        name: of the network.
        entry: as in `unitscope.toml`, weights apart.
        file: the uploaded one, or None.
        problems: what keeps it from being examined, a sentence each.
    """

    name: str
    entry: dict[str, Any]
    file: Any
    problems: tuple[str, ...]

    @property
    def mark(self) -> str:
        """Tells this draft from one with another file or entry."""
        return added.mark_of(self.file.file_id if self.file else "", self.entry)


def anew() -> None:
    """Empty the form."""
    st.session_state[_KEYS] = st.session_state.get(_KEYS, 0) + 1


def form() -> Draft:
    """Draw the boxes and read them."""
    problems: list[str] = []
    left, right = st.columns(2, gap="large")
    with left:
        file = _file(problems)
        architecture = _architecture()
        name = _name(file)
    spec = _spec(architecture, problems)
    with right:
        classes = _classes(spec, problems)
        stated = _input(spec, problems)
    entry = {"network": architecture, **({"classes": classes} if classes else {}), **stated}
    return Draft(name, entry, file, tuple(problems))


def _key(name: str) -> str:
    return f"new_{name}_{st.session_state.get(_KEYS, 0)}"


def _file(problems: list[str]) -> Any:
    file = st.file_uploader(
        "Weights: a safetensors file",
        type=["safetensors"],
        key=_key("file"),
        max_upload_size=added.LARGEST,
        help="The state dict of the module, as safetensors.torch.save_file writes it. Prefixes that wrappers "
        "leave (module., _orig_mod.) are understood. Such a file cannot hold code; other files are not taken "
        "here.",
    )
    if file is None:
        problems.append("No weights file yet.")
        with st.expander("How to write one"):
            st.code(
                'from safetensors.torch import save_file\nsave_file(model.state_dict(), "birds.safetensors")',
                language="python",
            )
    return file


def _architecture() -> str:
    sources = added.sources()
    source = sources[0]
    if len(sources) > 1:
        source = st.segmented_control(
            "Package of the architecture",
            sources,
            default=source,
            required=True,
            key=_key("source"),
            persist_state="session",
        )
    names = added.architectures(source)
    chosen = st.selectbox(
        "Architecture",
        names,
        index=names.index(FIRST) if FIRST in names else 0,
        key=_key(f"architecture_{source}"),
        persist_state="session",
        format_func=lambda name: name.partition("/")[2],
        help="The one that these weights were trained as. How many classes it has is read off the file.",
    )
    if len(sources) == 1:
        st.caption("torchvision’s; with the package timm beside Unitscope, its architectures are here, too.")
    # A browser may send any text whose last part is that of an architecture.
    return str(chosen) if chosen in names else names[0]


def _name(file: Any) -> str:
    suggested = PurePath(file.name).stem if file else ""
    fits = suggested if suggested and not added.ACTS.unusable(suggested) else ""
    typed = st.text_input(
        "Name",
        key=_key("name"),
        persist_state="session",
        placeholder=fits or "birds",
        help="What it is called here, in addresses and in files. Left empty, it is that of the file.",
    )
    return normal(typed.strip()) or fits


def _spec(architecture: str, problems: list[str]) -> NetworkSpec | None:
    try:
        return networks.find(architecture)
    except UnitscopeError as error:
        problems.append(plain(told(error)))
        return None


def _classes(spec: NetworkSpec | None, problems: list[str]) -> list[str]:
    way = st.segmented_control(
        "Names of its classes",
        (LISTED, IMAGENET, NONE),
        default=LISTED,
        required=True,
        key=_key("ways"),
        persist_state="session",
        help="They tell which class of a data set an output is. Without names its units can be browsed; "
        "relevance, agreement and ablation by class need them.",
    )
    text = st.text_area(
        "One in each line, in the order of the outputs",
        key=_key("classes"),
        placeholder="crane\nowl\nwren",
        height=130,
        disabled=way != LISTED,
        persist_state="session",
    )
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if way == NONE:
        names = []
    elif way == IMAGENET:
        names = list(spec.class_names) if spec else []
        if len(names) != CLASSES:
            problems.append(f"This architecture’s own classes are not {IMAGENET}: choose another way.")
    elif not names:
        problems.append(f"No class is named yet: write them, or choose “{NONE}”.")
    # Always there: what comes and goes would close the box below it.
    counted = count_text(len(names), "class", "classes")
    st.caption(f"{counted}: {plain(names[0])} is the first output." if names else "No names so far.")
    return names


def _input(spec: NetworkSpec | None, problems: list[str]) -> dict[str, Any]:
    """What differs from the architecture's own input."""
    stated: dict[str, Any] = {}
    with st.expander("How pictures were prepared in training"):
        st.caption("Left empty, as the architecture’s own weights have it, which stands in the boxes.")
        own = spec.preprocessing if spec else None
        size = _numbers("Size in pixels", "size", own.size if own else (), problems, whole=True)
        mean = _numbers("Mean per channel, pixels from 0 to 1", "mean", own.mean if own else (), problems)
        std = _numbers("Standard deviation per channel", "std", own.std if own else (), problems)
        way = own.interpolation if own else WAYS[0]
        ways = tuple(dict.fromkeys((way, *WAYS)))
        chosen = st.selectbox(
            "Interpolation", ways, key=_key(f"interpolation_{way}"), persist_state="session"
        )
        head = st.selectbox(
            "Its outputs are",
            (FOUND, *HEADS),
            key=_key("head"),
            persist_state="session",
            help="Logits before a softmax, probabilities after it, or a sigmoid's logits, a class each.",
        )
    if size:
        stated["size"] = [int(one) for one in (size * 2 if len(size) == 1 else size)]
        if len(stated["size"]) != 2 or not 0 < min(size) <= max(size) <= LARGEST_SIDE:
            problems.append(
                f"Size: expected one number, or height and width, up to {LARGEST_SIDE:,} pixels; larger ones "
                "are stated in unitscope.toml."
            )
    stated |= {key: list(numbers) for key, numbers in (("mean", mean), ("std", std)) if numbers}
    if chosen != way:
        stated["interpolation"] = chosen
    if head != FOUND:
        stated["head"] = head
    return stated


def _numbers(
    label: str, key: str, own: Sequence[float], problems: list[str], *, whole: bool = False
) -> tuple[float, ...]:
    """Numbers typed into a box; none where it is empty."""
    typed = st.text_input(
        label, key=_key(key), persist_state="session", placeholder=", ".join(f"{one:g}" for one in own)
    )
    parts = [part for part in re.split(r"[\s,;×x\[\]()]+", typed.strip()) if part]
    try:
        return tuple((int if whole else float)(part) for part in parts)
    except ValueError:
        problems.append(
            f"{label}: “{plain(typed)}” is not made of numbers; write {', '.join(map(str, own))}."
        )
        return ()
