"""Every spelling of a page's name leads to the page, with the view in the address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from streamlit import config

from tests.ui.asgi import get
from ui.shell import site
from ui.shell.site import HOME, PAGES, address, meant

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["", "scope", "a/b"])
def base(request: pytest.FixtureRequest) -> Iterator[str]:
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", request.param)
    yield f"/{request.param}".rstrip("/")
    config.set_option("server.baseUrlPath", before)


def test_every_script_is_a_page() -> None:
    assert {path.stem for path in (ROOT / "pages").glob("*.py")} == {page.script for page in PAGES}


@pytest.mark.parametrize("name", ["home", "Home", "HOME"])
def test_home_has_no_name_of_its_own(name: str) -> None:
    assert meant(name) == address(HOME) == ""


@pytest.mark.parametrize(
    "name", ["Shared units", "shared_units", "shared-units", "shared+units", "SHARED", "Shared"]
)
def test_what_the_menu_says_is_an_address(name: str) -> None:
    assert meant(name) == "shared"


@pytest.mark.parametrize("name", ["units", "shared", "ablation", "nonsense", "", "homes", "api", "_stcore"])
def test_other_names_stay_what_they_are(name: str) -> None:
    assert meant(name) is None


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/home", "/"),
        ("/home/", "/"),
        ("/home?network=a%20b&dataset=c%26d&x", "/?network=a%20b&dataset=c%26d&x"),
        ("/Shared%20units?pair=a,b", "/shared?pair=a,b"),
        ("/Units/?unit=3", "/units?unit=3"),
    ],
)
def test_the_way_keeps_view_and_base_path(base: str, asked: str, led: str) -> None:
    answer = get(Starlette(routes=site.routes()), f"{base}{asked}")
    assert answer.status == 307
    place = answer.headers["location"]
    assert place.startswith("."), "whoever stands before the server knows its name, scheme and path"
    assert urljoin(f"http://here{base}{asked}", place) == f"http://here{base}{led}"


def test_right_addresses_are_left_alone(base: str) -> None:
    app = Starlette(routes=site.routes())
    assert {get(app, f"{base}/{name}").status for name in ("", "units", "nonsense", "a/home")} == {404}
