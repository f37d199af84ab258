"""Routes take registered names and numbers, nothing else; answers are cached by digest."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from tests.ui.test_pages import open_page
from ui.server import routes
from ui.session import resources, results
from ui.shell import addresses
from ui.shell.sidebar import Ask

pytestmark = pytest.mark.usefixtures("full")
SELECTION = {"network": "small", "dataset": "planted", "layer": "conv2"}


def ask(route: str, query: dict[str, Any], headers: dict[str, str] | None = None, **path: Any) -> Response:
    """Call a route's handler as Starlette would."""
    handlers = {"thumb": routes.thumbnail, "photo": routes.photo, "download": routes.download}
    handlers["script"] = routes.script
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": urlencode(query).encode(),
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
        "path_params": path,
    }
    return routes._guarded(handlers[route])(Request(scope))


def test_thumbnail_is_kept_for_good_by_its_digest() -> None:
    view = results.layer(Ask("small", "planted"), "conv2")
    assert view is not None
    before, after = resources.thumbnail(view)
    query = dict(parse_qsl(urlsplit(f"{before}3{after}").query))
    answer = ask("thumb", query, unit=3)
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(bytes(answer.body))).size == (112, 112)
    assert "immutable" in answer.headers["cache-control"]
    again = ask("thumb", query, {"if-none-match": answer.headers["etag"]}, unit=3)
    assert again.status_code == 304
    nameless = ask("thumb", {name: value for name, value in query.items() if name != "v"}, unit=3)
    assert "immutable" not in nameless.headers["cache-control"]
    old = ask("thumb", {**query, "v": "0" * 40}, unit=3)
    assert old.status_code == 404
    assert b"shows an earlier result: reload it" in bytes(old.body)


def test_scripts_of_components_are_fetched_once_and_not_sent() -> None:
    """By the digest in their address; a message holds the line that imports one, and no script."""
    app = open_page("pages/units.py", network="small", dataset="planted", layer="conv2", unit="3")
    lines = [node.proto.js_content for node in app.get("bidi_component")]
    assert len(lines) >= 4
    for line in lines:
        assert len(line) < 250
        (name,) = re.findall(r"/api/script/([a-z_]+-[0-9a-f]{16}\.js)", line)
        answer = ask("script", {}, name=name)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
        assert bytes(answer.body).count(b"export function drawComponent(") == 1
    assert ask("script", {}, name="menu-0000000000000000.js").status_code == 404


def test_photograph() -> None:
    answer = ask("photo", {"dataset": "planted"}, image=2)
    assert Image.open(io.BytesIO(bytes(answer.body))).size == (224, 224)
    assert ask("photo", {"dataset": "planted"}, image=24).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {},
        {**SELECTION, "network": "os.path:join"},
        {**SELECTION, "network": "../../etc/passwd"},
        {**SELECTION, "dataset": "/etc"},
        {**SELECTION, "layer": "conv9"},
        {**SELECTION, "min_images": "-1"},
        {**SELECTION, "min_images": "١٠"},
        {**SELECTION, "cutoff": "nan"},
        {**SELECTION, "cutoff": "x"},
        {**SELECTION, "min_images": "3"},
    ],
)
def test_anything_else_is_one_line_and_404(query: dict[str, str]) -> None:
    for answer in (
        ask(
            "thumb",
            {k: v for k, v in query.items() if k != "cutoff"} if "cutoff" in query else query,
            unit=999,
        ),
        ask("download", {**query, "unit": "1"}, kind="unit.json" if "min_images" not in query else "x"),
    ):
        assert answer.status_code == 404
        assert b"\n" not in bytes(answer.body)
        assert b"Traceback" not in bytes(answer.body)


LONG = "9" * 5000


def get(address: str) -> Response:
    """Through the router as well: its own convertors read numbers too."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": [],
    }
    for route in routes.routes():
        match, child = route.matches(scope)
        if match is Match.FULL:
            return route.endpoint(Request(scope | child))
    return Response(b"Not Found", status_code=404)


@pytest.mark.parametrize(
    "address",
    [
        f"/api/thumb/{LONG}.jpg?{urlencode(SELECTION)}",
        f"/api/thumb/1.jpg?{urlencode({**SELECTION, 'min_images': LONG})}",
        f"/api/thumb/-1.jpg?{urlencode(SELECTION)}",
        f"/api/thumb/%D9%A1.jpg?{urlencode(SELECTION)}",
        f"/api/photo/{LONG}.jpg?dataset=planted",
        "/api/photo/x.jpg?dataset=planted",
        f"/api/download/unit.json?{urlencode({**SELECTION, 'unit': LONG})}",
        f"/api/download/layer.csv?{urlencode({**SELECTION, 'cutoff': LONG})}",
        f"/api/download/{LONG}?{urlencode(SELECTION)}",
    ],
)
def test_long_numbers_are_one_line_and_404(address: str) -> None:
    answer = get(address)
    assert answer.status_code == 404
    assert b"\n" not in bytes(answer.body)
    assert len(answer.body) < 200


def test_downloads_carry_the_evidence() -> None:
    table = ask("download", SELECTION, kind="layer.csv")
    assert table.status_code == 200
    assert bytes(table.body).count(b"\n") == 33
    assert 'filename="small_planted_conv2.csv"' in table.headers["content-disposition"]
    unit = json.loads(bytes(ask("download", {**SELECTION, "unit": "4"}, kind="unit.json").body))
    assert unit["unit"] == 4
    assert (
        unit["evidence"] == unit["network"]["evidence"]
        if isinstance(unit["network"], dict)
        else unit["evidence"]
    )
    assert ask("download", SELECTION, kind="layer.json").status_code == 200


def test_base_path_stands_before_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses.config, "get_option", lambda name: "/scope/")
    assert addresses.prefix() == "/scope/api"
    assert all(route.path.startswith("/scope/") for route in routes.routes())
