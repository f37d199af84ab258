"""What pages of the site are made of: links, inclusions, formulas, notebooks, the page of the public API."""

from __future__ import annotations

import re
from pathlib import Path

import markdown
import nbformat
import pytest

import interpret_core
from handbook import inclusions, notebooks, places, reference
from handbook.formulas import Formulas

SAMPLE = Path(__file__).with_name("sample.ipynb")


@pytest.mark.parametrize(
    ("file", "link", "expected"),
    [
        ("docs/data.md", "networks.md#a", "networks.md#a"),
        ("docs/data.md", "../README.md", "index.md"),
        ("docs/data.md", "../demo/README.md#b", "demo_made.md#b"),
        ("docs/data.md", "../README.md#the-first-minute", "tour.md"),
        ("docs/data.md", "../interpret_core/__init__.py", "api.md"),
        ("docs/data.md", "reference.md#in-python", "api.md"),
        ("docs/data.md", "reference.md#profile", "reference.md#profile"),
        ("docs/data.md", "tutorial.ipynb", "tutorial.md"),
        ("docs/data.md", "#here", "#here"),
        ("docs/data.md", "https://outside.invalid/a.md", "https://outside.invalid/a.md"),
        ("CONTRIBUTING.md", "docs/architecture.md", "architecture.md"),
        ("README.md", "docs/pictures/a.webp", "pictures/a.webp"),
        ("README.md", "LICENSE", "license.md"),
        ("demo/README.md", "../docs/demo.md", "demo.md"),
    ],
)
def test_links_between_files_are_links_between_pages(file: str, link: str, expected: str) -> None:
    assert places.relinked(f"a [b]({link}) c", file, "x.md") == f"a [b]({expected}) c"
    assert places.relinked(f'<img src="{link}">', file, "x.md") == f'<img src="{expected}">'


def test_code_is_left_alone() -> None:
    text = "`[b](../README.md)` [c](../README.md)\n```\n[d](../README.md)\n```\n"
    assert places.relinked(text, "docs/a.md", "a.md") == text.replace(" [c](../README.md)", " [c](index.md)")


def test_a_list_needs_no_empty_line_before_it() -> None:
    text = "a:\n- b\n  c\n- d\n\ne\n1. f\n2. g\n\n```\n- x\n- y\n```\n- `z`\n- w\n"
    assert places.spaced(text) == (
        text.replace("a:\n", "a:\n\n").replace("e\n1.", "e\n\n1.").replace("```\n- `z`", "```\n\n- `z`")
    )


def test_code_is_included_whole_and_a_section_without_its_neighbours() -> None:
    file = "examples/dead_units/dead_units.py"
    code = (places.ROOT / "docs" / file).read_text(encoding="utf-8").rstrip()
    text = inclusions.included(f"a\n<!-- include {file} -->\nb", "x.md")
    assert text == f'a\n```python title="dead_units.py"\n{code}\n```\nb'
    tour = inclusions.included(f"<!-- include ../README.md#{places.MINUTE} -->", "tour.md")
    assert "A label is not yet an explanation" in tour
    assert "Where to read on" not in tour
    assert tour.count("#only-light") == tour.count("#only-dark") > 1
    with pytest.raises(ValueError, match=r"No section 'Nothing'"):
        inclusions.included("<!-- include ../README.md#Nothing -->", "x.md")


def test_formulas_are_drawn_and_code_is_not() -> None:
    made = markdown.markdown(r"a $x_1 * y_2$ `$z$` and $$\frac{a}{b}$$", extensions=[Formulas()])
    assert made.count("<math") == 2
    assert "<code>$z$</code>" in made
    assert '<span class="formula" tabindex="0"><math' in made
    assert "<em>" not in made


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    page = reference.page()
    for name in interpret_core.__all__:
        found = getattr(interpret_core, name)
        if callable(found):
            assert f"heading: ic.{name}\n" in page
            assert f"::: {found.__module__}.{found.__qualname__}\n" in page
    assert "::: interpret_core.api.results.ProfileResult\n" in page, "what functions return"
    assert "::: interpret_core.api.metric.UnitOverlap\n" in page, "what methods return"


def test_a_notebook_as_it_stands() -> None:
    page = notebooks.page(SAMPLE, run=False)
    assert page.startswith("# A notebook\n")
    assert '```python\nprint("first")' in page
    assert "hidden" not in page


@pytest.mark.slow
def test_a_notebook_is_run_and_what_it_shows_needs_no_script(tmp_path: Path) -> None:
    page = notebooks.page(SAMPLE)
    assert "first\n2 &lt; 3\nred" in page
    assert '<pre class="output"><code>42</code></pre>' in page
    assert '<table class="own"><tr><td>cell</td></tr>\n<tr><td>*star*</td></tr></table></div>' in page
    assert '<img alt="a &quot;figure&quot;" src="data:image/svg+xml;base64,' in page
    assert not re.search(r'class="output"><script|hidden', page)
    failing = nbformat.read(SAMPLE, as_version=4)
    failing.cells[1].source = "1 / 0"
    nbformat.write(failing, tmp_path / "failing.ipynb")
    with pytest.raises(Exception, match=r"ZeroDivisionError"):
        notebooks.page(tmp_path / "failing.ipynb")
