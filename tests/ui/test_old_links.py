"""Addresses as earlier versions wrote them open the same views: nobody's bookmarks and papers break."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from tests.slow import thorough_beyond
from tests.ui.test_pages import open_page, words

SMALL, CLASSY = "network=small&dataset=planted", "network=classy&dataset=classed"
# page, address, a few words of what it shows
LINKS = [
    ("units", f"{SMALL}&layer=conv2&unit=7", "conv2 · unit 7"),
    ("units", f"{SMALL}&layer=conv1&unit=3&annotate=nothing&show=mask", "conv1 · unit 3"),
    ("units", f"{SMALL}&layer=conv2&unit=3&band=4&photos=24", "Ranks"),
    ("units", f"{SMALL}&layer=conv2&category=color&iou=0-0.04&sort=index&state=live", "of 32 units"),
    ("units", f"{SMALL}&layer=conv2&detectors=1&significant=1&sort=z&cutoff=0.01", "IoU > 0.01"),
    ("units", f"{SMALL}&layer=conv2&unit=3&silence=conv1:2,conv2:3", "silencing 2 units"),
    ("concepts", f"{SMALL}&cutoff=0.02&bars=share&scope=conv2", "IoU > 0.02"),
    ("concepts", f"{SMALL}&concept=white&bars=unique&at=small,conv2,color", "conv2 · color"),
    ("concepts", f"{SMALL}&compare=other&min_images=5", "of 56 units"),
    (
        "relevance",
        f"{CLASSY}&view=share&log=1&layer=conv2&class=panel&unit=4&order=negative",
        "Maps of unit 4",
    ),
    (
        "relevance",
        f"{CLASSY}&compare=classy_other&of=classy_other&layer=conv1&class=panel",
        "conv1 for *panel* in classy",
    ),
    ("relevance", f"{CLASSY}&layer=conv2&class=panel&units=20&area=whole", "conv2 for"),
    ("agreement", f"{CLASSY}&top=10&layer=conv1&class=panel", "top 10"),
    ("shared", f"{CLASSY}&top=30&scope=conv2&pair=blue disc,red square", "In the sets of"),
    ("ablation", f"{CLASSY}&class=red square&percent=5&metric=probability&span=20", "5"),
    ("ablation", f"{CLASSY}&class=panel&by=random&seed=2&layers=all&part=matrix", "random"),
    ("ablation", f"{CLASSY}&by=hand&silence=conv2:4&part=units&value=mean", "picked by hand"),
    ("ablation", f"{CLASSY}&class=panel&direction=bottom&part=networks&total=3&on=val", "bottom"),
]


@thorough_beyond(3)
@pytest.mark.parametrize(("page", "query", "said"), LINKS)
@pytest.mark.usefixtures("with_links")
def test_an_old_link_opens_its_view(page: str, query: str, said: str) -> None:
    wanted = dict(parse_qsl(query))
    app = open_page(f"pages/{page}.py", **wanted)
    assert not app.exception
    assert [str(line.value) for line in app.warning if "link" in str(line.value)] == []
    now = {
        name: values[-1] if isinstance(values, list) else values for name, values in app.query_params.items()
    }
    assert wanted.items() <= now.items(), "what the link says stays in the address"
    parts = [
        words(app),
        *(str(part.value) for part in app.get("html")),
        *(one.value for one in app.subheader),
    ]
    parts += [node.proto.label for node in app.get("page_link")]
    assert said in "\n".join(parts)
