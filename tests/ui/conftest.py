"""An installation of its own for the page tests: a planted data set, small networks, an empty cache."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import app_test

from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_classes import write_classes
from tests.planted_dataset import make_planted, rename_labels
from tests.shared import copy_of
from tests.ui import odd_names
from tests.ui.browser import launch, serving, watch
from ui.session import memory

HOSTILE = {
    "red square": "![x](https://outside.invalid/a.png)",
    "blue disc": '<a href="https://outside.invalid/b">x</a>',
    "panel": '<img src="https://outside.invalid/c.png">',
    "matte": "https://outside.invalid/d [e](https://outside.invalid/e)",
    "glossy": "- :material/home: $x$ www.outside.invalid",
    "red-c": "**bold** `code` %{x}",
}
CONFIG = """
[datasets]
planted = "planted"
lost = "nowhere"
hostile = "hostile"
classed = "classed"
[networks]
small = "tests.ui.networks:small"
other = "tests.ui.networks:other"
classy = "tests.ui.networks:classy"
classy_other = "tests.ui.networks:classy_other"
broken = "tests.ui.networks:broken"
blocks = "tests.ui.networks:blocks"
"""


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with unitscope.toml and a data set of 24 images; concepts reach ten images each."""
    root = tmp_path_factory.mktemp("installation")
    make_planted(root / "planted", images=24, size=224, annotation=56)
    make_planted(root / "hostile", images=12, size=64, annotation=32)
    rename_labels(root / "hostile", HOSTILE)
    make_planted(root / "classed", images=36, size=112, annotation=56)
    write_classes(root / "classed", [(f"planted/{i:05d}.png", class_of(i)) for i in range(36)])
    (root / "unitscope.toml").write_text(CONFIG)
    return root


def class_of(image: int) -> str:
    """The class of an image of `classed`: many squares, few panels, gates that no network knows."""
    if image % 12 == 7:
        return "panel"
    if image % 12 == 11:
        return "gate"
    return "blue disc" if image % 3 == 2 or image == UNSEEN else "red square"


UNSEEN = 3  # listed for the disc, of which none of its pixels is annotated


@pytest.fixture(scope="session")
def profiled(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with `small` and `other` on `planted`, and `small` on `hostile`."""

    def make(cache: Path) -> None:
        with _computing(installation, cache) as store:
            for network, dataset in (("small", "planted"), ("other", "planted"), ("small", "hostile")):
                request = ProfileRequest(network, dataset, quantile=0.005, permutations=100)
                run_profile(request, store, Execution(device="cpu"))

    return copy_of("profiled", installation / "full", make, tmp_path_factory)


@pytest.fixture(scope="session")
def related(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with profile and relevance of `classy` and `classy_other` on `classed`."""

    def make(cache: Path) -> None:
        with _computing(installation, cache) as store:
            for name in ("classy", "classy_other"):
                run_profile(ProfileRequest(name, "classed", permutations=100), store, Execution(device="cpu"))
                run_relevance(RelevanceRequest(name, "classed"), store, Execution(device="cpu"))

    return copy_of("related", installation / "related", make, tmp_path_factory)


@pytest.fixture(scope="session")
def ablated(installation: Path, related: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the grid of `classy`, its single units' effects, and the grid of `classy_other`."""

    def make(cache: Path) -> None:
        shutil.copytree(related, cache)
        with _computing(installation, cache) as store:
            for name in ("classy", "classy_other"):
                run_ablation(AblationRequest(name, "classed"), store, Execution(device="cpu"))
            run_effects(EffectsRequest("classy", "classed"), store, Execution(device="cpu"))

    return copy_of("ablated", installation / "ablated", make, tmp_path_factory)


@pytest.fixture(scope="session")
def everything(installation: Path, ablated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the profiles of `small` and `other` on `planted`."""

    def make(cache: Path) -> None:
        shutil.copytree(ablated, cache)
        with _computing(installation, cache) as store:
            for name in ("small", "other"):
                run_profile(ProfileRequest(name, "planted", permutations=100), store, Execution(device="cpu"))

    return copy_of("everything", installation / "everything", make, tmp_path_factory)


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with unitscope.toml and a cache in which every name is an odd one (`odd_names`)."""

    def make(root: Path) -> None:
        root.mkdir()
        odd_names.install(root)
        with pytest.MonkeyPatch.context() as patch:
            odd_names.compute(_environment(patch, root, root / "cache"))

    return copy_of("odd", tmp_path_factory.mktemp("odd") / "installation", make, tmp_path_factory)


@pytest.fixture
def with_odd(odd: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation with that."""
    return _environment(monkeypatch, odd, odd / "cache")


@pytest.fixture
def with_links(installation: Path, everything: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation with all results that links lead to."""
    return _environment(monkeypatch, installation, everything)


@pytest.fixture
def with_ablation(installation: Path, ablated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation with that."""
    return _environment(monkeypatch, installation, ablated)


@pytest.fixture
def with_relevance(installation: Path, related: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation with that."""
    return _environment(monkeypatch, installation, related)


@pytest.fixture
def empty(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation without results; the cache folder."""
    return _environment(monkeypatch, installation, tmp_path / "cache")


@pytest.fixture
def full(installation: Path, profiled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation with the profile of `small` on `planted`."""
    return _environment(monkeypatch, installation, profiled)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a file."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for the pages of a file: what has Streamlit's scripts already draws a page in 2/3 of the time."""
    made = browser.new_context(viewport={"width": 1440, "height": 1000})
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    made.set_default_timeout(60_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A fresh page, of which no test before has left anything but files in the browser's cache.

    The test fails if its console or its requests are not clean.
    """
    opened = context.new_page()
    found = watch(opened)
    yield opened
    if opened.url.startswith("http"):
        opened.evaluate("localStorage.clear()")
    for one in context.pages:
        one.close()
    context.clear_cookies()
    assert found == []


@pytest.fixture(scope="session")
def ready(installation: Path, ablated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with all results of two networks, below a path of its own: one for all files."""
    with _below_a_path(installation, ablated, tmp_path_factory) as address:
        yield address


@pytest.fixture(scope="session")
def profiled_server(
    installation: Path, profiled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server with profiles alone, likewise."""
    with _below_a_path(installation, profiled, tmp_path_factory) as address:
        yield address


@contextmanager
def _below_a_path(installation: Path, cache: Path, temporary: pytest.TempPathFactory) -> Iterator[str]:
    log = temporary.mktemp("server") / "log"
    options = ("--server.baseUrlPath", "scope")
    with serving(server_environment(installation, cache), log, *options, base="/scope") as address:
        yield address


# Every `AppTest` asks anew for the components of installed packages: it would read the metadata of all of
# them, which takes as long as the page.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


class _Served(PagesManager):
    """As `serve.py` has it: pages are those of the navigation, also of whoever opens one first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*arguments, **options)


app_test.PagesManager = _Served  # type: ignore[misc]

# Routes and pages that tests call themselves are asked on one's own machine, without a login.
config.set_option("server.address", "127.0.0.1")


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """What a test keeps in memory does not reach the next one."""
    yield
    memory.forget()


@contextmanager
def _computing(installation: Path, cache: Path) -> Iterator[Store]:
    """A store in the environment of an installation."""
    with pytest.MonkeyPatch.context() as patch:
        _environment(patch, installation, cache)
        with Store(cache) as store:
            yield store


def _environment(patch: pytest.MonkeyPatch, installation: Path, cache: Path) -> Path:
    patch.setenv("INTERPRET_CONFIG", str(installation / "unitscope.toml"))
    patch.setenv("INTERPRET_CACHE", str(cache))
    patch.setenv("INTERPRET_OFFLINE", "1")
    patch.setenv("INTERPRET_DEMO", "0")
    patch.setenv("INTERPRET_UPLOADS", str(installation / "uploads"))
    patch.delenv("INTERPRET_DATASETS", raising=False)
    return cache


def server_environment(installation: Path, cache: Path) -> dict[str, str]:
    """The same for a server in a process of its own."""
    root = Path(__file__).resolve().parents[2]
    return {
        **os.environ,
        "INTERPRET_CONFIG": str(installation / "unitscope.toml"),
        "INTERPRET_CACHE": str(cache),
        "INTERPRET_OFFLINE": "1",
        "INTERPRET_DEMO": "0",
        "INTERPRET_UPLOADS": str(installation / "uploads"),
        "INTERPRET_DATASETS": "",
        "PYTHONPATH": str(root),
    }
