"""Prints the route table that the server answers by, as JSON: `python -m tests.ui.access.route_table`."""

from __future__ import annotations

import json

from starlette.routing import Mount, Route, WebSocketRoute

import serve


def main() -> None:
    """Kind, path and methods of each route, those of Streamlit and our own."""
    app = serve.app
    app._runtime = app._create_runtime()
    found = []
    for route in app._build_starlette_app().routes:
        if isinstance(route, WebSocketRoute):
            found.append(["websocket", route.path, []])
        elif isinstance(route, Mount):
            found.append(["http", f"{route.path}/x", ["GET"]])
        elif isinstance(route, Route):
            found.append(["http", route.path, sorted(route.methods or ["GET"])])
        else:
            raise TypeError(f"{route!r} is a kind of route that no test knows.")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
