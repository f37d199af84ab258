"""Pictures and downloads beside the app: plain cached GETs instead of bytes through the websocket.

Only registered names and numbers are taken, each checked here; a name never becomes a path. An address
carries the digest of what it shows (`v`), so a browser keeps the answer for good. When the digest is not the
current one (a tab opened before the data set changed), there is no picture: today's does not belong to the
numbers beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from interpret_core.analyses.profile.request import MIN_IMAGES
from interpret_core.analyses.relevance.maps import ImageMap
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.datasets import held
from interpret_core.errors import UnitscopeError, UserError
from interpret_core.options import field_of
from interpret_core.positions import GridLines
from interpret_core.privacy import pictures_leave, without_paths
from ui.access import visitors
from ui.access.roles import Role
from ui.access.visitors import NotAllowedError
from ui.components.search.index import StillReading
from ui.components.search.search import KEPT, OWN
from ui.server import documents, exports, handbook, pictures, relevance_maps, searches
from ui.server.searches import Searched
from ui.session import relevances, results
from ui.session.live import presence
from ui.session.live import queue as live
from ui.session.live.queue import AFTER, Busy, Left
from ui.session.memory import kept, using
from ui.session.relevances import Spot, Wanted
from ui.session.view import LayerView
from ui.shell.addresses import prefix
from ui.shell.component import SCRIPTS
from ui.shell.names import file_stem
from ui.shell.sidebar import Ask
from ui.shell.state import CUTOFF_DEFAULT, CUTOFF_MAX, IMAGES_MAX

FOREVER = "private, max-age=31536000, immutable"
BRIEFLY = "private, max-age=60"
SELECTION = ("network", "dataset")  # of a search's parameters: each hit has its own


class Wrong(Exception):
    """An address that names nothing."""


def routes() -> list[Route]:
    """Routes below `/api`, and what there is to read, under `server.baseUrlPath`."""
    base = prefix()
    return [
        *documents.routes(),
        *handbook.routes(),
        Route(f"{base}/thumb/{{unit}}.jpg", _guarded(thumbnail)),
        Route(f"{base}/photo/{{image}}.jpg", _guarded(photo)),
        Route(f"{base}/map/{{kind}}/{{image}}.png", _guarded_live(relevance_map)),
        Route(f"{base}/download/{{kind}}", _guarded(download)),
        Route(f"{base}/script/{{name}}", _guarded(script)),
        Route(f"{base}/search", _apart(_guarded(search))),
    ]


def thumbnail(request: Request) -> Response:
    """A unit's best patch."""
    view = _view(request)
    current = _current(request, view.key)
    unit = _number(str(request.path_params["unit"]))
    if unit is None or unit >= view.layer.units or int(view.record["top_image"][unit, 0]) < 0:
        raise Wrong(f"{view.layer.name} has no picture for the unit asked for.")
    return _jpeg(request, _patch(unit, view), current=current)


def photo(request: Request) -> Response:
    """One photograph of a data set, as the network's input size shows it."""
    name = _registered(request, "dataset", results.dataset_names())
    image = _number(str(request.path_params["image"]))
    if image is None:
        raise Wrong(f"Images of {name} are counted by whole numbers.")
    digest = results.dataset(name).digest
    current = _current(request, digest[:16])
    return _jpeg(request, _photo(digest, image, name), current=current)


def download(request: Request) -> Response:
    """A layer's table or a unit's record."""
    kind, view = request.path_params["kind"], _view(request)
    stem = file_stem(view.network, view.dataset, view.layer.name)
    named = pictures_leave(request.query_params.get("pictures", "1") != "0")
    if kind == "layer.csv":
        return _attachment(
            Response(exports.layer_csv(view), media_type="text/csv; charset=utf-8"), f"{stem}.csv"
        )
    if kind == "layer.json":
        return _attachment(JSONResponse(exports.layer_json(view, named=named)), f"{stem}.json")
    if kind == "unit.json":
        unit = _whole(request, "unit", 0, 0, view.layer.units - 1)
        told = exports.unit_json(view, unit, results.source(view), named=named)
        return _attachment(JSONResponse(told), f"{stem}_{unit}.json")
    raise Wrong(f"No download {kind[:40]!r}; there are layer.csv, layer.json and unit.json.")


def script(request: Request) -> Response:
    """The script of a component."""
    text = SCRIPTS.get(str(request.path_params["name"]))
    if text is None:
        raise Wrong("There is no such script: reload the page.")
    return Response(text, media_type="text/javascript", headers={"Cache-Control": FOREVER})


def search(request: Request) -> Response:
    """What the search box shows for what is typed."""
    asked = request.query_params
    searched = Searched(
        asked.get("network", ""),
        _registered(request, "dataset", results.dataset_names()),
        _whole(request, "min_images", MIN_IMAGES, 1, IMAGES_MAX),
        _cutoff(request),
        {name: asked[name] for name in KEPT if name in asked and name not in (*SELECTION, *OWN)},
        {name: asked[name] for name in OWN if name in asked},
    )
    told = searches.answer(searched, asked.get("q", ""))
    return Response(told, media_type="application/json", headers={"Cache-Control": "no-store"})


async def relevance_map(request: Request) -> Response:
    """Integrated gradients of an image, see-through where nothing is; computed when first asked for.

    kind "layer": the sum over the layer's units, or one unit's with its sign; "pixel": the input's, signed.
    Whoever waits for a map, or computes one, holds none of the threads that serve everything else.
    """
    readers = _readers()
    asked = await to_thread.run_sync(_map_asked, request, limiter=readers)
    found = relevances.map_at_hand(asked.spot, asked.key)
    if found is None:
        visitors.require_of(request, Role.VIEWER, "Computing a map")
        compute = partial(relevances.map_of, asked.spot, asked.key)
        found = await live.queue().computed(presence.who(request), compute, request.is_disconnected)
    content = await to_thread.run_sync(asked.draw, found, limiter=readers)
    return _picture(request, content, "image/png", current=asked.current)


@lru_cache(maxsize=1)
def _readers() -> CapacityLimiter:
    return CapacityLimiter(2)


class _MapAsked(NamedTuple):
    """What an address asks for: whose map, under which key, how it is drawn."""

    spot: Spot
    key: str
    current: bool
    draw: Callable[[ImageMap], bytes]


def _map_asked(request: Request) -> _MapAsked:
    kind, image = str(request.path_params["kind"]), _number(str(request.path_params["image"]))
    name = request.query_params.get("class", "")
    wanted = _wanted(request)
    key, record = relevances.keyed(wanted, name)
    current = _current(request, key)
    if image is None or image not in record.images:
        raise Wrong(f"Class {name} has no such image among those computed.")
    shape = relevance_maps.picture_shape(tuple(record.metadata["annotation_size"]))
    if kind == "pixel":
        pixel = partial(_pixel_map, shape=shape)
        return _MapAsked(Spot(wanted, name, image), key, current, pixel)
    if kind != "layer":
        raise Wrong(f"No map {kind[:40]!r}; there are layer and pixel.")
    layer = request.query_params.get("layer", "")
    units = next((one.units for one in record.layers if one.name == layer), None)
    if units is None:
        raise Wrong(f"{wanted.network} has no layer of this name.")
    unit = _whole(request, "unit", -1, 0, units - 1) if "unit" in request.query_params else None
    drawn = partial(_layer_map, unit=unit, shape=shape, lines=record.lines(layer))
    return _MapAsked(Spot(wanted, name, image, layer), key, current, drawn)


def _pixel_map(found: ImageMap, shape: tuple[int, int]) -> bytes:
    return relevance_maps.signed_picture(found.signed, shape, relevance_maps.PIXEL_QUANTILE)


def _layer_map(found: ImageMap, unit: int | None, shape: tuple[int, int], lines: GridLines | None) -> bytes:
    if unit is None:
        return relevance_maps.size_picture(found.absolute, shape, lines)
    return relevance_maps.signed_picture(found.units[unit], shape, lines=lines)


def _current(request: Request, digest: str) -> bool:
    """Whether the address names this digest; without any, it asks for whatever is there now."""
    asked = request.query_params.get("v", "")
    if asked and asked != digest:
        raise Wrong("The page that asks for this shows an earlier result: reload it.")
    return bool(asked)


def _wanted(request: Request) -> Wanted:
    """Whose relevance the address asks for; each word is one of those known."""
    words = {}
    for name in ("method", "baseline", "output", "split"):
        field = field_of(RelevanceRequest, name)
        words[name] = request.query_params.get(field.query, "")
        if words[name] not in field.choices:
            raise Wrong(f"{field.query} is expected to be one of {', '.join(field.choices)}.")
    return Wanted(
        _registered(request, "network", results.network_names()),
        _registered(request, "dataset", results.dataset_names()),
        **words,
    )


def _guarded(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """One line and a status in place of a traceback."""

    def guarded(request: Request) -> Response:  # not a coroutine: Starlette runs it in a thread
        try:
            with using():
                return answer(request)
        except (UnitscopeError, Wrong, StillReading) as error:
            return _told(error)

    return guarded


def _apart(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """The same in one of a few threads of its own: it may have to wait, and pictures must not wait for it."""

    async def apart(request: Request) -> Response:
        return await to_thread.run_sync(answer, request, limiter=_searchers())

    return apart


@lru_cache(maxsize=1)
def _searchers() -> CapacityLimiter:
    return CapacityLimiter(4)


def _guarded_live(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """The same for what may have to wait for its turn."""

    async def guarded(request: Request) -> Response:
        try:
            return await answer(request)
        except Left:
            return Response(status_code=499)  # nobody reads it
        except (UnitscopeError, Wrong) as error:
            return _told(error)

    return guarded


def _told(error: Exception) -> Response:
    """The line, and its status."""
    if isinstance(error, Busy):
        return PlainTextResponse(str(error), status_code=429, headers={"Retry-After": str(AFTER)})
    if isinstance(error, StillReading):
        return PlainTextResponse(str(error), status_code=202)
    if isinstance(error, NotAllowedError):
        return PlainTextResponse(str(error), status_code=403)
    status = 404 if isinstance(error, Wrong | UserError) else 503
    return PlainTextResponse(without_paths(str(error)), status_code=status)


def _view(request: Request) -> LayerView:
    network = _registered(request, "network", results.network_names())
    dataset = _registered(request, "dataset", results.dataset_names())
    least = _whole(request, "min_images", MIN_IMAGES, 1, 1000)
    ask = Ask(network, dataset, least, _cutoff(request))
    view = results.layer(ask, request.query_params.get("layer", ""))
    if view is None:
        raise Wrong(f"No result for this layer of {network} on {dataset}.")
    return view


def _registered(request: Request, name: str, known: tuple[str, ...]) -> str:
    value = request.query_params.get(name, "")
    if value not in known:
        raise Wrong(f"The {name} asked for is not registered.")
    return value


def _whole(request: Request, name: str, default: int, low: int, high: int) -> int:
    value = _number(request.query_params.get(name, str(default)))
    if value is None or not low <= value <= high:
        raise Wrong(f"{name} is expected to be a whole number from {low} to {high}.")
    return value


def _number(raw: str) -> int | None:
    """A whole number of at most nine digits: Python refuses to read one of thousands, with an exception."""
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) <= 9 else None


def _cutoff(request: Request) -> float:
    try:
        value = float(request.query_params.get("cutoff", CUTOFF_DEFAULT))
    except ValueError:
        value = -1.0
    if not 0 <= value <= CUTOFF_MAX:
        raise Wrong(f"cutoff is expected to be an IoU from 0 to {CUTOFF_MAX}.")
    return value


@kept(16384, kind="pictures")
def _patch_bytes(
    dataset: str, digest: str, place: tuple[int, int, tuple[int, int], float, GridLines]
) -> bytes:
    image, peak, grid, share, lines = place
    with held():
        pixels = results.photograph(dataset, digest, image)
        return pictures.thumbnail(pixels, pictures.patch_box(peak, grid, pixels.shape[:2], share, lines))


def _patch(unit: int, view: LayerView) -> bytes:
    side = view.layer.grid[0] * (view.layer.stride or 1)
    place = (
        int(view.record["top_image"][unit, 0]),
        int(view.record["top_peak"][unit, 0]),
        view.layer.grid,
        pictures.patch_share(view.layer.receptive_field, side),
        view.layer.placed,
    )
    return _patch_bytes(view.dataset, view.facts.dataset_digest, place)


@kept(512, kind="pictures")
def _photo(digest: str, image: int, name: str) -> bytes:
    with held():
        return pictures.jpeg(results.photograph(name, digest, image), pictures.PHOTO)


def _jpeg(request: Request, content: bytes, *, current: bool) -> Response:
    return _picture(request, content, "image/jpeg", current=current)


def _picture(request: Request, content: bytes, kind: str, *, current: bool) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers: dict[str, Any] = {"ETag": tag, "Cache-Control": FOREVER if current else BRIEFLY}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


def _attachment(response: Response, name: str) -> Response:
    plainly = "".join(c if c.isascii() else "-" for c in name)  # for what does not know the other
    other = "" if plainly == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = f'attachment; filename="{plainly}"{other}'
    response.headers["Cache-Control"] = "no-store"
    return response
