"""The route that computes maps takes registered names and known numbers, which are computed in turn."""

from __future__ import annotations

import asyncio
import io
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from ui.server import relevance_maps, routes
from ui.session import relevances, resources
from ui.session.relevances import Spot, Wanted
from ui.shell import addresses

pytestmark = pytest.mark.usefixtures("with_relevance")
WANTED = Wanted("classy", "classed")


def ask(query: dict[str, Any], kind: str = "layer", image: object = 0) -> Response:
    """Call the handler as Starlette would."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": urlencode(query).encode(),
        "headers": [],
        "path_params": {"kind": kind, "image": str(image)},
    }
    return asyncio.run(routes._guarded_live(routes.relevance_map)(Request(scope, receive)))


async def receive() -> dict[str, Any]:
    """Nothing more comes from whoever asks, who stays."""
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


def query(**changes: str) -> dict[str, str]:
    key, _ = relevances.keyed(WANTED, "red square")
    return {**WANTED._asdict(), "class": "red square", "layer": "conv2", "v": key, **changes}


def first() -> int:
    return int(relevances.find(WANTED).records["red square"].images[0])


def test_a_layer_s_map_is_the_sum_over_its_units() -> None:
    answer = ask(query(), image=first())
    assert answer.status_code == 200
    assert answer.media_type == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    pixels = np.asarray(Image.open(io.BytesIO(answer.body)))
    assert pixels.shape == (448, 448, 4)
    key, record = relevances.keyed(WANTED, "red square")
    found = relevances.map_of(Spot(WANTED, "red square", first(), "conv2"), key)
    lines = record.lines("conv2")
    assert lines is not None
    assert answer.body == relevance_maps.size_picture(np.abs(found.units).sum(0), (448, 448), lines)
    assert found.units.shape[0] == 32
    # The map adds up to what the whole run found for this image.
    change = float(record.arrays["change"][0, 1])
    assert float(found.units.sum()) == pytest.approx(change, rel=0.06, abs=1e-4)


def test_one_unit_and_the_pixels_keep_their_sign() -> None:
    layer, unit = ask(query(), image=first()), ask(query(unit="4"), image=first())
    pixel = ask(query(), kind="pixel", image=first())
    assert len({layer.body, unit.body, pixel.body}) == 3
    key, record = relevances.keyed(WANTED, "red square")
    found = relevances.map_of(Spot(WANTED, "red square", first(), "conv2"), key)
    assert unit.body == relevance_maps.signed_picture(found.units[4], (448, 448), lines=record.lines("conv2"))


def test_an_address_of_another_result_gets_no_map() -> None:
    answer = ask(query(v="0" * 40), image=first())
    assert answer.status_code == 404
    assert b"shows an earlier result: reload it" in answer.body
    nameless = ask({name: value for name, value in query().items() if name != "v"}, image=first())
    assert nameless.status_code == 200
    assert "immutable" not in nameless.headers["cache-control"]


@pytest.mark.parametrize(
    ("changes", "kind", "image"),
    [
        ({"network": "tests.ui.networks:classy"}, "layer", 0),
        ({"dataset": "/etc"}, "layer", 0),
        ({"class": "unicorn"}, "layer", 0),
        ({"class": "../.."}, "layer", 0),
        ({"layer": "conv9"}, "layer", 0),
        ({"unit": "32"}, "layer", 0),
        ({"unit": "-1"}, "layer", 0),
        ({"unit": "9" * 5000}, "layer", 0),
        ({"method": "magic"}, "layer", 0),
        ({"baseline": ""}, "layer", 0),
        ({"split": "test"}, "layer", 0),
        ({}, "layer", 7),  # a panel
        ({}, "layer", "9" * 5000),
        ({}, "sound", 0),
        ({"baseline": "mean"}, "layer", 0),  # not computed
    ],
)
def test_anything_else_is_refused_in_one_line(changes: dict[str, str], kind: str, image: object) -> None:
    answer = ask(query(**changes), kind, first() if image == 0 else image)
    assert answer.status_code == 404
    assert len(bytes(answer.body).splitlines()) == 1


def test_addresses_say_what_they_show() -> None:
    address = "3".join(resources.relevance_map("layer", **query(unit="4")))
    assert urlsplit(address).path == "/api/map/layer/3.png"
    assert dict(parse_qsl(urlsplit(address).query))["unit"] == "4"
    assert addresses.page("units", network="a b", unit=3, annotate="") == "/units?network=a+b&unit=3"
