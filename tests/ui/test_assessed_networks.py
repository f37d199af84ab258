"""What whole networks respond to, beside each other and beside their untrained controls."""

from __future__ import annotations

import dataclasses

import pytest
import streamlit as st

from interpret_core.runtime.names import NamesNow
from interpret_core.store.records import Record
from tests.ui import records
from tests.ui.drawn import drawn
from ui.components.chart.chart import Finished
from ui.concepts import comparison, tables, untrained
from ui.jobs import profile
from ui.jobs.panel import Offer
from ui.session import results, work
from ui.session.layers import Layers
from ui.session.profiles.sketch import Sketch
from ui.session.view import LayerView, Views
from ui.shell.sidebar import Ask

NETWORK = "demo/alexnet"  # which has an untrained control
NAMES = ("conv1", "conv2", "conv3", "conv4")


def views(network: str, title: str, *, assessed: bool = True, seed: int = 0) -> dict[str, LayerView]:
    """Two layers of a network."""
    made = {}
    for index, name in enumerate(NAMES[:2]):
        view = records.view(layer=name, index=index, with_assessment=assessed, seed=seed)
        made[name] = dataclasses.replace(
            view, network=network, names=NamesNow(network, title, "random weights", "", "made-up")
        )
    return made


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said in small print."""
    said: list[str] = []
    monkeypatch.setattr(st, "caption", said.append)
    return said


@pytest.fixture
def charts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Finished]:
    """Figures by their keys."""
    seen: dict[str, Finished] = {}
    monkeypatch.setattr(comparison, "chart", lambda made, key: seen.update({key: made}))
    return seen


class Untold:
    """Stored layers of which nobody may ask for counts."""

    def layer(self, name: str) -> LayerView | None:
        """None of them can be read."""

    def sketch(self, name: str) -> Sketch | None:
        raise AssertionError("nobody asks for sketches")

    def outline(self) -> Record:
        raise AssertionError("nobody asks for counts")


class Loaded(Untold):
    """An untrained control's layers, and which of them were read."""

    def __init__(self, *, profiled: bool = True, chance: bool = True, assessed: bool = True) -> None:
        self.names: list[str] = []
        self.layers: Layers | None = None
        if profiled:
            self.layers = Layers(NAMES, self, 0.04, chance=chance, assessed=assessed)

    def layer(self, name: str) -> LayerView:
        self.names.append(name)
        return records.view(layer=name, index=NAMES.index(name), with_assessment=True)


def test_of_a_control_the_first_and_the_last_layer_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Loaded()
    monkeypatch.setattr(results, "layers", lambda _: made.layers)
    controls = untrained.profiles([Ask(NETWORK, "demo")])
    assert list(controls) == [NETWORK]
    assert made.names == []
    ends = untrained.ends(controls, 0.1)
    assert made.names == ["conv1", "conv4"]
    assert list(ends[NETWORK]) == ["conv1", "conv4"]
    assert {view.cutoff for view in ends[NETWORK].values()} == {0.1}


def test_a_control_that_is_not_weighed_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Loaded(assessed=False)
    monkeypatch.setattr(results, "layers", lambda _: made.layers)
    assert untrained.ends(untrained.profiles([Ask(NETWORK, "demo")]), 0.04) == {}
    assert made.names == []


def test_a_damaged_layer_of_a_control_leaves_it_out() -> None:
    damaged = Layers(NAMES, Untold(), 0.04, chance=True, assessed=True)
    assert untrained.ends({NETWORK: damaged}, 0.04) == {}


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (Loaded(profiled=False), "has not been profiled yet"),
        (Loaded(assessed=False), "has not been weighed yet"),
        (Loaded(assessed=False, chance=False), "No p-values yet"),
        (Loaded(), ""),
    ],
)
def test_a_control_is_offered_until_it_is_weighed(
    control: Loaded, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[Offer] = []
    monkeypatch.setattr(results, "layers", lambda _: control.layers)
    monkeypatch.setattr(work, "job", lambda _: None)
    monkeypatch.setattr(profile, "panel", offered.append)
    ask = Ask(NETWORK, "demo")
    untrained.offers(ask, untrained.profiles([ask]))
    assert len(offered) == bool(said)
    for one in offered:
        assert said in one.missing + one.cost
        assert getattr(one.request, "network", "") == f"{NETWORK}@random"


@pytest.mark.thorough
def test_another_networks_interval_is_called_by_its_name(captions: list[str]) -> None:
    older, other = views("older", "Older", assessed=False), views("other", "Other *one*", seed=1)
    comparison.uncertain({"older": older, "other": other})
    assert len(captions) == 1
    assert captions[0].startswith(r"Other \*one\*: other photographs of the kind would give ")
    captions.clear()
    comparison.uncertain({"other": other, "older": older})
    assert len(captions) == 1
    assert captions[0].startswith("Other photographs of the kind would give ")


@pytest.mark.thorough
def test_networks_of_one_title_have_a_curve_each(charts: dict[str, Finished], captions: list[str]) -> None:
    every: dict[str, Views] = {"mine": views("mine", "Net"), "yours": views("yours", "Net", seed=1)}
    comparison.responds(every, {})
    comparison.quality(every)
    names = [trace.name for trace in drawn(charts["responds"].figure).data]
    assert names == [f"Net ({name}), {word}" for name in every for word in ("colours", "objects")]
    names = [trace.name for trace in drawn(charts["quality"].figure).data]
    assert names == [f"Net ({name}), t = {t}" for name in every for t in (1, 2, 3)]
    assert any(one.startswith("Net (yours), all units") for one in captions)


@pytest.mark.thorough
def test_titles_are_unlike_whatever_the_names() -> None:
    one, two, three = (views(name, "Net") for name in ("a", "b", "c"))
    assert tables.titles({"a": one}) == {"a": "Net"}
    assert tables.titles({"a": one, "b": two}) == {"a": "Net (a)", "b": "Net (b)"}
    odd = views("c", "Net (a)")
    assert len(set(tables.titles({"a": one, "b": two, "c": odd}).values())) == 3
    assert tables.titles({"a": one, "c": three, "d": views("d", "D")})["d"] == "D"
