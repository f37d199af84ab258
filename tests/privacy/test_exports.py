"""Nothing that leaves says where, when and by whom a photograph was taken, or in whose folder it lies."""

from __future__ import annotations

import ast
import csv
import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlencode

import pytest
import typer
from starlette.requests import Request
from starlette.responses import Response

import interpret_core as ic
from interpret_core.api import results as api
from interpret_core.cli import main
from interpret_core.cli.app import app
from interpret_core.privacy import VARIABLE
from tests.privacy.planted import PICTURE, Private, found_in, make_private
from tests.slow import some_slow
from ui.server import routes

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "privacy.md"
# Every command that writes for others, with what it is asked for here; None: why it is not tried.
COMMANDS = {
    "profile": "--network N --dataset D --min-images 1 --permutations 5 --out FILE",
    "survey": "--dataset D --out FILE",
    "evaluate": "--network N --dataset D --out FILE",
    "relevance": "--network N --dataset D --split all --out FILE",
    "agreement": "--network N --dataset D --split all --out FILE",
    "ablate": "--network N --dataset D --layers all --fractions 0,0.5 --out FILE",
    "grid": "--network N --dataset D --out FILE",
    "specialise": "--network N --dataset D --class red --layers all --out FILE",
    "effects": "--network N --dataset D --out FILE",
    "image-labels": "--network N --dataset D --layers all --permutations 5 --out FILE",
    "estimate": "--network N --dataset D --seconds 1 --analyses survey,profile --out FILE",
    "datasets": "check D --json",
    "networks": "check N --json",
    "doctor": "--json",
    "reproduce broden-totals": "--dataset D --published TOTALS --out FILE",
    "reproduce paper": None,  # minutes; tests/cli/test_reproduce.py looks for folders in all its files
    "bench profile": None,  # times and sizes
    "bench relevance": None,
    "bench ablation": None,
    "bench workers": None,
}
QUICK = ("profile", "relevance", "datasets", "networks", "doctor", "reproduce broden-totals")
NAMELESS = (
    "agreement",
    "ablate",
    "grid",
    "specialise",
    "effects",
    "networks",
    "doctor",
)  # as the document says
WRITING = {"out", "as_json", "json_file"}  # parameters of commands that write for others
# Tables that pages save: whether they name pictures, and so have the box.
SAVED = {
    "ui/ablation/flips.py": True,
    "ui/relevance/tables.py": True,
    "ui/ablation/losses.py": False,
    "ui/ablation/matrix.py": False,
    "ui/ablation/networks.py": False,
    "ui/ablation/specialised.py": False,
    "ui/agreement/parts.py": False,
    "ui/components/chart/chart.py": False,
    "ui/concepts/concept_table.py": False,
    "ui/concepts/image_labels.py": False,
    "ui/relevance/heat_maps.py": False,
    "ui/relevance/ranked.py": False,
    "ui/shared_units/parts.py": False,
}


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Private:
    """Photographs of somebody's own, and an installation that knows them by a name as well."""
    found = make_private(tmp_path)
    stated = f'[datasets]\nkitchen = "{found.root}"\n[networks]\nmine = "{found.network}"\n'
    (tmp_path / "unitscope.toml").write_text(stated)
    for name, value in (
        ("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml")),
        ("INTERPRET_CACHE", str(tmp_path / "cache")),
        ("INTERPRET_DATASETS", ""),
        ("INTERPRET_DEMO", "0"),
        ("INTERPRET_OFFLINE", "1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "totals.csv").write_text("concept,pixels\nred,3328\n")
    return found


def written(
    private: Private, command: str, ending: str, capsys: pytest.CaptureFixture[str], *more: str
) -> bytes:
    """What a command writes for others."""
    file = private.out / f"{command.replace(' ', '-')}{len(more)}{ending}"
    words = {"N": private.network, "D": str(private.root), "FILE": str(file)}
    words["TOTALS"] = str(private.root.parents[2] / "totals.csv")
    asked = COMMANDS[command]
    assert asked is not None
    capsys.readouterr()
    status = main([*command.split(), *(words.get(one, one) for one in shlex.split(asked)), *more])
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    return file.read_bytes() if "FILE" in asked else said.out.encode()


def test_the_planted_photographs_say_it_all(private: Private) -> None:
    """Else nothing that is not found below would mean anything."""
    jpeg, png = ((private.root / "images" / f"{PICTURE}-{name}").read_bytes() for name in ("0.jpg", "1.png"))
    assert found_in(jpeg) == ["Erika-Artist", "Comment-Leak", "Xmp-Leak", "Gps-Place", "Exif"]
    assert found_in(png) == ["Erika-Artist", "Xmp-Leak", "Png-Leak", "Gps-Place"]


@pytest.mark.parametrize("command", some_slow([one for one, how in COMMANDS.items() if how], QUICK))
def test_files_hold_no_folder_and_without_pictures_no_name_of_one(
    command: str, private: Private, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = str(private.root.parents[2])
    endings = (".json", ".csv") if "FILE" in str(COMMANDS[command]) else (".json",)
    for ending in endings:
        told = written(private, command, ending, capsys)
        assert found_in(told, folders) == []
        if command not in ("networks", "doctor"):
            assert found_in(written(private, command, ending, capsys, "--no-pictures"), PICTURE) == []
    told = written(private, command, ".json", capsys)
    if command in NAMELESS:
        assert found_in(told, PICTURE) == []
    if command in ("profile", "relevance", "datasets"):
        assert found_in(told, PICTURE), "without the option, they are named"
    if command in ("profile", "relevance"):
        assert json.loads(told)["metadata"]["network"]["name"] == "tests.cli.networks:named@red.safetensors"
        assert json.loads(told)["metadata"]["dataset"]["name"] == "kitchen"


def test_numbers_stand_for_pictures(private: Private, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever has the data set finds them by these; the numbers of all else are the same."""
    named, unnamed = (
        json.loads(written(private, "relevance", ".json", capsys, *more)) for more in ((), ("--no-pictures",))
    )
    with (private.root / "index.csv").open(newline="") as file:
        rows = [row["image"] for row in csv.DictReader(file)]
    for one, other in zip(named["metadata"]["classes"], unnamed["metadata"]["classes"], strict=True):
        assert [rows[int(number.removeprefix("#"))] for number in other["images"]] == one["images"]
        assert [pair[0] for pair in other["left_out"]] == [
            f"#{rows.index(pair[0])}" for pair in one["left_out"]
        ]
    assert named["records"] == unnamed["records"]


def test_an_installation_that_lets_no_picture_leave(
    private: Private, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    assert found_in(written(private, "relevance", ".json", capsys), PICTURE) == []
    found = ic.evaluate(private.network, private.root)
    assert found_in(found.to_html(pictures=True).encode(), PICTURE, "data:image") == []


def test_a_notebook_s_result(private: Private) -> None:
    found = ic.profile(private.network, private.root, min_images=1, permutations=0)
    folders = str(private.root.parents[2])
    html = found.to_html()
    assert "data:image/png" in html
    assert found_in(html.encode(), folders) == []
    shown = found_in(found.to_html(pictures=False).encode(), folders, PICTURE, "data:image")
    assert shown == []
    for text in (repr(found), json.dumps(found.description), found.to_frame().to_csv()):
        assert found_in(text.encode(), folders) == []


def answered(route: str, query: dict[str, object], **path: object) -> Response:
    """What a route answers."""
    handlers = {"photo": routes.photo, "thumb": routes.thumbnail, "download": routes.download}
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "query_string": urlencode(query).encode(),
        "path_params": path,
    }
    return routes._guarded(handlers[route])(Request(scope))


def test_pages_hand_out_pixels_and_their_own_names(
    private: Private, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a result that somebody has computed by the names of their own folders."""
    written(private, "profile", ".json", capsys)
    view = {"network": "mine", "dataset": "kitchen", "layer": "conv1", "min_images": 1}
    folders = str(private.root.parents[2])
    for image in (0, 1):
        answer = answered("photo", {"dataset": "kitchen"}, image=image)
        assert (answer.status_code, found_in(bytes(answer.body), folders)) == (200, [])
    assert answered("photo", {"dataset": "kitchen"}, image=13).status_code == 404  # damaged
    assert found_in(bytes(answered("thumb", view, unit=0).body), folders) == []
    for kind in ("layer.csv", "layer.json", "unit.json"):
        answer = answered("download", {**view, "unit": 0}, kind=kind)
        told = bytes(answer.body)
        assert (answer.status_code, found_in(told, folders)) == (200, [])
        assert b"mine" in told
        assert found_in(bytes(answered("download", {**view, "pictures": 0}, kind=kind).body), PICTURE) == []
    assert found_in(told, PICTURE), "without the box, they are named"


def listed() -> set[str]:
    """What the document lists: whatever stands in backticks in the first column of its tables."""
    rows = re.findall(r"^\| (.+?) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return {one for row in rows for one in re.findall(r"`([^`]+)`", row)}


def test_every_command_that_writes_is_tried_and_documented() -> None:
    def writing(group: typer.core.TyperGroup, before: str = "") -> set[str]:
        found = set()
        for name, one in group.commands.items():
            if hasattr(one, "commands"):
                found |= writing(one, f"{before}{name} ")
            elif WRITING & {parameter.name for parameter in one.params}:
                found.add(f"{before}{name}")
        return found

    there = writing(typer.main.get_command(app))
    assert there == set(COMMANDS)
    assert there <= listed()


def test_every_address_that_answers_is_documented() -> None:
    paths = {re.sub(r"\{.*", "", one.path.removeprefix("/api/")) for one in routes.routes()}
    assert {path.strip("/") for path in paths} <= {one.strip("/") for one in listed()}


def test_every_table_that_a_page_saves_is_known() -> None:
    """A new one: does it name pictures? Then it has the box."""
    found = {}
    for path in (ROOT / "ui").rglob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {ast.unparse(one) for one in calls}
        if names & {"saves", "saves.saves"}:
            found[path.relative_to(ROOT).as_posix()] = "names_leave" in names
    assert found == SAVED


def test_everything_that_a_notebook_can_pass_on_is_documented() -> None:
    kinds = (api.Result, api.ProfileResult, api.RelevanceResult)
    public = {name for kind in kinds for name in dir(kind) if not name.startswith("_")}
    passing = {f"{name}()" for name in public if name.startswith(("to_", "plot", "open", "save"))}
    assert "to_html()" in passing
    assert passing | {"rows()", "description", "facts"} <= listed()
