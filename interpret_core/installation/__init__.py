"""Where dashboard, documents and demo lie: beside this package in a checkout, within it once installed.

A wheel holds what the checkout has at its top (`app.py`, `serve.py`, `pages`, `ui`, `static`, documents) in
`interpret_core/_dashboard`, since folders of such names belong into nobody's site-packages. `HOME` has these
names in either; running `serve.py`, Streamlit puts it before all other places for modules.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = (PACKAGE / "_dashboard").is_dir()
HOME = PACKAGE / "_dashboard" if INSTALLED else PACKAGE.parent
SITE = HOME / "site"  # the documents as `make docs` builds them; no wheel holds them
DEMO = "unitscope_demo"  # the package that the demo's own distribution (`unitscope-demo`) installs


def demo_folder() -> Path:
    """The checkout's `demo`, else that of the installed distribution; need not be there."""
    own = HOME / "demo"
    if (own / "dataset").is_dir():
        return own
    try:
        spec = importlib.util.find_spec(DEMO)
    except (ImportError, ValueError):  # half removed, or somebody's module of this name without a spec
        spec = None
    return Path(spec.origin).resolve().parent if spec is not None and spec.origin else own


def site_is_built() -> bool:
    """Whether the documents are there as a site; asked anew each time, as somebody may build it any time."""
    return (SITE / "index.html").is_file()
