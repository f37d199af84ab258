"""What is asked for a new data set: an archive or a folder on the server, what its folders are, a name."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

import streamlit as st

from interpret_core.uploads.names import normal
from ui.session.datasets import added, candidates
from ui.session.datasets.candidates import Origin
from ui.shell.names import key_of

UPLOAD, FOLDER = "Upload a zip archive", "A folder on the server"
CLASSES, NOTHING = "The class of the pictures in it", "Nothing"
_KEYS = "_new_dataset"  # raised after each that was added, so that the form begins anew


class DatasetDraft(NamedTuple):
    """What the form says now.

    Attributes:
        name: of the data set.
        origin: what it is made of; None where nothing is chosen.
        mark: tells this choice from another.
    """

    name: str
    origin: Origin | None
    mark: str


def anew() -> None:
    """Empty the form."""
    st.session_state[_KEYS] = st.session_state.get(_KEYS, 0) + 1


def form() -> DatasetDraft:
    """Draw the boxes and read them."""
    left, right = st.columns(2, gap="large")
    folders = candidates.folders()
    with left:
        way = _way() if folders else UPLOAD
        file = _file() if way == UPLOAD else None
        folder = _folder(list(folders)) if way == FOLDER else ""
    with right:
        classed = _classed()
        name = _name(PurePath(file.name if file else folder).stem)
    photographs = _photographs(file.file_id if file else folder)
    if file is not None:
        origin = Origin(file.name, file, None, classed, photographs)
        return DatasetDraft(name, origin, added.mark_of(file.file_id, origin))
    if not folder:
        return DatasetDraft(name, None, "")
    origin = Origin(folder, None, folders[folder], classed, photographs)
    return DatasetDraft(name, origin, added.mark_of(folder, origin))


def _key(name: str) -> str:
    return f"new_{name}_{st.session_state.get(_KEYS, 0)}"


def _way() -> str:
    chosen = st.segmented_control(
        "Where the pictures are",
        (UPLOAD, FOLDER),
        default=UPLOAD,
        required=True,
        key=_key("way"),
        persist_state="session",
    )
    return str(chosen)


def _file() -> st.runtime.uploaded_file_manager.UploadedFile | None:
    return st.file_uploader(
        "A zip archive of pictures",
        type=["zip"],
        key=_key("archive"),
        max_upload_size=candidates.LARGEST,
        help="A folder of pictures, a folder for each class, a folder with classes.csv (image,class), or a "
        "data set in Broden’s layout (index.csv, label.csv, images/). Up to 100,000 files and 8 GB unpacked; "
        "what is neither a picture nor a table is left out.",
    )


def _folder(names: list[str]) -> str:
    chosen = st.selectbox(
        "Folder",
        names,
        index=None,
        key=_key("folder"),
        persist_state="session",
        placeholder="choose one",
        help="Folders with pictures or tables at or below those of INTERPRET_DATASETS. Pictures stay where "
        "they are.",
    )
    # A browser may send any text.
    return chosen if chosen in names else ""


def _classed() -> bool:
    chosen = st.segmented_control(
        "What the name of a folder says",
        (CLASSES, NOTHING),
        default=CLASSES,
        required=True,
        key=_key("classed"),
        persist_state="session",
        help="owl/1.jpg shows the class owl, also below train/ and val/. Where index.csv or classes.csv says "
        "what pictures show, that counts.",
    )
    return chosen == CLASSES


def _photographs(what: str) -> bool:
    """Offered where some pictures have been taken for masks of others."""
    key = key_of("all_of_them", what)
    found = added.looked()
    if not st.session_state.get(key) and not (found is not None and found.masks):
        return False
    return st.checkbox(
        "All of them are photographs",
        key=key,
        persist_state="session",
        help="Also those that lie where other people’s masks lie, or are called like masks.",
    )


def _name(suggested: str) -> str:
    fits = suggested if suggested and not added.ACTS.unusable(suggested) else ""
    typed = st.text_input(
        "Name",
        key=_key("dataset_name"),
        persist_state="session",
        placeholder=fits or "for example birds",
        help="What it is called here, in addresses and in files. Left empty, it is that of the archive or "
        "folder.",
    )
    return normal(typed.strip()) or fits
