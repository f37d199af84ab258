"""Jobs & data in a real browser: it updates itself and takes nobody's place away; every act by its button."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpret_core import jobs
from interpret_core.jobs import launch, state
from interpret_core.jobs.settings import RUNNER
from interpret_core.store.store import Store

pytest.importorskip("playwright")
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.jobs.conftest import of_folder
from tests.slow import slow
from tests.ui.browser import ROOT, await_idle, serving
from tests.ui.conftest import server_environment
from tests.ui.payloads import ALL, made
from tests.ui.test_accessibility_browser import violations

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
USER, OPERATOR, OTHER = "ada@example.org", "root@example.org", "ben@example.org"
PAST = 120


@pytest.fixture(scope="module")
def site(
    installation: Path, profiled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Store, jobs.Job]]:
    """A server with a login, many jobs of the past, and one at work; its address, its cache, that job."""
    folder = tmp_path_factory.mktemp("jobs")
    cache = folder / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUNNER, "tests.jobs.runners:run")
        patch.setenv("PYTHONPATH", str(ROOT))
        with Store(cache, shipped=()) as store, Store(profiled, shipped=()) as other:
            for key in other.keys(""):
                record = other.get(key)
                assert record is not None
                store.put(key, record)
            for key in other.json_keys():
                store.put_json(key, other.get_json(key))
            for number in range(PAST):
                _past(store, number)
            working = jobs.submit(store, "test", {"run": "count", "steps": 9_000, "pause": 0.1}, owner=USER)
            environment = server_environment(installation, cache) | {
                "INTERPRET_USER_HEADER": "x-user",
                "INTERPRET_OPERATORS": OPERATOR,
                "INTERPRET_MEMBERS": "*@example.org",
                "INTERPRET_ANONYMOUS": "1",
            }
            with serving(environment, folder / "log") as address:
                yield address, store, working
            launch.end_all()
            for process in of_folder(cache):
                process.kill()


def _past(store: Store, number: int) -> None:
    request = {"network": ALL if number == 0 else "small", "dataset": "planted", "min_images": number + 1}
    identity = jobs.job_id("profile", request)
    now = time.time() - 60 * number
    how = ("done", "failed", "cancelled")[number % 3]
    made = jobs.Job(
        identity, "profile", request, how, (OTHER,), message="No room." if how == "failed" else ""
    )
    times = {"submitted": now - 90, "started": now - 80, "finished": now - 20, "number": number}
    store.put_json(state.key(identity), made.to_json() | times)


@pytest.fixture
def visit(browser: Browser) -> Iterator[object]:
    opened: list[BrowserContext] = []

    def come(address: str, who: str, width: int = 1440) -> Page:
        headers = {"x-user": who} if who else {}
        context = browser.new_context(viewport={"width": width, "height": 1000}, extra_http_headers=headers)
        context.set_default_timeout(60_000)
        opened.append(context)
        page = context.new_page()
        page.goto(address)
        page.locator("h1").wait_for()
        return page

    yield come
    for one in opened:
        one.close()


def test_it_updates_itself_and_keeps_focus_and_what_is_open(site, visit) -> None:
    address, _, working = site
    page = visit(f"{address}/jobs?dataset=planted&job={working.id}", USER)
    row = page.locator(".st-key-jobs_now .row").first
    row.wait_for()
    page.get_by_text("Log", exact=True).click()
    page.get_by_text(re.compile(r"\d\d:\d\d:\d\d counting")).wait_for()
    past = page.locator(".st-key-jobs_ended .table")
    past.evaluate("one => { one.scrollTop = 700; }")
    row.focus()
    counted = page.locator(".st-key-job_detail [data-testid=stProgress]")
    before = row.inner_text()
    page.wait_for_timeout(13_000)
    assert row.inner_text() != before, "a percent more, or another time left"
    focused = page.evaluate(
        "() => { let one = document.activeElement; while (one?.shadowRoot?.activeElement) "
        "one = one.shadowRoot.activeElement; return one.dataset.row ?? one.outerHTML.slice(0, 99); }"
    )
    assert focused == "0"
    assert past.evaluate("one => one.scrollTop") == 700
    expect(page.get_by_text(re.compile(r"\d\d:\d\d:\d\d counting"))).to_be_visible()
    expect(counted).to_be_visible()


def test_the_keyboard_opens_a_job_and_filters_the_past(site, visit) -> None:
    address, _, _ = site
    page = visit(f"{address}/jobs?dataset=planted", USER)
    rows = page.locator(".st-key-jobs_ended .row")
    rows.nth(1).wait_for()
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("job=[0-9a-f]{32}"))
    expect(page.locator(".st-key-job_detail")).to_contain_text("It failed. No room.")
    expect(page.locator(".st-key-job_detail").get_by_role("button", name="Start again")).to_have_count(0)
    page.get_by_role("radio", name="Cancelled").or_(
        page.get_by_role("button", name="Cancelled")
    ).first.click()
    expect(page.locator(".st-key-jobs_ended .table")).to_have_attribute("aria-rowcount", str(PAST // 3 + 1))
    assert made(page) == []


def test_what_a_job_is_called_says_and_writes_runs_nothing(site, visit) -> None:
    address, store, _ = site
    request = {"network": ALL, "dataset": ALL, "concepts": ALL}
    identity = jobs.job_id(ALL, request)
    job = jobs.Job(identity, ALL, request, "failed", (f"{ALL}@example.org",), message=ALL)
    store.put_json(state.key(identity), job.to_json() | {"submitted": time.time(), "finished": time.time()})
    state.log_path(store, identity).write_text(f"{ALL}\n" * 3)
    page = visit(f"{address}/jobs?dataset=planted&job={identity}", OPERATOR)
    page.locator(".st-key-job_detail").wait_for()
    await_idle(page)
    page.get_by_text("Log", exact=True).click()
    expect(page.locator(".st-key-job_detail code").last).to_contain_text("onerror")
    assert made(page) == []


def test_anonymous_sees_that_and_not_whose(site, visit) -> None:
    address, _, working = site
    page = visit(f"{address}/jobs?dataset=planted&job={working.id}", "")
    page.locator(".st-key-job_detail").wait_for()
    page.wait_for_timeout(1500)
    assert "example.org" not in page.locator("body").evaluate(
        "() => { const all = []; const walk = one => { all.push(one.textContent ?? ''); "
        "one.querySelectorAll?.('*').forEach(each => each.shadowRoot && walk(each.shadowRoot)); }; "
        "walk(document.body); return all.join(' '); }"
    )
    assert page.get_by_role("button", name="Cancel", exact=True).count() == 0


def lasting(page: Page) -> list[str]:
    """What is wrong at every look: a page that updates itself is dimmed now and then where it is slow."""
    found = violations(page)
    for _ in range(9):
        if found:
            page.wait_for_timeout(700)
            again = violations(page)
            found = [one for one in found if one in again]
    return found


@pytest.mark.parametrize("width", [1440, slow(390)])
@pytest.mark.parametrize("part", ["jobs", slow("data"), slow("cache")])
def test_nothing_is_kept_from_anybody(site, visit, part: str, width: int) -> None:
    address, _, working = site
    page = visit(f"{address}/jobs?dataset=planted&part={part}&kind=profile&job={working.id}", OPERATOR, width)
    page.locator(".st-key-jobs_now, .st-key-networks_here, .st-key-kinds_here").first.wait_for()
    page.wait_for_timeout(1500)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(500)
        assert lasting(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_operator_clears_brings_back_and_checks(site, visit) -> None:
    address, store, working = site
    page = visit(f"{address}/jobs?dataset=planted&part=cache&kind=profile", OPERATOR)
    before = store.keys("profile/")
    page.get_by_role("button", name="Clear them").click()
    expect(page.get_by_text("A computation is at work (test)")).to_be_visible()
    jobs.cancel(store, working.id, everybody=True)
    jobs.wait(store, working.id, 60)
    page.get_by_role("button", name="Clear them").click()
    page.get_by_role("button", name="Bring back").wait_for()
    assert store.keys("profile/") == []
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("button", name="Bring back")).to_have_count(0)
    assert store.keys("profile/") == before
    page.get_by_role("button", name="Check and repair").click()
    expect(page.get_by_text("All is well")).to_be_visible()
