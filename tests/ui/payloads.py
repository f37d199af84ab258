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
_FOUND = """() => {
    const found = [];
    const leads = value => {
        const to = URL.canParse(value, location.href) ? new URL(value, location.href) : null;
        return to?.protocol === 'javascript:' || to?.hostname === 'outside.invalid';
    };
    const walk = root => root.querySelectorAll('*').forEach(one => {
        const of = names => names.map(name => one.getAttribute(name)).filter(found => found !== null);
        const handles = of(['onerror', 'onload', 'onpointerover', 'onfocus']).length;
        const loads = of(['src', 'href', 'xlink:href', 'action']).some(to => to === 'x' || leads(to));
        const drawn = (one.getAttribute('style') ?? '').includes('outside.invalid');
        if (handles || loads || drawn || one.tagName === 'IFRAME') found.push(one.outerHTML.slice(0, 200));
        if (one.shadowRoot) walk(one.shadowRoot);
    });
    walk(document);
    return found;
}"""


def made(page: Page) -> list[str]:
    """Elements of a page, shadow roots included, that a payload has made; "hit" where one ran."""
    hit = ["hit"] if page.title() == "hit" else []
    return [*hit, *page.evaluate(_FOUND)]
