"""Texts that would run or load something in a browser, one of each kind, and what shows that none did.

Sinks, and where each is tried:
- names of concepts, categories and colours: `test_browser`, data set `hostile`;
- names of networks, layers, classes, data sets, notes: `odd_names`;
- query parameters of all pages, the search: `test_payloads_browser`;
- a visitor's name, the contact, who is not let in, where a login leads: `access.test_login_browser`;
- owners, messages, logs and requests of jobs: `test_jobs_browser`.
"""

from __future__ import annotations

from playwright.sync_api import Page

HIT = "document.title='hit'"
KINDS = {
    "element": f"<img src=x onerror={HIT}>",
    "drawing": f"<svg/onload={HIT}>",
    "script": f"</script></style></textarea><script>{HIT}</script>",
    "attribute": f"\" onpointerover={HIT} ' onfocus={HIT} autofocus ",
    "link": f"[x](javascript:{HIT})<a href=javascript:{HIT}>x</a>",
    "address": "![y](https://outside.invalid/y)<iframe src=https://outside.invalid/z></iframe>",
    "style": "x;background:url(https://outside.invalid/s)}*{color:red;x:url(https://outside.invalid/t)",
    "template": "%{x} {{1+1}} ${1+1} \\u003cimg src=x\\u003e :material/home: :red[x] $x$",
}
ALL = " ".join(KINDS.values())
_MADE = (
    "[onerror], [onload], [onpointerover], [onfocus], [src='x'], iframe, "
    "[href^='javascript'], [src*='outside.invalid'], [href*='outside.invalid'], [style*='outside.invalid']"
)
_FOUND = """selector => {
    const found = [];
    const walk = root => {
        found.push(...[...root.querySelectorAll(selector)].map(one => one.outerHTML.slice(0, 200)));
        root.querySelectorAll('*').forEach(one => one.shadowRoot && walk(one.shadowRoot));
    };
    walk(document);
    return found;
}"""


def made(page: Page) -> list[str]:
    """Elements of a page, shadow roots included, that a payload has made; "hit" where one ran."""
    hit = ["hit"] if page.title() == "hit" else []
    return [*hit, *page.evaluate(_FOUND, _MADE)]
