"""What is told of a result is told of the network and the data set as they are asked for now."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import interpret_core as ic
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.api.results import Result
from interpret_core.networks.providers.live import HERE_ALONE
from interpret_core.runtime.subjects import findings_of_digest, identify
from interpret_core.store.store import Store
from tests.api.networks import handed_out
from tests.planted_dataset import make_planted
from tests.planted_networks import red_detector

FACTORY = "tests.api.networks:handed_out"
OPTIONS = {"permutations": 0, "min_images": 1}


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    make_planted(tmp_path / "first", images=16, size=64, annotation=32)
    return tmp_path / "first"


def test_a_live_module_s_words_are_not_told_of_a_factory(pictures: Path, tmp_path: Path) -> None:
    """Asked with a live module first, then with a factory of equal weights, of another folder."""
    live = ic.wrap(handed_out(), name="mine")
    before = ic.profile(live, pictures, **OPTIONS)
    assert HERE_ALONE in before.description["network"]["note"]
    shutil.copytree(pictures, tmp_path / "second")
    after = ic.profile(FACTORY, tmp_path / "second", **OPTIONS)
    assert after.found.outcome.computed == 0
    told = after.description
    assert told["network"]["digest"] == before.description["network"]["digest"]
    assert told["network"]["title"] == FACTORY
    assert told["network"]["note"].startswith(f"Weights as {FACTORY} makes them")
    assert HERE_ALONE not in after.to_html()
    assert "first" not in told["dataset"]["name"]
    again = ic.profile(live, pictures, **OPTIONS).description
    assert again["network"] == before.description["network"]


@pytest.mark.parametrize("ask", [ic.evaluate, ic.image_labels])
def test_other_results_are_told_so_too(pictures: Path, ask: Callable[..., Result]) -> None:
    names = [record.image for record in ic.open_dataset(pictures).records]
    rows = [f"{name},{'abc'[at % 3]},val" for at, name in enumerate(names)]
    (pictures / "classes.csv").write_text("\n".join(["image,class,split", *rows]))
    for network in (ic.wrap(handed_out(), name="mine"), FACTORY):
        report = ask(network, pictures).to_html()
        assert (HERE_ALONE in report) is (network is not FACTORY)


def test_one_network_in_two_files(pictures: Path, tmp_path: Path) -> None:
    """The note of a network names the file it is read from; one of equal tensors is another one."""
    for name in ("one.pt", "two.pt"):
        torch.save({"model": red_detector().state_dict(), "epoch": 3}, tmp_path / name)
    names = [f"{FACTORY}@{tmp_path / name}" for name in ("one.pt", "two.pt")]
    for own, other in (names, names[::-1], names):
        request = ProfileRequest(own, str(pictures), **OPTIONS)
        told = ic.profile(own, pictures, **OPTIONS).description
        assert (Path(own).name in told["network"]["note"], Path(other).name in str(told)) == (True, False)
        with Store(tmp_path / "cache") as store:
            found = find_profiles(layer_keys(request, store), store)["conv1"].profile
            assert found.metadata["network"]["note"] == told["network"]["note"]
            subject = identify(own, store)
            assert Path(other).name not in str(findings_of_digest(subject.digest, subject.spec, store))
