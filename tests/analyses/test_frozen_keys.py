"""Keys may not change unless the numbers do: every record that the demo ships is found under its key.

Restructuring the code must pass this: a key that comes out otherwise makes everybody compute everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from interpret_core import demo
from interpret_core.analyses.profile.outline import outline_key
from interpret_core.analyses.profile.plan import layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.registry import entries
from interpret_core.networks import spec
from interpret_core.runtime.subjects import identify
from interpret_core.store.bundle.shipped import MANIFEST, Shipped
from interpret_core.store.store import Store

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.usefixtures("demo_shown"),
    pytest.mark.skipif(not (demo.RESULTS / MANIFEST).is_file(), reason="demo/results is not made"),
]
NAMES = [f"{demo.PREFIX}{name}" for name in demo.NETWORKS]


def keys_of(name: str, store: Store) -> Iterator[str]:
    for entry in entries().values():
        analysis = entry.load()
        for request in analysis.shipped(name, demo.NAME):
            plan = analysis.plan(request, store)
            assert not plan.missing, (entry.name, name)
            yield from plan.keys.values()
    request = ProfileRequest(name, demo.NAME)
    yield outline_key(list(layer_keys(request, store).profile.values()), request.min_images)


def test_every_key_of_the_manifest_comes_out_of_the_plans(tmp_path):
    shipped = set(Shipped(demo.RESULTS).manifest["records"])
    with Store(tmp_path / "cache") as store:
        assert {key for name in NAMES for key in keys_of(name, store)} == shipped


def test_what_ships_is_found_with_other_versions_of_libraries_as_well(tmp_path, monkeypatch):
    """They stand in every recipe; the digest of the network that is loaded is what counts."""
    monkeypatch.setattr(spec, "RECIPES", "another")
    with Store(tmp_path / "cache") as store:
        found = identify(NAMES[0], store, recent=True)
        assert found.digest == Shipped(demo.RESULTS).manifest["networks"][NAMES[0]]
        again = identify(NAMES[0], store, recent=True)
        assert (again.digest, again.network) == (found.digest, None), "from now on it is noted"
