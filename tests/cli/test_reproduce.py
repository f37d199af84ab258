"""`reproduce paper`: the numbers are those of the single commands, and a stopped study goes on."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import signal
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from interpret_core.networks import torchvision_ops
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers import torchvision_models as sources
from interpret_core.networks.providers.torchvision_models import TorchvisionSource
from interpret_core.networks.weights import Fetcher
from tests.cli.conftest import ROOT, ended, started
from tests.cli.networks import LOG, PAUSE
from tests.cli.study import study_set
from tests.cli.test_interrupted import until
from tests.datasets.http_server import Site, serving
from tests.planted_dataset import Planted

PIXELS = 64  # enough for every layer of the three to have a grid
FIRST, SECOND, UNTRAINED = (f"tests.cli.networks:{name}" for name in ("first", "second", "untrained"))
OPTIONS = ("--min-images", 1, "--permutations", 5, "--batch-size", 5, "--images", 2, "--device", "cpu")
FILES = {
    "comparison.csv",
    "fig2_detectors.csv",
    "layers.csv",
    "fig4_relevance.csv",
    "table1_agreement.csv",
    "fig56_curves.csv",
    "fig56_ablation.csv",
    "study.json",
    "index.html",
    "method.md",
}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def arguments(planted: Planted, out: Path, cache: Path, networks: str) -> tuple[object, ...]:
    data = ("--dataset", planted.root, "--out", out, "--cache", cache)
    return ("reproduce", "paper", *data, "--networks", networks, *OPTIONS)


@dataclass(frozen=True)
class Studied:
    """A study of two small networks: its data set, its cache, its folder, and what the command printed."""

    planted: Planted
    cache: Path
    out: Path
    printed: str

    @property
    def data(self) -> tuple[object, ...]:
        return ("--dataset", self.planted.root, "--cache", self.cache, "--device", "cpu")

    def table(self, name: str) -> list[dict[str, str]]:
        return table(self.out / name)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    root = tmp_path_factory.mktemp("study")
    planted = study_set(root / "small", 32, 32)
    (root / "unitscope.toml").touch()
    with pytest.MonkeyPatch.context() as set_to:
        set_to.setenv("INTERPRET_CONFIG", str(root / "unitscope.toml"))
        set_to.setenv("INTERPRET_CACHE", str(root / "cache"))
        set_to.setenv("PYTHONPATH", str(ROOT))
        ran = ended(started(*arguments(planted, root / "out", root / "cache", f"{FIRST},{SECOND}")))
    assert (ran.status, ran.err) == (0, "")
    return Studied(planted, root / "cache", root / "out", ran.out)


@pytest.mark.thorough
def test_the_tables_are_those_of_the_single_commands(command, tmp_path, study):
    assert {path.name for path in study.out.iterdir()} == FILES
    assert f"Ready: {study.out / 'index.html'}" in study.printed
    common = study.data
    one = tmp_path / "one.csv"
    chosen = ("--classes", "bench,bus,refrigerator", "--images", 2)
    both = f"{FIRST},{SECOND}"
    command("agreement", "--network", both, *chosen, "--batch-size", 5, *common, "--out", one)
    assert study.table("table1_agreement.csv") == table(one)
    command(
        "ablate", "--network", FIRST, "--class", "bench,refrigerator", "--images", 2, *common, "--out", one
    )
    ablated = [row for row in study.table("fig56_ablation.csv") if row["network"] == FIRST]
    assert ablated == table(one)
    curves = [row for row in study.table("fig56_curves.csv") if row["network"] == FIRST]
    assert len(curves) == 2 * 3 * 4, "two classes, three ways, four fractions"
    for row in curves:
        same = [
            other
            for other in ablated
            if (other["rank"], float(other["fraction"])) == (row["rank"], float(row["fraction"]))
            and other["ablated_class"] in (row["ablated_class"], "")
        ]
        seeds = max(1, len({other["seed"] for other in same}))
        mine = [float(o["accuracy"]) for o in same if o["evaluated_class"] == row["ablated_class"]]
        others = [
            float(o["accuracy"])
            for o in same
            if o["evaluated_class"] not in (row["ablated_class"], "*all", "*others")
        ]
        assert float(row["accuracy"]) == pytest.approx(sum(mine) / seeds)
        assert float(row["others"]) == pytest.approx(sum(others) / len(others))


@pytest.mark.thorough
def test_detectors_are_counted_as_the_profile_labels_them(command, tmp_path, study):
    one = tmp_path / "profile.csv"
    command("profile", "--network", FIRST, *OPTIONS[:6], *study.data, "--out", one)
    best = [row for row in table(one) if row["scope"] == "overall" and row["rank"] == "1"]
    checked = Counter()
    for row in study.table("fig2_detectors.csv"):
        if row["network"] != FIRST:
            continue
        of_it = [
            label
            for label in best
            if float(label["iou"] or 0) > float(row["cutoff"])
            and row["layer"] in ("*", label["layer"])
            and row["category"] in ("*", label["category"])
        ]
        assert int(row["detectors"]) == len(of_it)
        assert int(row["unique"]) == len({label["concept"] for label in of_it})
        checked[row["cutoff"]] += int(row["detectors"])
    assert checked["0.0"] > checked["0.04"] > 0


def test_relevance_of_layers_adds_up(command, tmp_path, study):
    one = tmp_path / "relevance.csv"
    command("relevance", "--network", FIRST, "--images", 2, *study.data, "--out", one)
    units = table(one)
    found = [row for row in study.table("fig4_relevance.csv") if row["network"] == FIRST]
    assert {row["class"] for row in found} == {"bench", "bus", "refrigerator"}
    for row in found:
        mine = [
            float(u["relevance"]) for u in units if (u["layer"], u["class"]) == (row["layer"], row["class"])
        ]
        assert float(row["raw_sum"]) == pytest.approx(sum(mine))
    shares = Counter()
    for row in found:
        shares[row["class"]] += float(row["share_within_class"])
    assert all(total == pytest.approx(1) for total in shares.values())


def test_networks_of_which_the_paper_says_nothing_have_no_number_of_it(study):
    assert {row["published"] for row in study.table("comparison.csv") if row["network"]} == {"not stated"}
    facts = json.loads((study.out / "study.json").read_text())
    assert [one["evidence"] for one in facts["networks"]] == 2 * ["trained"]
    left = dict(facts["networks"][0]["left_out"])
    assert set(left) == {"bed", "bottle", "car", "cat", "chair", "lamp", "vase"}
    assert facts["dataset"]["digest"] in (study.out / "index.html").read_text()


def test_the_page_needs_nothing_from_outside_and_its_links_lead_somewhere(study):
    page = (study.out / "index.html").read_text()
    assert not re.findall(r"<script|https?:|url\(|@import|<img|<link", page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for link in re.findall(r'href="([^"]+)"', page):
        name, _, anchor = link.partition("#")
        assert not name or (study.out / name).is_file()
        assert name or anchor in ids
    assert FIRST in page
    assert page.count("not stated") > 10


def calls(log: Path) -> Counter[str]:
    found = Counter(log.read_text().split()) if log.exists() else Counter()
    log.unlink(missing_ok=True)
    return found


@pytest.mark.slow
def test_a_stopped_study_goes_on_and_computes_nothing_twice(command, tmp_path, monkeypatch, study):
    log, cache, out = tmp_path / "log", tmp_path / "stopped", tmp_path / "again"
    whole = arguments(study.planted, out, cache, f"{FIRST},{SECOND}")
    monkeypatch.setenv(LOG, str(log))
    monkeypatch.setenv(PAUSE, "0.003")
    process = started(*whole)
    # While it identifies the network it is not yet at the second one's profile.
    until(lambda: (log.exists() and log.read_text().count("second") > 40) or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    assert stopped.status == 130
    assert stopped.line.startswith("Stopped. Finished parts are kept")
    assert "ablate (4 of 8)" in stopped.out
    assert not list(out.iterdir()), "no half of a study"
    monkeypatch.setenv(PAUSE, "0")
    calls(log)
    assert command(*whole).status == 0
    on = calls(log)
    assert command(*whole).status == 0
    stored = calls(log)
    assert on["first"] == stored["first"], "of the first network nothing is computed again"
    assert on["second"] > stored["second"]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in study.out.iterdir()
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--networks", "alexnett"), "alexnet"),
        (("--networks", "all"), "expected names separated by commas"),
        (("--networks", FIRST, "--classes", "unicorn"), "unicorn"),
        (("--networks", FIRST, "--ablated", "unicorn"), "unicorn"),
        (("--networks", FIRST, "--images", "0"), "images is 0"),
    ],
)
def test_a_user_s_mistake_is_told_before_anything_is_computed(command, tmp_path, study, options, words):
    ran = command("reproduce", "paper", "--dataset", study.planted.root, "--out", tmp_path / "out", *options)
    assert ran.status == 2
    assert words in ran.line
    assert "profile (1" not in ran.out


def test_a_file_is_no_folder(command, tmp_path, study):
    (tmp_path / "out").touch()
    ran = command("reproduce", "paper", "--dataset", study.planted.root, "--out", tmp_path / "out")
    assert ran.status == 2
    assert "expected a folder" in ran.line


def test_without_the_house_s_classes_others_are_asked_for(command, planted, tmp_path):
    ran = command("reproduce", "paper", "--dataset", planted.root, "--out", tmp_path, "--networks", FIRST)
    assert ran.status == 2


def serve_weights(monkeypatch: pytest.MonkeyPatch, site: Site, models: tuple[str, ...]) -> None:
    """torchvision's own specs, with weights made here at an address of the site, and smaller pictures."""
    real = sources._spec
    made = {}
    for name in models:
        torch.manual_seed(len(name))
        content = io.BytesIO()
        torch.save(torchvision_ops.classifiers().get_model(name, weights=None).state_dict(), content)
        file = f"{name}-{hashlib.sha256(content.getvalue()).hexdigest()[:8]}.pth"
        site.content[f"/{file}"] = content.getvalue()
        made[name] = f"{site.url}/{file}"

    def served(name: str):
        found = real(name)
        member = found.source.member
        own = SimpleNamespace(url=made[found.source.model], meta=member.meta, name=member.name)
        given = found.preprocessing
        small = Preprocessing((PIXELS, PIXELS), given.mean, given.std, given.interpolation)
        return replace(found, preprocessing=small, source=TorchvisionSource(found.source.model, own))

    monkeypatch.setattr(sources, "_spec", served)
    monkeypatch.setattr(sources, "_FETCHER", Fetcher())


@pytest.mark.timeout(1200)  # three large networks on a busy machine
@pytest.mark.slow
@pytest.mark.parametrize("models", [("alexnet",), ("alexnet", "vgg11", "resnet18")])
def test_torchvision_s_networks_with_weights_from_a_server(command, tmp_path, monkeypatch, models):
    monkeypatch.setenv("INTERPRET_OFFLINE", "0")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    planted, out = study_set(tmp_path / "set", PIXELS, PIXELS // 2), tmp_path / "out"
    with serving(Site({})) as site:
        serve_weights(monkeypatch, site, models)
        ran = command(*arguments(planted, out, tmp_path / "cache", ",".join(models)))
        assert (ran.status, ran.err) == (0, "")
        assert len(site.requests) == len(models), "each file is fetched once"
    found = table(out / "comparison.csv")
    for model, error, deviation in (
        ("alexnet", 7.56, 2.68),
        ("vgg11", 6.21, 1.96),
        ("resnet18", 9.58, 5.11),
    ):
        rows = [r for r in found if r["network"] == f"torchvision/{model}" and r["section"] == "agreement"]
        assert len(rows) == 2 * (model in models)
        for row, published in zip(rows, (error, deviation), strict=False):
            assert float(row["published"]) == published
            assert float(row["difference"]) == float(row["ours"]) - published
    (unit,) = [row for row in found if row["place"] == "Islam & Tushar 2021, unit 41"]
    assert unit["published"] == "water"
    page = (out / "index.html").read_text()
    assert "7.56" in page
    assert 'class="note' not in page, "trained on nothing else, so there is nothing to warn of"


@pytest.mark.thorough
def test_random_weights_are_said_in_red_above_everything(command, tmp_path, study):
    out = tmp_path / "out"
    ran = command(*arguments(study.planted, out, tmp_path / "cache", UNTRAINED))
    assert (ran.status, ran.err) == (0, "")
    assert f"{UNTRAINED}: random weights, so its numbers are no reproduction. Nothing was learned." in ran.out
    page = (out / "index.html").read_text()
    assert page.index('<p class="note bad" role="note">Random weights: ') < page.index("<h2>")
    assert 'class="note bad"' not in (study.out / "index.html").read_text()
    for name in ("index.html", "study.json"):
        assert str(study.planted.root) not in (out / name).read_text(), "what is given away names no folder"
