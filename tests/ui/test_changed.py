"""Photographs and masks that change under a result: neither is ever shown beside numbers of another one."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from tests.planted_dataset import save_mask
from tests.ui.conftest import CONFIG
from tests.ui.test_pages import open_page, words
from ui.server import routes
from ui.session import memory, relevances, resources, results
from ui.session.relevances import Spot, Wanted
from ui.session.view import LayerView
from ui.shell.sidebar import Ask

ASK = Ask("classy", "classed")
WANTED = Wanted("classy", "classed")
HERE = {"network": "classy", "dataset": "classed"}


@pytest.fixture
def folder(installation: Path, related: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the classed data set, with the results made of it, that a test may change."""
    shutil.copytree(installation / "classed", tmp_path / "classed")
    shutil.copytree(related, tmp_path / "cache")
    (tmp_path / "unitscope.toml").write_text(CONFIG)
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.delenv("INTERPRET_DATASETS", raising=False)
    return tmp_path / "classed"


def view() -> LayerView:
    found = results.layer(ASK, "conv2")
    assert found is not None
    return found


def get(address: str) -> Response:
    """What the route of an address answers."""
    parts = urlsplit(address)
    kind, name = parts.path.removeprefix("/api/").split("/", 1)
    handler: Callable[[Request], Response] = {"photo": routes.photo, "thumb": routes.thumbnail}[kind]
    path = {"image" if kind == "photo" else "unit": name.removesuffix(".jpg")}
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "path_params": path}
    return routes._guarded(handler)(Request(scope | {"query_string": parts.query.encode()}))


def photo_address(image: int) -> str:
    return f"{image}".join(resources.photo(view()))


def picture_file(folder: Path, image: int) -> Path:
    return folder / "images" / results.dataset("classed").records[image].image


def recolour(path: Path) -> bytes:
    """Another picture of the same size; the bytes of the one before."""
    before = path.read_bytes()
    Image.fromarray(255 - np.asarray(Image.open(io.BytesIO(before)))).save(path)
    return before


def test_a_changed_photograph_is_not_shown_under_the_old_result(folder: Path) -> None:
    address = photo_address(4)
    path = picture_file(folder, 4)
    before = recolour(path)
    answer = get(address)
    assert answer.status_code == 404
    assert b"Data set classed is another one than when this result was computed" in answer.body
    assert b"\n" not in answer.body
    assert get(address).status_code == 404, (
        "the data set has been opened anew: the page's result is an old one"
    )
    assert get(address.split("&v=")[0]).status_code == 200, "whoever names no result gets what is there"
    path.write_bytes(before)
    assert results.dataset("classed", since=2e12).digest == view().facts.dataset_digest
    again = get(address)
    assert again.status_code == 200
    assert "immutable" in again.headers["cache-control"]


def test_a_photograph_put_back_at_once_is_shown(folder: Path) -> None:
    address, path = photo_address(5), picture_file(folder, 5)
    before = recolour(path)
    path.write_bytes(before)
    assert get(address).status_code == 200


def test_a_removed_photograph_is_a_change_too(folder: Path) -> None:
    address = photo_address(6)
    picture_file(folder, 6).unlink()
    answer = get(address)
    assert answer.status_code == 404
    assert b"is another one than when this result was computed" in answer.body


def test_an_old_tab_gets_no_picture_of_the_new_data_set(folder: Path) -> None:
    photo, patch = photo_address(7), "3".join(resources.thumbnail(view()))
    old = dict(parse_qsl(urlsplit(patch).query))["v"]
    assert old == view().key
    recolour(picture_file(folder, 0))
    assert results.dataset("classed", since=2e12).digest != dict(parse_qsl(urlsplit(photo).query))["v"]
    for address in (photo, patch):
        answer = get(address)
        assert answer.status_code == 404
        assert b"\n" not in answer.body


def test_a_changed_thumbnail(folder: Path) -> None:
    unit = int(np.flatnonzero(view().record["top_image"][:, 0] >= 0)[0])
    address = f"{unit}".join(resources.thumbnail(view()))
    recolour(picture_file(folder, int(view().record["top_image"][unit, 0])))
    assert get(address).status_code == 404


def unit_page() -> Any:
    return open_page("pages/units.py", **HERE, layer="conv2", unit="3")


def test_a_unit_s_page_says_that_a_mask_changed(folder: Path) -> None:
    """The masks drawn over the photographs belong to the result, or are not drawn."""
    assert not unit_page().error
    memory.forget()  # annotations that were read before are still right
    assert results.layers(ASK) is not None
    for path in (folder / "images/planted").glob("*_*.png"):
        save_mask(path, np.zeros((56, 56), np.uint16))
    app = unit_page()
    assert not app.exception
    assert "Data set classed is another one than when this result was computed" in words(app)
    assert "has not been profiled yet" in words(unit_page()), (
        "from then on the page is that of the new data set"
    )


def test_a_class_s_page_says_that_a_mask_changed(folder: Path) -> None:
    place = {"of": "classy", "layer": "conv2", "class": "red square"}
    app = open_page("pages/relevance.py", **HERE, **place)
    assert not app.error
    memory.forget()
    assert relevances.find(WANTED).records
    for path in (folder / "images/planted").glob("*_object_*.png"):
        save_mask(path, np.zeros((56, 56), np.uint16))
    app = open_page("pages/relevance.py", **HERE, **place)
    assert not app.exception
    assert "is another one than when this result was computed" in words(app)


def test_names_of_images_are_those_of_the_result(folder: Path) -> None:
    """A table with fewer rows is another data set, not an index out of range."""
    found, source = view(), results.source(view())
    assert source.names([30]) == ["planted/00030.png"]
    lines = (folder / "index.csv").read_text().splitlines(keepends=True)
    (folder / "index.csv").write_text("".join(lines[:10]))
    with pytest.raises(Exception, match="is another one than when this result was computed"):
        source.names([30])
    query = dict(parse_qsl(urlsplit(resources.download(found, "unit.json", 3)).query))
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    parts = {"query_string": "&".join(f"{k}={v}" for k, v in query.items()).encode()}
    answer = routes._guarded(routes.download)(Request(scope | parts | {"path_params": {"kind": "unit.json"}}))
    assert answer.status_code == 404
    assert b"Traceback" not in answer.body


def test_a_map_is_of_the_photograph_that_the_relevance_is_of(folder: Path) -> None:
    key, record = relevances.keyed(WANTED, "red square")
    image = int(record.images[0])
    recolour(picture_file(folder, image))
    with pytest.raises(Exception, match="is another one than when this result was computed"):
        relevances.map_of(Spot(WANTED, "red square", image, "conv2"), key)


def test_an_ablation_stops_in_one_line_and_the_page_moves_on(folder: Path) -> None:
    """What is evaluated on the spot is of the data set that the page is about, or is not shown."""
    place = {"class": "red square", "by": "random", "percent": "7", "layers": "conv2"}
    assert not open_page("pages/ablation.py", **HERE).error  # what lies before conv1 is kept in memory
    for image in range(36):
        recolour(picture_file(folder, image))
    app = open_page("pages/ablation.py", **HERE, **place)
    assert not app.exception
    assert "is not the file that it was when the data set was read" in words(app)
    app = open_page("pages/ablation.py", **HERE, **place)
    assert not app.exception
    assert "is not the file that it was" not in words(app), "it is looked at anew, not a minute later"
