"""MkDocs' hooks: which pages there are, what is on them, and what leaves them before they are written."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # MkDocs loads this file by its path

from handbook import inclusions, notebooks, places, reference
from handbook.formulas import Formulas

OWN = ("style.css", "logo.svg")  # beside this file
FONT = "inter-latin-wght-normal.woff2"
SERVER = "http://127.0.0.1:8501/"  # in links of the README to pages of the dashboard, which serves the site
_SCRIPT = re.compile(r"<script>(.+?)</script>", re.DOTALL)
_UNUSED = ("404.html", "sitemap.xml", "sitemap.xml.gz")  # need the site's address, which nobody knows


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Formulas, anchors as the repository's host makes them, notebooks as the pages they become."""
    config.markdown_extensions.append(Formulas())
    config.mdx_configs.setdefault("toc", {})["slugify"] = places.slug
    config.nav = _pages(config.nav)
    return config


def _pages(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_pages(one) for one in nav]
    if isinstance(nav, dict):
        return {title: _pages(one) for title, one in nav.items()}
    return places.page_of(f"{places.DOCS}{nav}")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Pages made of what does not lie in docs/, executed notebooks, style and font."""
    made = {page: (places.ROOT / file).read_text(encoding="utf-8") for file, page in places.OUTSIDE.items()}
    made[places.OUTSIDE["LICENSE"]] = f"# Licence\n\n{made[places.OUTSIDE['LICENSE']]}"
    made[places.TOUR] = f"# Tour\n\n<!-- include ../README.md#{places.MINUTE} -->\n"
    made[places.API] = reference.page()
    for name in OWN:
        made[f"assets/{name}"] = Path(__file__).with_name(name).read_text(encoding="utf-8")
    for file in [one for one in files if one.src_uri.endswith(".ipynb")]:
        files.remove(file)
        page = places.page_of(places.DOCS + file.src_uri)
        made[page] = notebooks.page(Path(str(file.abs_src_path)), run=config.extra.get("run_notebooks", True))
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    font = places.ROOT / "static" / FONT
    files.append(File.generated(config, f"assets/{FONT}", content=font.read_bytes()))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links between files become links between pages, then comes what is included."""
    name = page.file.src_uri
    file = {page: file for file, page in places.OUTSIDE.items()}.get(name, places.DOCS + name)
    text = inclusions.included(places.spaced(places.relinked(markdown, file, name)), name)
    if name == places.TOUR:
        text = text.replace(f"## {places.MINUTE}\n", "", 1)
    return text


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """No script stands in a page, so that the server's content-security policy need not name any."""
    site = Path(config.site_dir)

    def apart(found: re.Match[str]) -> str:
        content = found[1].encode()
        name = f"assets/inline/{hashlib.sha256(content).hexdigest()[:16]}.js"
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(content)
        return f'<script src="{"../" * page.url.count("/")}{name}"></script>'

    up = "../" * (page.url.count("/") + 1)
    return _SCRIPT.sub(apart, output).replace(f'href="{SERVER}', f'href="{up}')


def on_post_build(*, config: MkDocsConfig) -> None:
    """Leave out what would hold a wrong address."""
    for name in _UNUSED:
        Path(config.site_dir, name).unlink(missing_ok=True)
