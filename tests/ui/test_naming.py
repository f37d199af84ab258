"""Keys, file names and lists of names, whatever the names hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from starlette.applications import Starlette

from tests.slow import some_slow
from tests.ui import odd_names
from tests.ui.asgi import get
from tests.ui.test_pages import open_page
from ui.server import routes
from ui.session import relevances, results
from ui.shell import lists
from ui.shell.names import file_stem, key_of, unlike
from ui.shell.sidebar import Ask

ROOT = Path(__file__).resolve().parents[2]
TRICKY = some.text(some.sampled_from("ab_-,\\:/ .%#$é🙂\ud800\n\"'"), max_size=12)
NAMES = some.one_of(some.text(max_size=40), TRICKY)


@given(some.lists(NAMES.filter(str.strip), max_size=6))
@example(["a,b", "a\\", "\\,", ",", "\\"])
def test_lists_come_back_as_they_were(names: list[str]) -> None:
    assert lists.split(lists.joined(names)) == names


def test_a_list_of_old_reads_as_before() -> None:
    assert lists.split("conv1,conv2,,demo/vgg11@x") == ["conv1", "conv2", "demo/vgg11@x"]
    assert lists.split("") == lists.split(" , ") == []
    assert lists.split(r"a\b") == [r"a\b"]


@given(some.lists(NAMES, min_size=1, max_size=3), some.lists(NAMES, min_size=1, max_size=3))
@example(["a", "b_c"], ["a_b", "c"])
@example(["a", ""], ["a"])
@example(["a:1:b"], ["a", "b"])
@example(["Net"], ["net"])
def test_other_names_are_other_keys(one: list[str], other: list[str]) -> None:
    keys = key_of("heat", *one), key_of("heat", *other)
    assert (keys[0] == keys[1]) == (one == other)
    for key in keys:
        assert re.fullmatch("heat_[A-Za-z0-9]+([_-][A-Za-z0-9]+)*", key)
        assert "__" not in key
        assert len(key) < 80


@pytest.mark.parametrize("name", ["classy", "classy_other", "efficientnet-lite0"])
def test_an_ordinary_name_can_be_read_in_its_key(name: str) -> None:
    assert key_of("heat", name) == f"heat_{name}"


def test_no_kind_of_key_begins_like_another() -> None:
    kinds = set()
    for path in (*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "key_of":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}: a kind is a word"
                kinds.add(str(node.args[0].value))
    assert len(kinds) > 8
    for kind in kinds:
        assert not [other for other in kinds if other.startswith(f"{kind}_")], kind


@given(some.lists(NAMES, min_size=1, max_size=3))
@example(["relevance", "../../etc/passwd", "."])
@example([".hidden"])
@example(["x" * 5000])
@example(["🙂" * 500])
@example(["日本" * 100, "é"])
def test_a_file_name_is_one_name_of_a_file(parts: list[str]) -> None:
    name = file_stem(*parts)
    assert name
    assert not re.search(r'[/\\:*?"<>|%#&\s\x00-\x1f]', name)
    assert name[0] not in ".-"
    assert len(f"{name}.json".encode()) < 200


def test_letters_of_any_script_stay_in_a_file_name() -> None:
    assert file_stem("relevance", "demo/alexnet", "Straße 日本") == "relevance_demo-alexnet_Straße-日本"


def test_a_choice_that_is_no_name() -> None:
    assert unlike("nothing", ["something"]) == "nothing"
    assert unlike("nothing", ["nothing", "(nothing)"]) == "((nothing))"


@pytest.mark.thorough
@pytest.mark.usefixtures("with_odd")
def test_downloads_bear_names_that_files_can_have() -> None:
    for network in (odd_names.NETWORK, *odd_names.ALIASES):
        for kind, more in (("layer.csv", {}), ("unit.json", {"unit": "3"})):
            query = {"network": network, "dataset": odd_names.DATASET, "layer": odd_names.LAYERS[0], **more}
            answer = get(Starlette(routes=routes.routes()), f"/api/download/{kind}?{urlencode(query)}")
            assert answer.status == 200, answer.text
            name = re.fullmatch(
                r"attachment; filename=\"([\w.-]+)\"(; filename\*=UTF-8''[\w%.-]+)?",
                answer.headers["content-disposition"],
            )
            assert name is not None, answer.headers
            assert ("é" in network or "日" in network) == bool(name[2])


@pytest.mark.usefixtures("with_odd")
def test_a_network_is_called_by_the_name_it_was_asked_for() -> None:
    for name in ("Q__1", "q__1", odd_names.NETWORK):
        view = results.layer(Ask(name, odd_names.DATASET), odd_names.LAYERS[0])
        assert view is not None
        assert view.facts.network_title == name
        found = relevances.find(relevances.Wanted(name, odd_names.DATASET))
        assert {one.metadata["network"]["title"] for one in found.records.values()} == {name}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", some_slow(odd_names.ALIASES, ("../qn3/x", "qn6" + 300 * "x", "日本 qn10 é", "%2F%20qn11+"))
)
@pytest.mark.usefixtures("with_odd")
def test_any_name_of_a_network_has_its_pages(name: str) -> None:
    app = open_page("pages/home.py", network=name, dataset=odd_names.DATASET)
    for page in ("relevance", "agreement", "shared", "ablation", "concepts", "units"):
        app.switch_page(f"pages/{page}.py")
        app.query_params["network"], app.query_params["dataset"] = name, odd_names.DATASET
        app.run()
        assert not app.exception, page
        assert not app.error, page
        assert not [one.value for one in app.warning if "The link" in str(one.value)], page
