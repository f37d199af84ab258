"""Code and weights that change under a running server: never a mixture, on the screen or in the store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interpret_core.store.store import Store
from tests.planted_classes import write_classes
from tests.planted_dataset import make_planted
from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from tests.ui.browser import ROOT, serving

pytestmark = pytest.mark.browser

FACTORY = """
import torch
from edited_parts import Body
from torch import nn
from interpret_core.networks import NetworkParts, Preprocessing

NAMES = ("red square", "blue disc", "panel")

def make():
    torch.manual_seed(3)
    return NetworkParts(nn.Sequential(Body(), nn.Linear(12, 3)), Preprocessing((64, 64)), NAMES, "trained")

def stored():
    parts = make()
    parts.module.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return parts
"""
PARTS = """
import torch
from torch import nn

class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.Conv2d(8, 12, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        return torch.relu(self.conv2(x)).mean((2, 3))
"""
WAIT = 60_000
PAGES = ("units", "concepts", "relevance", "agreement", "shared", "ablation")
CHANGED = "edited_parts.py changed on disk since this process imported it: restart to use the new code"


class User:
    """A user's folder: code, weights, photographs, unitscope.toml, cache."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.weights = folder, folder / "cache", folder / "best.pt"
        self.code(PARTS)
        (folder / "edited_factory.py").write_text(FACTORY.replace("WEIGHTS", repr(str(self.weights))))
        make_planted(folder / "shapes", images=24, size=64, annotation=32)
        names = {0: "red square", 1: "red square", 2: "blue disc"}
        write_classes(folder / "shapes", [(f"planted/{i:05d}.png", names[i % 3]) for i in range(24)])
        (folder / "unitscope.toml").write_text(
            '[datasets]\nshapes = "shapes"\n[networks]\nmine = "edited_factory:make"\n'
            'stored = "edited_factory:stored"\n'
        )
        self.environment = server_environment(folder, self.cache)
        self.environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"  # an edit within the same second must be read

    def code(self, text: str) -> None:
        (self.folder / "edited_parts.py").write_text(text)

    def python(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def compute(self, *kinds: str, network: str = "mine") -> None:
        """Results of these kinds from the command line: a fresh process for each."""
        common = ("--network", network, "--dataset", "shapes", "--device", "cpu")
        for kind in kinds:
            self.python(
                "-m",
                "interpret_core",
                kind,
                *common,
                *(("--permutations", "20") if kind == "profile" else ()),
            )

    def keys(self) -> set[str]:
        with Store(self.cache) as store:
            return {*store.keys(), *(key for key in store.json_keys() if not key.startswith("job"))}

    def keys_at_rest(self) -> set[str]:
        """Once nothing has come for a while: an estimate pauses after its first step, and then goes on."""
        before, now, end = set[str](), self.keys(), time.monotonic() + 60
        while now != before and time.monotonic() < end:
            time.sleep(2)
            before, now = now, self.keys()
        return now

    def weigh(self, shift: float) -> None:
        """Write the weights that the factory reads."""
        code = (
            "import sys, torch, edited_factory\n"
            "state = edited_factory.make().module.state_dict()\n"
            "torch.save({name: one + float(sys.argv[2]) for name, one in state.items()}, sys.argv[1])"
        )
        self.python("-c", code, str(self.weights), str(shift))


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


def look(page: Page, address: str, name: str, network: str = "mine") -> None:
    page.goto(f"{address}/{name}?network={network}&dataset=shapes")


def settled(page: Page) -> None:
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
    page.wait_for_timeout(300)  # what the last message brought is being drawn


@pytest.mark.slow
def test_code_that_is_edited_under_the_server(user: User, browser: Browser) -> None:
    user.compute("profile", "relevance")
    first = user.keys()
    with serving(user.environment, user.folder / "first.log") as address:
        page = browser.new_page()
        for name in ("units", "relevance", "ablation"):
            look(page, address, name)
            settled(page)
            expect(page.get_by_text(CHANGED)).to_have_count(0)
        shown = user.keys_at_rest()  # what looking has noted: the outline of the layers, estimates

        user.code(PARTS.replace("torch.relu(self.conv2(x))", "torch.tanh(self.conv2(x))"))
        for name in ("", *PAGES):
            look(page, address, name)
            expect(page.get_by_text(CHANGED).first).to_be_visible(timeout=WAIT)
            settled(page)
            for drawn in ("stException", "stPlotlyChart"):
                expect(page.get_by_test_id(drawn)).to_have_count(0)
            expect(page.locator(".table .row, .tile, .bars svg")).to_have_count(0)
        assert user.keys() == shown

        user.compute("profile", "relevance")  # a fresh process: the new code, under keys of its own
        second = user.keys()
        assert {key for key in second - first if key.startswith("profile/")}
        look(page, address, "units")
        expect(page.get_by_text(CHANGED).first).to_be_visible(timeout=WAIT)
        assert user.keys() == second
        page.close()

    with serving(user.environment, user.folder / "second.log") as address:
        page = browser.new_page()
        for name in ("units", "relevance"):
            look(page, address, name)
            settled(page)
            for words in (CHANGED, "has not been profiled yet", "has not been computed yet"):
                expect(page.get_by_text(words)).to_have_count(0)
        page.close()


@pytest.mark.slow
def test_weights_that_a_factory_reads_itself_change_under_the_server(user: User, browser: Browser) -> None:
    """No file stands behind an @, so nobody but the factory knows of it."""
    user.weigh(0.0)
    before = user.weights.read_bytes()
    user.compute("profile", network="stored")
    with serving(user.environment, user.folder / "log") as address:
        page = browser.new_page()
        await_words(page, address, "Annotation shown")
        user.weigh(0.1)
        await_words(page, address, "has not been profiled yet")
        user.weights.write_bytes(before)
        await_words(page, address, "Annotation shown")
        page.close()


def await_words(page: Page, address: str, words: str) -> None:
    """Look until the page says so: it asks the factory again after a moment."""
    for _ in range(20):
        look(page, address, "units", "stored")
        settled(page)
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(500)
    pytest.fail(f"The page never said {words!r}: {page.inner_text('body')[:500]}")
