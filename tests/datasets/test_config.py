from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from interpret_core import config
from interpret_core.errors import UserError


def test_defaults_are_the_working_folder(tmp_path: Path) -> None:
    found = config.current({})
    assert found.cache == tmp_path / "cache"
    assert found.datasets == {}
    assert found.networks == {}
    assert not found.offline


def test_environment_and_file_together(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    file = folder / "mine.toml"
    file.write_text(
        '[datasets]\nnear = "data/near"\nfar = "/srv/far"\nscenes = "/srv/wins"\n'
        '[networks]\ntoy = "toys:make"\ntrained = "toys:make@weights/toy.safetensors"\n'
        'baseline = "torchvision/alexnet@random"\n'
    )
    found = config.current(
        {
            "INTERPRET_CONFIG": str(file),
            "INTERPRET_CACHE": "elsewhere",
            "INTERPRET_OFFLINE": "1",
            "INTERPRET_DATASETS": os.pathsep.join(["/srv/listed", str(tmp_path / "scenes"), ""]),
        }
    )
    assert found.cache == tmp_path / "elsewhere"
    assert found.offline
    assert found.datasets == {
        "listed": Path("/srv/listed"),
        "near": folder / "data/near",
        "far": Path("/srv/far"),
        "scenes": Path("/srv/wins"),
    }
    assert {name: table.network for name, table in found.networks.items()} == {
        "toy": "toys:make",
        "trained": f"toys:make@{folder / 'weights/toy.safetensors'}",
        "baseline": "torchvision/alexnet@random",
    }


def test_the_file_in_the_working_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "unitscope.toml").write_text('[datasets]\nhere = "."\n')
    assert config.current({}).datasets == {"here": tmp_path}


def test_the_environment_is_read_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_OFFLINE", "yes")
    assert config.current().offline
    monkeypatch.setenv("INTERPRET_OFFLINE", "0")
    assert not config.current().offline


def test_a_config_travels_to_another_process() -> None:
    found = config.current({"INTERPRET_DATASETS": "/srv/listed", "INTERPRET_OFFLINE": "1"})
    assert pickle.loads(pickle.dumps(found)) == found


def test_classes_for_all_networks_and_for_one(tmp_path: Path) -> None:
    (tmp_path / "unitscope.toml").write_text(
        '[classes]\ncat = ["tabby", 282, "283-285"]\nkite = []\n'
        '[classes."torchvision/alexnet"]\ncat = ["tiger cat"]\ndog = [1]\n'
    )
    found = config.current({})
    assert found.classes_for("mine") == {"cat": ("tabby", 282, "283-285"), "kite": ()}
    assert found.classes_for("torchvision/alexnet") == {"cat": ("tiger cat",), "kite": (), "dog": (1,)}
    assert pickle.loads(pickle.dumps(found)) == found
    assert config.current({"INTERPRET_CONFIG": ""}).classes_for("") == {**found.classes[""]}


def test_a_config_cannot_be_changed(tmp_path: Path) -> None:
    (tmp_path / "unitscope.toml").write_text("[classes]\ncat = [1]\n")
    found = config.current({})
    with pytest.raises(TypeError):
        found.classes[""]["cat"] = ()  # type: ignore[index]
    with pytest.raises(AttributeError):
        found.offline = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.datasets["x"] = Path()  # type: ignore[index]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[datasets\n", ["not valid TOML", "line 1"]),
        ("[datasets]\nmine = 3\n", ["mine is 3", "text"]),
        ('[datasets]\nmine = " "\n', ["mine", "non-empty"]),
        ("datasets = 3\n", ["expected a table"]),
        ('[dataset]\nmine = "x"\n', ["'dataset'", "[datasets], [networks] and [classes]"]),
        ("classes = 3\n", ["classes is 3", "expected a table"]),
        ('[classes]\ncat = "tabby"\n', ["cat is 'tabby'", "a list of output names"]),
        ("[classes]\ncat = [true]\n", ["cat is [True]", "a list of output names"]),
        ("[classes]\ncat = [1.5]\n", ["cat is [1.5]"]),
        ("[classes.net]\ncat = 3\n", ["cat is 3"]),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, content: str, words: list[str]) -> None:
    (tmp_path / "unitscope.toml").write_text(content)
    with pytest.raises(UserError) as caught:
        config.current({})
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "unitscope.toml") in message
    assert all(word in message for word in words)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "unitscope.toml").write_bytes(b"\xff\xfe[")
    with pytest.raises(UserError, match="not valid TOML"):
        config.current({})


def test_a_named_file_must_exist() -> None:
    with pytest.raises(UserError, match=r"nowhere\.toml, which is not a file"):
        config.current({"INTERPRET_CONFIG": "nowhere.toml"})


def test_offline_must_be_a_switch() -> None:
    with pytest.raises(UserError, match="INTERPRET_OFFLINE is 'maybe', expected 1 or 0"):
        config.current({"INTERPRET_OFFLINE": "maybe"})


def test_two_listed_folders_of_one_name() -> None:
    with pytest.raises(UserError, match="different names"):
        config.current({"INTERPRET_DATASETS": os.pathsep.join(["/a/scenes", "/b/scenes"])})


def test_a_listed_folder_s_name_is_text() -> None:
    """It stands on pages and in addresses, which hold no bytes that are none."""
    folder = os.fsdecode(b"/srv/caf\xe9")
    found = config.current({"INTERPRET_DATASETS": folder})
    assert found.datasets == {r"caf\udce9": Path(folder)}
