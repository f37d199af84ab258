"""The Data sets page: a look before anything is registered, an undo, one line for what cannot be taken."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from interpret_core import config, datasets
from interpret_core.errors import UserError
from interpret_core.uploads.datasets import AddedDatasets
from tests.planted_dataset import make_planted
from tests.ui.conftest import _environment
from tests.ui.test_pages import open_page, words
from ui.datasets.form import FOLDER, NOTHING
from ui.session import work
from ui.session.datasets import added, candidates
from ui.session.datasets.candidates import Origin
from ui.session.datasets.sample import PICTURES, sample

CLASSES = ("owl", "wren")


def png(tone: int) -> bytes:
    buffer = io.BytesIO()
    picture = np.random.default_rng(tone).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def classed(count: int = 6) -> dict[str, bytes]:
    """A folder for each class below a folder."""
    return {f"birds/{CLASSES[at % 2]}/{at}.png": png(at) for at in range(count)}


@pytest.fixture
def place(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddedDatasets:
    """An empty folder, on a server that answers to its own machine."""
    _environment(monkeypatch, installation, tmp_path / "cache")
    monkeypatch.setenv("INTERPRET_UPLOADS", str(tmp_path / "uploads"))
    return AddedDatasets(tmp_path / "uploads")


def opened() -> AppTest:
    return open_page("pages/datasets.py", dataset="planted", network="small")


def uploaded(content: bytes, name: str = "birds.zip") -> AppTest:
    """The page with an archive that was looked at."""
    app = opened()
    app.file_uploader[0].set_value((name, content, "application/zip")).run()
    return pressed(app, "look")


def pressed(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run(timeout=120)
    assert not app.exception
    return app


def markup(app: AppTest) -> str:
    return "\n".join(str(node.proto.body) for node in app.get("html"))


@pytest.mark.thorough
@pytest.mark.usefixtures("place")
def test_an_empty_page_says_what_is_missing() -> None:
    app = opened()
    assert not app.exception
    assert app.button(key="look").disabled
    assert "No archive yet." in words(app)
    assert "None yet." in words(app)


def test_an_archive_is_looked_at_registered_removed_and_put_back(place: AddedDatasets) -> None:
    app = uploaded(packed({**classed(), "birds/notes.txt": b"x"}))
    said = words(app).replace("\\", "")
    assert "6 pictures, no annotated pixels" in said
    assert "2 classes: owl (3), wren (3)." in said
    assert "Not taken, since neither pictures nor tables: birds/notes.txt" in said
    assert "nothing suspicious was found" in "".join(one.value for one in app.success)
    assert markup(app).count("data:image/jpeg;base64,") == 6
    assert "birds" not in datasets.known()  # nothing is registered by looking
    pressed(app, "register")
    assert "**birds** is registered" in words(app)
    dataset = datasets.open_dataset("birds", registered_only=True)
    assert datasets.read_classes(dataset).names == CLASSES
    assert not [one for one in dataset.root.rglob("*") if one.is_symlink()]  # an archive's own files
    assert config.current().datasets["birds"].is_relative_to(place.folder)
    assert "has not been profiled" in words(open_page("pages/units.py", dataset="birds", network="small"))

    app = pressed(open_page("pages/datasets.py", dataset="birds", network="small"), "remove_birds")
    assert "birds" not in datasets.known()
    (removed,) = place.removed()
    pressed(app, next(one.key for one in app.button if one.label == "Put back"))
    assert removed not in place.removed()
    assert datasets.open_dataset("birds").digest == dataset.digest


def test_annotated_pictures_are_shown_with_their_labels(place: AddedDatasets, tmp_path: Path) -> None:
    root = tmp_path / "planted"
    make_planted(root, images=12, size=32, annotation=16)
    files = {f.relative_to(root.parent).as_posix(): f.read_bytes() for f in root.rglob("*") if f.is_file()}
    app = uploaded(packed(files), "shapes.zip")
    assert "annotated pixel by pixel with" in words(app)
    html = markup(app)
    assert html.count("data:image/jpeg;base64,") == PICTURES
    drawn = sample(datasets.open_dataset(root))
    assert all(patch.name in html for one in drawn for patch in one.patches[:4])
    assert any(patch.colour for one in drawn for patch in one.patches)
    assert "most frequent" in html
    pressed(app, "register")
    assert datasets.open_dataset("shapes").digest == datasets.open_dataset(root).digest
    assert place.tables()["shapes"].origin == "shapes.zip"


def test_a_folder_on_the_server_stays_where_it_is(
    place: AddedDatasets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "sets"
    for name, content in classed().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    monkeypatch.setenv("INTERPRET_DATASETS", str(root))
    app = opened()
    app.button_group(key="new_way_0").set_value(FOLDER).run()
    app.selectbox(key="new_folder_0").set_value("sets/birds").run()
    pressed(pressed(app, "look"), "register")
    dataset = datasets.open_dataset("birds")
    assert datasets.read_classes(dataset).names == CLASSES
    links = [one for one in dataset.root.rglob("*.png") if one.is_symlink()]
    assert {one.resolve() for one in links} == set(root.rglob("*.png"))
    pressed(opened(), "remove_birds")
    assert len(list(root.rglob("*.png"))) == 6


def test_no_other_folder_can_be_chosen(
    place: AddedDatasets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser may send any text."""
    for name in ("sets", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(png(1))
    monkeypatch.setenv("INTERPRET_DATASETS", str(tmp_path / "sets"))
    assert list(candidates.folders()) == ["sets"]
    added.look("mark", Origin("secret", None, tmp_path / "secret", True), lambda *_: None)
    found = added.looked()
    assert found is not None
    assert found.staged is None
    assert "not among those on the server" in found.problem
    assert not list(place.folder.glob("files/*"))


def test_folders_are_no_classes_where_that_is_said(place: AddedDatasets) -> None:
    app = opened()
    app.file_uploader[0].set_value(("birds.zip", packed(classed()), "application/zip")).run()
    app.button_group(key="new_classed_0").set_value(NOTHING).run()
    pressed(pressed(app, "look"), "register")
    assert datasets.open_dataset("birds").classes_table is None
    assert len(place.tables()) == 1


REFUSED = {  # a kind each of the archive, of how its folders lie, and of its tables; more stand beside those
    "parent": (packed({"../1.png": png(1)}), "leads out of it"),
    "masks": (packed({"images/1.png": png(1), "masks/1.png": png(2)}), "interpret_core import masks"),
    "table": (packed({"index.csv": b"image\n\xff\n", "label.csv": b"", "images/1.png": png(1)}), "UTF-8"),
    "empty files": (packed({f"owl{at}/{at}.png": b"" for at in range(3)}), "None of the 3 pictures"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_is_one_line_and_leaves_nothing(place: AddedDatasets, kind: str) -> None:
    content, why = REFUSED[kind]
    app = uploaded(content)
    (said,) = [one.value.replace("\\", "") for one in app.error]
    assert why in said
    assert str(place.folder) not in said
    assert not [one for one in app.button if one.key == "register"]
    assert not list(place.folder.glob("files/*"))
    assert not list(place.folder.parent.parent.rglob("1.png"))


@pytest.mark.parametrize("name", ["pictures.zip", "archive.zip", "..zip", ".zip", f"{'x' * 240}.zip"])
def test_any_name_of_an_archive_will_do(place: AddedDatasets, name: str) -> None:
    origin = Origin(name, io.BytesIO(packed(classed())), None, True)
    staged = candidates.stage(place, origin, lambda *_: None)
    assert len(staged.dataset) == 6
    assert staged.place is not None
    assert staged.dataset.root.is_relative_to(staged.place)


def test_masks_are_photographs_where_somebody_says_so(place: AddedDatasets) -> None:
    app = uploaded(packed({"images/1.png": png(1), "masks/2.png": png(2)}))
    assert "import masks" in app.error[0].value
    (box,) = [one for one in app.checkbox if one.label == "All of them are photographs"]
    box.check().run()
    pressed(app, "look")
    assert "2 pictures" in words(app)
    assert place.tables() == {}


def test_a_table_of_classes_that_cannot_be_read_is_told(place: AddedDatasets) -> None:
    app = uploaded(packed({"classes.csv": b"image;class\n1.png;owl\n", "1.png": png(1)}))
    assert "semicolon" in app.warning[0].value
    assert "units are labelled by classes" not in words(app)
    assert "birds.zip" in app.warning[0].value.replace("\\", "") or "classes.csv" in app.warning[0].value
    assert place.tables() == {}


def test_only_one_is_looked_at_at_a_time(place: AddedDatasets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(added, "PATIENCE", 0.01)
    with added._alone():
        app = uploaded(packed(classed()))
    assert "Another data set is being looked at" in app.error[0].value
    assert not list(place.folder.glob("files/*"))


def test_names_are_text_and_nothing_else(place: AddedDatasets) -> None:
    """Of files, classes and archives: shown letter by letter."""
    odd = "<img src=x onerror=alert(1)>"
    app = uploaded(packed({f"{odd}/1.png": png(1), "owl/2.png": png(2), f"{odd}.exe": b"x"}), f"{odd}.zip")
    assert odd not in markup(app)
    assert "&lt;img src=x" in markup(app)
    assert place.tables() == {}


def test_what_was_staged_goes_with_the_archive(place: AddedDatasets) -> None:
    app = uploaded(packed(classed()))
    assert len(list(place.folder.glob("files/*"))) == 1
    app.file_uploader[0].set_value([]).run()
    assert not app.exception
    assert not list(place.folder.glob("files/*"))


def test_another_choice_asks_for_another_look(place: AddedDatasets) -> None:
    app = uploaded(packed(classed()))
    app.button_group(key="new_classed_0").set_value(NOTHING).run()
    assert "press “Look at it” again" in words(app)
    assert not [one for one in app.button if one.key == "register"]
    assert place.tables() == {}


def test_damaged_pictures_are_named_without_the_servers_folders(place: AddedDatasets) -> None:
    app = uploaded(packed({**classed(), f"birds/{CLASSES[0]}/broken.png": png(9)[:300]}))
    said = words(app).replace("\\", "")
    assert f"Left out: {CLASSES[0]}/broken.png: image {CLASSES[0]}/broken.png cannot be decoded" in said
    assert str(place.folder) not in said
    assert app.success[0].value.startswith("All that is not left out was read")
    pressed(app, "register")
    assert "6 pictures · classes, no annotated pixels · from birds.zip" in words(app)


def test_a_name_that_is_taken_cannot_be_registered(place: AddedDatasets) -> None:
    app = uploaded(packed(classed()), "planted.zip")
    assert app.button(key="register").disabled
    app.text_input(key="new_dataset_name_0").set_value("kites").run()
    pressed(app, "register")
    assert list(place.tables()) == ["kites"]


def test_many_pictures_are_looked_through_when_asked(
    place: AddedDatasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.datasets.steps.AT_ONCE", 4)
    app = uploaded(packed(classed()))
    assert not app.success
    pressed(app, "check_dataset")
    assert "nothing suspicious" in app.success[0].value
    assert place.tables() == {}


def test_a_job_that_needs_the_name_keeps_it(place: AddedDatasets, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place.new_place(0)
    place.register("birds", folder, "birds.zip")
    told = "A job that waits or runs needs the name birds"
    monkeypatch.setattr(
        work, "needed", lambda kind, name: told if (kind, name) == ("dataset", "birds") else ""
    )
    with pytest.raises(UserError, match=told):
        added.ACTS.remove("birds")
    assert opened().button(key="remove_birds").disabled


def test_where_nothing_may_be_added_the_page_says_so(
    place: AddedDatasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERPRET_UPLOADS", "0")
    app = opened()
    assert not app.exception
    assert not app.get("file_uploader")
    assert "switched off" in app.info[0].value
    assert not place.folder.exists()
    assert os.environ["INTERPRET_UPLOADS"] == "0"
