"""Nothing that stands in an address or is typed goes without a word, and the word stays to be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.test_pages import APP, offered, open_page
from ui.shell import silenced, state

ABLATION, CONCEPTS = "pages/ablation.py", "pages/concepts.py"
HERE = {"network": "classy", "dataset": "classed"}
LAYERS = {"conv1": 24, "conv2": 32}


def home(**parameters: str | list[str]) -> AppTest:
    """The home page, whose run has the sidebar in it."""
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def asked(app: AppTest, name: str) -> str:
    """What the address says."""
    value = app.query_params[name]
    return value if isinstance(value, str) else ",".join(value)


def lines(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    return "\n".join(str(one.value) for one in app.warning)


@pytest.mark.usefixtures("with_ablation")
def test_a_line_stays_until_the_reader_moves_on() -> None:
    app = open_page(ABLATION, **HERE, silence="conv2:3,conv2:9999")
    for _ in range(3):
        assert r"“conv2\:9999” (units of conv2 are numbered 0 to 31)" in lines(app)
        assert asked(app, "silence") == "conv2:3"
        app.run()  # as the next step of an estimate does
    app.selectbox(key="pick_class").set_value("red square").run()
    assert lines(app) == ""
    assert asked(app, "silence") == "conv2:3"


@pytest.mark.usefixtures("with_ablation")
def test_a_line_does_not_follow_to_another_address() -> None:
    app = open_page(ABLATION, **HERE, silence="conv2:9999")
    assert "9999" in lines(app)
    app.query_params["class"] = "panel"  # as the browser's back and forward do
    app.run()
    assert "9999" not in lines(app)


@pytest.mark.usefixtures("with_ablation")
def test_what_is_typed_is_taken_or_refused_one_by_one() -> None:
    app = open_page(ABLATION, **HERE, silence="conv2:3")
    box = app.multiselect(key="pick_units")
    box.set_value(["conv2:3", "conv2:9999", "conv7:1", "conv1", "conv1:2, conv1:4", "conv2:03"])
    app.run()
    assert asked(app, "silence") == "conv1:2,conv1:4,conv2:3"
    told = lines(app)
    for part in (
        r"“conv2\:9999” (units of conv2 are numbered 0 to 31)",
        r"“conv7\:1” (there is no layer “conv7”",
        "“conv1” (expected layer:unit",
        r"“conv2\:03” (it stands there twice",
    ):
        assert part in told
    assert app.multiselect(key="pick_units").value == ["conv1:2", "conv1:4", "conv2:3"]


@pytest.mark.usefixtures("with_ablation")
def test_networks_to_compare() -> None:
    app = open_page(CONCEPTS, **HERE, compare="classy,classy_other,nobody,classy_other,small,other")
    told = lines(app)
    assert "“classy”, which is the page’s own" in told
    assert "“nobody”, which is not here" in told
    assert "“classy\\_other”, twice; it counts once" in told
    assert "“other”, one more than 2" in told
    assert asked(app, "compare") == "classy_other,small"


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"category": "object,thing"}, "category “thing”, which is not here"),
        ({"category": "object,object"}, "twice; it counts once"),
        ({"photos": "13"}, "asks for 13 photographs"),
        ({"iou": "0.9-0.95"}, "expected two numbers from 0 to"),
        ({"layer": "conv9"}, "layer “conv9”, which is not here"),
        ({"image": "$x$"}, r"The photograph “\$x\$” that"),
    ],
)
def test_the_unit_browser_says_what_it_does_not_follow(parameters: dict[str, str], line: str) -> None:
    app = open_page("pages/units.py", network="small", dataset="planted", **parameters)
    assert line in lines(app)


@pytest.mark.usefixtures("full")
def test_a_parameter_that_stands_there_twice() -> None:
    app = home(network=["other", "small"])
    assert "The link gives “network” 2 times; the last one counts" in lines(app)
    assert asked(app, "network") == "small"


@pytest.mark.usefixtures("full")
def test_a_rule_of_the_sidebar() -> None:
    assert "“10\\.7”, not a whole number" in lines(home(min_images="10.7"))
    assert "images per concept 0; it runs from 1 to 1000" in lines(home(min_images="0"))
    assert "cut-off “7”, expected 0 to 0.3" in lines(home(cutoff="7"))


@pytest.mark.usefixtures("with_ablation")
def test_half_an_entry_is_none() -> None:
    entries = [f"conv2:{unit}" for unit in (3, 31)]
    many = ",".join(["conv2:3"] * 2500 + ["conv2:31"])
    cut = many[: state.LONGEST]
    assert len(many) > state.LONGEST
    app = open_page(ABLATION, **HERE, silence=many)
    assert "is longer than 20,000 characters" in lines(app)
    assert asked(app, "silence") == "conv2:3"
    assert entries[1] not in cut


def test_every_entry_is_either_taken_or_refused() -> None:
    text = r"conv2:3,conv2:3,conv2:32,conv2:,:3,:,conv9:1,conv1:23,a\,b:1, conv1 : 4 ,conv2:+5,conv2:٣"
    taken, refused = silenced.parsed(text, {**LAYERS, "a,b": 2})
    assert taken == (("conv1", 4), ("conv1", 23), ("conv2", 3), ("a,b", 1))
    assert [one.entry for one in refused] == [
        "conv2:3", "conv2:32", "conv2:", ":3", ":", "conv9:1", "conv2:+5", "conv2:٣",
    ]  # fmt: skip
    assert all(one.why for one in refused)
    assert silenced.parsed(silenced.written(taken), {**LAYERS, "a,b": 2}) == (taken, [])


def test_more_than_can_be_picked() -> None:
    layers = {"wide": 512}
    taken, refused = silenced.parsed(silenced.written(("wide", unit) for unit in range(210)), layers)
    assert len(taken) == silenced.MOST
    assert [one.entry for one in refused] == [f"wide:{unit}" for unit in range(200, 210)]
    assert {one.why for one in refused} == {silenced.FULL}


@pytest.mark.usefixtures("with_ablation")
def test_what_was_picked_first_stays_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silenced, "MOST", 2)
    app = open_page("pages/units.py", **HERE, layer="conv1", unit="5", silence="conv2:3,conv2:4")
    app.toggle(key="pick_silence").set_value(True).run()
    assert r"“conv1\:5” (at most" in lines(app)
    assert asked(app, "silence") == "conv2:3,conv2:4"


@pytest.mark.parametrize("name", ["", "  "])
def test_an_entry_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: Path, name: str
) -> None:
    (tmp_path / "unitscope.toml").write_text(f'[networks]\n"{name}" = "tests.ui.networks:small"\n')
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    app = home()
    assert "has no name but spaces" in lines(app)
    assert name not in offered(app, "network")
