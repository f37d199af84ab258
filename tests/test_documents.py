"""What the documents point at is there: files, sections, pictures."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("demo/*.md")])
PICTURES = ROOT / "docs" / "pictures"
MOST = 1_500_000  # bytes of all of the README's pictures, which everybody clones


def prose(text: str) -> str:
    """Without blocks and pieces of code, where brackets are no links."""
    return re.sub(
        r"`[^`\n]*`", "`code`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    )


def links(text: str) -> list[str]:
    """Where a document points to: links, images and sources of pictures, other sites aside."""
    found = re.findall(r"\]\(([^()\s]+)\)", prose(text)) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    return [one for one in found if not re.match(r"[a-z]+:", one)]


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).casefold().strip()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """What can be pointed at within a document."""
    plain = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return {slug(one) for one in re.findall(r"^#+ (.+)$", plain, re.MULTILINE)} | set(
        re.findall(r'<a id="([^"]+)">', text)
    )


def broken(document: Path) -> list[str]:
    """Links of a document that lead nowhere."""
    found = []
    for link in links(document.read_text(encoding="utf-8")):
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            found.append(link)
    return found


def pictures() -> list[Path]:
    """Those that the README shows, dark ones included."""
    shown = links((ROOT / "README.md").read_text(encoding="utf-8"))
    return [ROOT / one for one in shown if one.endswith(".webp")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    assert broken(document) == []


def test_a_broken_link_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(
        '# A title: `x`\n<a id="own"></a>\n```\n# no title\n```\n', encoding="utf-8"
    )
    page = tmp_path / "page.md"
    good = (
        "[a](other.md) [b](other.md#a-title-x) [c](other.md#own) [d](https://outside.invalid/x) `[e](no.md)`"
    )
    bad = '[f](gone.md) [g](other.md#no-title) [h](#nowhere) <img src="gone.webp">'
    page.write_text(f"{good}\n{bad}\n", encoding="utf-8")
    assert broken(page) == ["gone.md", "other.md#no-title", "#nowhere", "gone.webp"]


def test_every_document_is_named_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not {path.name for path in ROOT.glob("docs/*.md") if f"](docs/{path.name})" not in text}


def test_every_picture_of_the_readme_is_there_light_and_dark() -> None:
    shown = pictures()
    assert len(shown) >= 4
    names = {path.stem.rpartition("-")[0] for path in shown}
    assert {path.stem for path in shown} == {f"{name}-{kind}" for name in names for kind in ("light", "dark")}
    for path in shown:
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == ("WEBP", (1440, 900))
            low, high = picture.convert("L").getextrema()
            assert high - low > 100, f"{path.name} is empty"
            mean = sum(picture.convert("L").resize((1, 1)).tobytes())
            assert (mean > 127) is path.stem.endswith("light"), path.name


def test_whoever_does_not_see_a_picture_is_told_what_is_seen() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"<picture>.*?</picture>", text, re.DOTALL)
    assert 2 * len(shown) == len(pictures())
    for one in shown:
        assert 'media="(prefers-color-scheme: dark)"' in one
        alt = re.search(r'alt="([^"]+)"', one)
        assert alt
        assert len(alt[1]) > 60


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) <= MOST


def test_the_readme_is_read_in_minutes() -> None:
    """Reference belongs into docs/; at 250 words a minute this is four."""
    assert (
        len(re.sub(r"<[^>]+>", "", prose((ROOT / "README.md").read_text(encoding="utf-8"))).split()) <= 1000
    )
