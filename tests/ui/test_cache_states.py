"""Pages over a cache that cannot be written, and over one that is deleted under the running server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from interpret_core import jobs
from tests.slow import slow
from tests.store.mounts import read_only, run
from tests.ui.conftest import server_environment
from tests.ui.test_pages import open_page, words
from ui.session import stored, work
from ui.shell.sidebar import Ask

PAGES = ("home", "units", "concepts", "relevance", "agreement", "shared", "ablation")
OFFERS = (
    "Compute it",
    "Find what its units detect (all layers)",
    "Compute the relevance",
    "Precompute them",
)
ASK = Ask("classy", "classed")

TOUR = """
import json, os, sys
os.environ.update(json.loads(sys.argv[1]))
from tests.ui.test_cache_states import OFFERS
from tests.ui.test_pages import open_page, words
from tests.slow import slow

found = {}
for page, parameters in json.loads(sys.argv[2]):
    app = open_page(f"pages/{page}.py", network="classy", dataset="classed", **parameters)
    seen = {
        "exceptions": [error.value for error in app.exception],
        "errors": [error.value for error in app.error],
        "words": words(app),
        "pressed": [],
    }
    for button in app.button:
        if button.label in OFFERS:
            button.click().run()
            seen["pressed"] = [error.value for error in (*app.error, *app.exception)]
            break
    found[f"{page} {parameters}"] = seen
print(json.dumps(found))
"""


@pytest.mark.thorough
def test_every_page_shows_what_a_read_only_cache_holds(
    installation: Path, ablated: Path, tmp_path: Path
) -> None:
    """Also what it would like to keep and cannot: another rule's outline, means, an ablation by hand."""
    cache = tmp_path / "cache"
    shutil.copytree(ablated, cache)
    for path in cache.glob("results/cache.db-*"):
        path.unlink()
    tour = [(page, {}) for page in PAGES]
    tour += [
        ("units", {"min_images": "3"}),
        ("ablation", {"value": "mean"}),
        ("relevance", {"method": "conductance"}),
    ]
    environment = json.dumps(server_environment(installation, cache))
    found = json.loads(run(TOUR, environment, json.dumps(tour), prefix=read_only(cache)).splitlines()[-1])
    assert len(found) == len(tour)
    for name, page in found.items():
        assert page["exceptions"] == page["errors"] == [], name
    for name in ("units {}", "concepts {}", "relevance {}", "agreement {}", "ablation {}"):
        assert "has not been" not in found[name]["words"]
    line = f"The cache folder {cache} cannot be written by this user (Read-only file system)."
    for name in ("units {'min_images': '3'}", "relevance {'method': 'conductance'}"):
        (told,) = found[name]["pressed"]
        assert told.replace("\\", "").startswith(line)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["", slow("results"), "results/cache.db"])
def test_pages_recover_from_a_deleted_cache(
    part: str, installation: Path, related: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(related, cache)
    for name, value in server_environment(installation, cache).items():
        monkeypatch.setenv(name, value)
    assert "has not been profiled yet" not in words(
        open_page("pages/units.py", network="classy", dataset="classed")
    )
    if part.endswith(".db"):
        (cache / part).unlink()
    else:
        shutil.rmtree(cache / part)
    for page in PAGES:
        app = open_page(f"pages/{page}.py", network="classy", dataset="classed")
        assert not app.exception
        assert not app.error
    app = open_page("pages/units.py", network="classy", dataset="classed")
    if not part.endswith(".db"):  # else the entries' own files are there, and are found again
        assert "has not been profiled yet" in words(app)
        next(
            button for button in app.button if button.label == "Find what its units detect (all layers)"
        ).click().run()
        assert not app.error
        job = work.job(ASK.request())
        assert job is not None
        ended = jobs.wait(stored.store(), job.id, 120)
        assert ended is not None
        assert ended.state == "done", ended.message
    app = open_page("pages/units.py", network="classy", dataset="classed")
    assert not app.error
    assert "has not been profiled yet" not in words(app)
