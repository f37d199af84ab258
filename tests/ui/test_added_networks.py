"""The Networks page: a form that says what is missing, an examination, a network, and an undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

from interpret_core import config, networks
from interpret_core.errors import UserError
from interpret_core.networks.torchvision_ops import classifiers
from interpret_core.uploads.networks import AddedNetworks
from tests.slow import slow, some_slow, thorough_beyond
from tests.ui.conftest import _environment
from tests.ui.test_pages import open_page, words
from ui.networks.form import LISTED, NONE
from ui.session import work
from ui.session.networks import added

MODEL = "torchvision/squeezenet1_1"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small architecture of three classes, with the prefix that a wrapper leaves."""
    torch.manual_seed(3)
    state = classifiers().get_model("squeezenet1_1", weights=None, num_classes=3).state_dict()
    file = tmp_path_factory.mktemp("weights") / "birds.safetensors"
    save_file({f"module.{name}": one for name, one in state.items()}, file)
    return file


@pytest.fixture
def uploads(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddedNetworks:
    """An empty folder, on a server that answers to its own machine."""
    _environment(monkeypatch, installation, tmp_path / "cache")
    monkeypatch.setenv("INTERPRET_UPLOADS", str(tmp_path / "uploads"))
    return AddedNetworks(tmp_path / "uploads")


def filled(file: Path, classes: str, name: str = "", model: str = MODEL) -> AppTest:
    """The page with a filled form."""
    app = open_page("pages/networks.py", dataset="planted", network="small")
    app.file_uploader[0].set_value((file.name, file.read_bytes(), "application/octet-stream")).run()
    app.selectbox(key="new_architecture_torchvision_0").set_value(model).run()
    app.text_area(key="new_classes_0").set_value(classes).run()
    if name:
        app.text_input(key="new_name_0").set_value(name).run()
    return app


def pressed(app: AppTest, key: str) -> AppTest:
    """The same with a button pressed."""
    app.button(key=key).click().run(timeout=120)
    assert not app.exception
    return app


@pytest.mark.usefixtures("uploads")
def test_an_empty_form_says_what_is_missing() -> None:
    app = open_page("pages/networks.py", dataset="planted", network="small")
    assert not app.exception
    assert app.button(key="examine_file").disabled
    assert "No weights file yet." in words(app)
    assert "No class is named yet" in words(app)
    assert "None yet." in words(app)


def test_a_file_is_examined_registered_removed_and_put_back(uploads: AddedNetworks, weights: Path) -> None:
    app = pressed(filled(weights, "crane\nowl\nwren\n"), "examine_file")
    assert "3 outputs, 3 names, read as logits" in words(app)
    assert uploads.tables() == {}  # nothing is registered by examining
    pressed(app, "register")
    assert "**birds** is registered" in words(app)
    assert config.current().networks["birds"].classes == ("crane", "owl", "wren")
    assert networks.load("birds").class_names == ("crane", "owl", "wren")
    # The examination is kept for the network: the unit browser need not load it again.
    units = open_page("pages/units.py", dataset="planted", network="birds")
    assert not units.exception
    assert "have not been profiled" in words(units) or "has not been profiled" in words(units)

    app = open_page("pages/networks.py", dataset="planted", network="birds")
    pressed(app, "remove_birds")
    assert "birds" not in networks.known()
    assert "network" not in app.query_params or app.query_params["network"] != ["birds"]
    (removed,) = uploads.removed()
    pressed(app, next(one.key for one in app.button if one.label == "Put back"))
    assert removed not in uploads.removed()
    assert "birds" in networks.known()


@pytest.mark.thorough
def test_names_that_do_not_count_like_the_outputs_are_refused(uploads: AddedNetworks, weights: Path) -> None:
    app = pressed(filled(weights, "crane\nowl"), "examine_file")
    assert [one.value.replace("\\", "") for one in app.error] == [
        "The weights have 3 outputs, but 2 classes are named: name one for each output, in their order."
    ]
    assert not [one for one in app.button if one.key == "register"]
    app.text_area(key="new_classes_0").set_value("crane\nowl\nwren").run()
    assert "press “Examine” again" in words(app)
    assert uploads.tables() == {}


@pytest.mark.thorough
def test_weights_of_another_architecture_are_named_and_not_kept(
    uploads: AddedNetworks, weights: Path
) -> None:
    app = pressed(filled(weights, "crane\nowl\nwren", model="torchvision/alexnet"), "examine_file")
    (line,) = [one.value for one in app.error]
    assert "is of another architecture than torchvision/alexnet" in line
    assert str(uploads.folder) not in line.replace("\\", "")  # a colleague need not know where it lies
    assert not list((uploads.folder / ".staged").iterdir())


def test_a_pickle_is_never_read(uploads: AddedNetworks, weights: Path, tmp_path: Path) -> None:
    """Whatever its name says: what unpickling would run leaves a trace."""
    trace = tmp_path / "trace"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (trace,)

    file = tmp_path / "evil.safetensors"
    torch.save({"weight": torch.zeros(1), "evil": Evil()}, file)
    app = pressed(filled(file, "crane\nowl\nwren"), "examine_file")
    (line,) = [one.value for one in app.error]
    assert "was written by torch.save" in line
    assert not trace.exists()


@pytest.mark.parametrize(
    "content", some_slow([b"", b"\x10\0\0\0\0\0\0\0{}", b"{}", b"\xff" * 64, b"<html>"], (b"",))
)
def test_damaged_files_are_one_line(uploads: AddedNetworks, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "birds.safetensors"
    file.write_bytes(content)
    app = pressed(filled(file, "crane\nowl\nwren"), "examine_file")
    assert len(app.error) == 1
    assert "internal" not in app.error[0].value.lower()


@pytest.mark.thorough
def test_a_name_that_is_taken_cannot_be_registered(uploads: AddedNetworks, weights: Path) -> None:
    app = pressed(filled(weights, "crane\nowl\nwren", name="small"), "examine_file")
    assert app.button(key="register").disabled
    assert "The name 'small' is taken" in words(app).replace("\\", "")
    app.text_input(key="new_name_0").set_value("kites").run()  # no other examination for another name
    pressed(app, "register")
    assert list(uploads.tables()) == ["kites"]


def test_numbers_that_are_none_are_told_and_others_are_part_of_the_network(
    uploads: AddedNetworks, weights: Path
) -> None:
    app = filled(weights, "crane\nowl\nwren")
    app.text_input(key="new_mean_0").set_value("half").run()
    assert app.button(key="examine_file").disabled
    assert "is not made of numbers" in words(app)
    app.text_input(key="new_mean_0").set_value("0.5, 0.4 0.3").run()
    app.text_input(key="new_size_0").set_value("96×128").run()
    pressed(pressed(app, "examine_file"), "register")
    preprocessing = networks.find("birds").preprocessing
    assert (preprocessing.mean, preprocessing.size) == ((0.5, 0.4, 0.3), (96, 128))


@pytest.mark.thorough
def test_a_box_that_cannot_be_read_keeps_the_network_from_being_registered(
    uploads: AddedNetworks, weights: Path
) -> None:
    """What is left out of the entry would be the architecture's own: another network than is meant."""
    app = pressed(filled(weights, "crane\nowl\nwren"), "examine_file")
    assert [one for one in app.button if one.key == "register"]
    app.text_input(key="new_mean_0").set_value("0.5, 0.5, o.5").run()
    assert not [one for one in app.button if one.key == "register"]
    app.text_input(key="new_mean_0").set_value("").run()
    app.text_area(key="new_classes_0").set_value("").run()
    assert not [one for one in app.button if one.key == "register"]
    assert uploads.tables() == {}


@pytest.mark.thorough
def test_only_known_architectures_are_built(uploads: AddedNetworks, weights: Path, tmp_path: Path) -> None:
    """A browser may send any text; no module is imported for it."""
    trace = tmp_path / "trace"
    (tmp_path / "innocent.py").write_text(f"open({str(trace)!r}, 'w')")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        app = filled(weights, "crane\nowl\nwren")
        app.selectbox(key="new_architecture_torchvision_0").set_value("innocent:x/resnet18").run()
        assert not app.exception
        for entry in ({"network": "innocent:x/resnet18"}, {"network": "torchvision/resnet18@/etc/x.pth"}, {}):
            with pytest.raises(UserError, match="no architecture"):
                added.check_allowed(entry)
    assert not trace.exists()


@thorough_beyond(1)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        slow(lambda one: (one * 100).to(torch.int8), "of another type"),
        (lambda one: one > 0, "of another type"),
        slow(lambda one: one.to(torch.complex64), "of another type"),
        (lambda one: one * float("nan"), "not finite"),
        slow(lambda one: one[:0], "another architecture"),
    ],
)
def test_weights_that_are_none_are_refused(
    uploads: AddedNetworks,
    weights: Path,
    tmp_path: Path,
    change: Callable[[torch.Tensor], torch.Tensor],
    told: str,
) -> None:
    file = tmp_path / "birds.safetensors"
    save_file({name: change(one) for name, one in load_file(weights).items()}, file)
    app = pressed(filled(file, "crane\nowl\nwren"), "examine_file")
    assert told in app.error[0].value
    assert not [one for one in app.button if one.key == "register"]
    assert uploads.tables() == {}


@pytest.mark.parametrize(
    "size", some_slow(["1000000000", str(10**30), "0", "-5", "1,2,3", "30000"], ("0", "30000"))
)
def test_sizes_that_no_memory_holds_are_refused(uploads: AddedNetworks, weights: Path, size: str) -> None:
    app = filled(weights, "crane\nowl\nwren")
    app.text_input(key="new_size_0").set_value(size).run()
    assert not app.exception
    assert app.button(key="examine_file").disabled
    assert not uploads.folder.exists()


@pytest.mark.parametrize(
    ("mean", "std"), [("1e38", ""), slow("", "1e-320"), ("", "0"), slow("0.5", ""), slow("nan", "")]
)
def test_means_that_spoil_every_picture_are_refused(
    uploads: AddedNetworks, weights: Path, mean: str, std: str
) -> None:
    app = filled(weights, "crane\nowl\nwren")
    app.text_input(key="new_mean_0").set_value(mean).run()
    app.text_input(key="new_std_0").set_value(std).run()
    pressed(app, "examine_file")
    assert len(app.error) == 1
    assert not list((uploads.folder / ".staged").iterdir())


@pytest.mark.usefixtures("uploads")
def test_typed_classes_stay_while_another_way_is_tried(weights: Path) -> None:
    app = filled(weights, "crane\nowl\nwren")
    ways = app.button_group(key="new_ways_0")
    ways.set_value(NONE).run()
    app.button_group(key="new_ways_0").set_value(LISTED).run()
    assert app.text_area(key="new_classes_0").value == "crane\nowl\nwren"


def test_a_job_that_needs_the_name_keeps_it(uploads: AddedNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the page was drawn before the job was asked for."""
    uploads.register(uploads.stage(b"", "a.safetensors"), "birds", {"network": MODEL})
    told = "A job that waits or runs needs the name birds"
    monkeypatch.setattr(
        work, "needed", lambda kind, name: told if (kind, name) == ("network", "birds") else ""
    )
    with pytest.raises(UserError, match="A job that waits or runs needs the name birds"):
        added.ACTS.remove("birds")
    monkeypatch.undo()


def test_a_server_for_others_says_what_to_do(uploads: AddedNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_UPLOADS", "0")
    app = open_page("pages/networks.py", dataset="planted", network="small")
    assert not app.exception
    assert not app.get("file_uploader")
    assert "switched off" in app.info[0].value
