"""Jobs & data: who may what, called directly as each role; what lies in the cache and whose; the page."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core import jobs
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.registry import entries
from interpret_core.errors import UserError
from interpret_core.jobs import Job, launch, state
from interpret_core.jobs.settings import RUNNER
from interpret_core.store.store import Store
from tests.jobs.conftest import of_folder
from tests.ui.conftest import _environment
from tests.ui.test_pages import open_page, words
from ui.access import audit, settings, visitors
from ui.access.roles import Role, Visitor
from ui.access.visitors import NotAllowedError
from ui.inventory import words as phrases
from ui.session import memory, results, stored
from ui.session.inventory import cache, contents, disk, known, seen_jobs, upkeep

ADA, BEN = "ada@example.org", "ben@example.org"
ROOT = Visitor("root@example.org", Role.OPERATOR, "Root")
MEMBER, OTHER = Visitor(ADA, Role.MEMBER, "Ada"), Visitor(BEN, Role.MEMBER, "Ben")
VIEWER, ANONYMOUS = Visitor("eve@example.org", Role.VIEWER, "Eve"), Visitor("", Role.ANONYMOUS)
BELOW = [ANONYMOUS, VIEWER, MEMBER]
PAGE = "pages/jobs.py"
As = Callable[[Visitor], None]


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> As:
    """A server with a login; whoever is given to the fixture asks from then on."""
    monkeypatch.setenv(settings.HEADER, "x-user")
    monkeypatch.setenv(settings.PATTERNS[Role.OPERATOR], ROOT.name)
    assert settings.current().login == "header"

    def come(visitor: Visitor) -> None:
        monkeypatch.setattr(visitors, "current", lambda: visitor)

    return come


@pytest.fixture
def acts(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the audit has noted."""
    caplog.set_level(logging.INFO, logger=audit.LOGGER)
    return lambda: [json.loads(one.getMessage())["act"] for one in caplog.records if one.name == audit.LOGGER]


@pytest.fixture
def at_work(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty cache, whose jobs run what `tests.jobs.runners` holds."""
    monkeypatch.setenv(RUNNER, "tests.jobs.runners:run")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    memory.forget()
    yield stored.store()
    launch.end_all()
    for process in of_folder(empty):
        process.kill()


@pytest.fixture
def own(installation: Path, profiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an installation with profiles that the test may spoil; the cache folder."""
    return _environment(monkeypatch, installation, Path(shutil.copytree(profiled, tmp_path / "cache")))


def ended(store: Store, how: str, owner: str, message: str = "", **request: object) -> Job:
    """A job of the past, as its record lies there."""
    asked = ProfileRequest("small", "planted").to_json() | request
    identity = jobs.job_id("profile", asked)
    now = time.time()
    made = Job(
        identity, "profile", asked, how, (owner,), message=message, submitted=now - 90, started=now - 80
    )
    store.put_json(state.key(identity), {**made.to_json(), "finished": now - 20, "updated": now})
    return made


def test_operators_find_the_cluster_that_a_job_computes_on(empty: Path, login: As) -> None:
    with Store(empty) as store:
        asked = ProfileRequest("small", "planted").to_json()
        made = Job(jobs.job_id("profile", asked), "profile", asked, "running", (ADA,), started=time.time())
        for visitor, address, found in (
            (ROOT, "http://10.0.0.1:8787/status", ["http://10.0.0.1:8787/status"]),
            (MEMBER, "http://10.0.0.1:8787/status", []),
            (ROOT, "javascript:alert(1)", []),
        ):
            store.put_json(state.key(made.id), {**made.to_json(), "dashboard": address})
            login(visitor)
            page = open_page(PAGE, dataset="planted", job=made.id)
            assert [one.proto.url for one in page.get("link_button")] == found, visitor


def test_each_role_sees_whose_a_job_is_or_not(empty: Path, login: As) -> None:
    with Store(empty) as store:
        ended(store, "failed", ADA)
    for visitor, owners, own, touchable in (
        (ANONYMOUS, (), False, False),
        (VIEWER, (ADA,), False, False),
        (OTHER, (ADA,), False, False),
        (MEMBER, (ADA,), True, True),
        (ROOT, (ADA,), False, True),
    ):
        login(visitor)
        (seen,) = seen_jobs.listing()
        assert (seen.owners, seen.own, seen.touchable) == (owners, own, touchable), visitor


def test_without_a_login_nobody_has_a_name(empty: Path) -> None:
    with Store(empty) as store:
        ended(store, "failed", "")
    (seen,) = seen_jobs.listing()
    assert (seen.owners, seen.own, seen.touchable) == ((), True, True)


@pytest.mark.parametrize("visitor", [ANONYMOUS, VIEWER, OTHER])
def test_others_cancel_retry_and_read_nothing(at_work: Store, login: As, visitor: Visitor) -> None:
    done = ended(at_work, "failed", ADA)
    waiting = jobs.submit(at_work, "test", {"run": "polite"}, owner=ADA)
    login(visitor)
    for act in (
        lambda: seen_jobs.cancel(waiting.id),
        lambda: seen_jobs.cancel(waiting.id, everybody=True),
        lambda: seen_jobs.retry(done.id),
        lambda: seen_jobs.tail(done.id),
    ):
        with pytest.raises(UserError):
            act()
    found = jobs.find(at_work, waiting.id)
    assert found is not None
    assert found.active
    assert not found.cancelling
    left = jobs.find(at_work, done.id)
    assert left is not None
    assert left.state == "failed"


def test_a_member_cancels_its_own_wish_and_an_operator_everybody_s(
    at_work: Store, login: As, acts: Callable[[], list[str]]
) -> None:
    request = {"run": "polite"}
    job = jobs.submit(at_work, "test", request, owner=ADA)
    jobs.submit(at_work, "test", request, owner=BEN)
    login(MEMBER)
    with pytest.raises(NotAllowedError, match="operator"):
        seen_jobs.cancel(job.id, everybody=True)
    seen_jobs.cancel(job.id)
    found = jobs.find(at_work, job.id)
    assert found is not None
    assert found.owners == (BEN,)
    assert found.active
    assert acts() == []
    login(ROOT)
    seen_jobs.cancel(job.id)
    gone = jobs.wait(at_work, job.id, 60)
    assert gone is not None
    assert gone.state == "cancelled"
    assert acts() == ["job cancelled"]
    seen_jobs.retry(job.id)
    again = jobs.find(at_work, job.id)
    assert again is not None
    assert again.owners == (BEN,), "who wanted it before"
    assert acts() == ["job cancelled", "job retried"]
    login(OTHER)
    seen_jobs.cancel(job.id)
    assert acts() == ["job cancelled", "job retried"], "its own job is nobody else's business"


def test_what_a_job_wrote_names_no_path(empty: Path, login: As) -> None:
    with Store(empty) as store:
        job = ended(store, "failed", ADA, f"{empty}/x cannot be read")
    log = empty / "logs" / f"{job.id}.log"
    log.parent.mkdir()
    lines = [
        'File "/srv/some where/app/ui/x.py", line 3',
        f"StoreError: {empty}/results/cache.db is no database",
        "OSError: [Errno 2] No such file: '/data/kitchen/images/a.jpg'",
        "see https://example.org/a/b, 3/4 of 10 images, torchvision/alexnet, and/or",
        "C:\\Users\\ada\\x.py",
        "\x1b[31m50 %\x1b[0m",
    ]
    log.write_text("\n".join(lines))
    login(MEMBER)
    told = seen_jobs.tail(job.id)
    assert "/data" not in "".join(told)
    assert str(empty) not in "".join(told)
    assert told[2] == "OSError: [Errno 2] No such file: '…/a.jpg'"
    assert told[3] == lines[3]
    assert told[4] == "…/x.py"
    assert told[5] == "50 %"
    assert seen_jobs.message(Job("x", "profile", message=f"{empty}/x cannot be read")) == "…/x cannot be read"


@pytest.mark.parametrize("visitor", BELOW)
def test_only_operators_clear_restore_delete_and_check(own: Path, login: As, visitor: Visitor) -> None:
    login(ROOT)
    done = cache.clear_kind("survey", "surveys")
    login(visitor)
    before = stored.store().entries()
    for act in (
        lambda: cache.clear_kind("profile", "profiles"),
        lambda: cache.clear_network("small", known.networks(None)[0].digest),
        lambda: cache.clear_dataset("planted", known.datasets()[0].digest),
        lambda: cache.undo(done.batch),
        lambda: cache.delete_for_good(done.batch),
        upkeep.start,
    ):
        with pytest.raises(NotAllowedError):
            act()
    assert cache.undos() == []
    assert stored.store().entries() == before
    assert stored.store().cleared() == [done]
    assert upkeep.latest() is None


def test_whose_every_record_is(full: Path) -> None:
    found = [one for one in contents.holdings() if one.record]
    kinds = {one.entry.kind for one in found}
    assert {"profile", "chance", "assessment", "survey", "masks", "thresholds", "largest"} <= kinds
    unknown = [one.entry.key for one in found if not one.whose.dataset]
    assert not [key for key in unknown if not key.startswith(("outline/", "sketch/"))]
    small, planted = results.subject("small").digest, results.dataset("planted").digest
    hostile = results.dataset("hostile").digest
    keys = results.profile_keys(results.Ask("small", "hostile"))  # where the pages look
    assert keys is not None
    of = {one.entry.key: one.whose for one in found}
    for lie in (keys.profile, keys.chance, keys.assessment):
        assert {layer: (of[lie[layer]].network, of[lie[layer]].dataset) for layer in ("conv1", "conv2")} == {
            "conv1": (small, hostile),
            "conv2": (small, hostile),
        }
    assert of[keys.survey].dataset == hostile
    assert {one.whose.dataset for one in found if one.whose.dataset} == {planted, hostile}


def test_a_network_is_cleared_and_comes_back(own: Path, login: As, acts: Callable[[], list[str]]) -> None:
    login(ROOT)
    asks = {name: results.Ask(name, "planted") for name in ("small", "other")}
    assert all(results.ready(one) for one in asks.values())
    before = stored.store().entries()
    done = cache.clear_network("small", results.subject("small").digest)
    assert not results.ready(asks["small"])
    assert results.ready(asks["other"])
    (undo,) = cache.undos()
    assert undo.what == "all results of the network small"
    assert undo.by == "Root"
    assert done.entries > 10
    cache.undo(done.batch)
    assert results.ready(asks["small"])
    names = {one.name: one for one in stored.store().entries()}
    assert all(names[one.name] == one for one in before if one.name != "state/cleared")
    assert cache.undos() == []
    assert acts() == ["cache cleared", "cache restored"]


def test_nothing_is_cleared_below_a_computation(at_work: Store, login: As) -> None:
    job = jobs.submit(at_work, "test", {"run": "polite", "network": "small"}, owner=ADA)
    end = time.monotonic() + 60
    while (found := jobs.find(at_work, job.id)) is not None and found.state != "running":
        assert time.monotonic() < end
        time.sleep(0.05)
    login(ROOT)
    for act in (lambda: cache.clear_kind("profile", ""), lambda: cache.clear_network("small", "ab")):
        with pytest.raises(UserError, match="at work"):
            act()
    with pytest.raises(UserError, match="nothing to clear"):
        cache.clear_network("other", "ab")


def test_the_check_runs_beside_and_reports_in_words(own: Path, login: As) -> None:
    login(ROOT)
    assert upkeep.latest() is None
    thread = upkeep.start()
    thread.join(120)
    found = upkeep.latest()
    assert found is not None
    assert found.sound
    assert not found.running
    assert "All is well" in phrases.report(found)
    victim = next((own / "results").rglob("*.val"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    upkeep.start().join(120)
    found = upkeep.latest()
    assert found is not None
    assert found.damaged == 1
    assert "1 entry was damaged and is deleted: it is computed again" in phrases.report(found)


def test_one_check_at_a_time_and_one_that_was_cut_short(own: Path, login: As) -> None:
    login(ROOT)
    lease = stored.store().lease(upkeep.KEY)  # another server is at it
    assert lease is not None
    stored.store().put_json(upkeep.KEY, {"started": time.time(), "done": 3, "total": 9})
    with pytest.raises(UserError, match="being checked already"):
        upkeep.start()
    found = upkeep.latest()
    assert found is not None
    assert (found.running, found.done) == (True, 3)
    lease.close()
    found = upkeep.latest()
    assert found is not None
    assert not found.running
    assert "cut short" in words(open_page(PAGE, part="cache"))


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [
        (3 << 30, 10 << 30, False),
        (1 << 30, 10 << 30, True),
        (40 << 30, 1 << 40, True),
        (60 << 30, 1 << 40, False),
    ],
)
def test_when_the_disk_is_nearly_full(free: int, total: int, low: bool) -> None:
    assert disk.Room(free, total).low is low


def test_operators_hear_of_a_full_disk_above_every_page(
    empty: Path, login: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "LEAST", 1 << 60)  # no disk has so much
    login(ROOT)
    app = open_page("pages/home.py")
    assert "nearly full" in words(app)
    assert "Make room →" in [one.proto.label for one in app.get("page_link")]
    login(MEMBER)
    assert "nearly full" not in words(open_page("pages/home.py"))


def drawn(app: AppTest, key: str) -> list[list[str]]:
    """The texts of a table, row by row."""
    (node,) = [one.proto for one in app.get("bidi_component") if one.proto.id.endswith(f"-{key}")]
    rows = json.loads(node.bytes)["more"]["rows"]
    return [[cell[0] if isinstance(cell, list) else cell for cell in row] for row in rows]


@pytest.mark.usefixtures("empty")
def test_an_empty_page_says_what_to_do() -> None:
    text = words(open_page(PAGE))
    assert "Nothing is being computed. Where a page lacks a result, it offers to compute it." in text
    assert "No computation has ended here" in text
    app = open_page(PAGE, part="data")
    assert not app.exception
    assert [
        next(row[0] for row in drawn(app, key) if row[0] in ("small", "planted"))
        for key in ("networks_here", "datasets_here")
    ] == ["small", "planted"]
    app = open_page(PAGE, part="cache")
    assert not app.exception
    assert "are free on their disk" in str(app.get("progress")[0].proto)


def test_the_page_of_a_failed_job(empty: Path, login: As) -> None:
    with Store(empty) as store:
        job = ended(store, "failed", ADA, "The disk is full: make room.", min_images=7)
        ended(store, "done", BEN)
    login(MEMBER)
    app = open_page(PAGE, job=job.id)
    assert not app.exception
    assert [row[:2] for row in drawn(app, "jobs_ended")] == [
        ["What the units of small on planted detect", "done"],
        ["What the units of small on planted detect; min images 7", "failed"],
    ]
    assert "The disk is full\\: make room." in words(app)
    assert "Start again" in [one.label for one in app.button]
    login(OTHER)
    assert "Start again" not in [one.label for one in open_page(PAGE, job=job.id).button]
    login(ANONYMOUS)
    app = open_page(PAGE, job=job.id)
    assert ADA not in json.dumps(drawn(app, "jobs_ended")) + words(app)
    assert len(drawn(open_page(PAGE, ended="failed"), "jobs_ended")) == 1
    assert "choose “All”" in words(open_page(PAGE, ended="cancelled"))


@pytest.mark.usefixtures("full")
def test_data_and_cache_with_results() -> None:
    app = open_page(PAGE, part="data", of_network=results.subject("small").digest)
    assert not app.exception
    rows = {row[0]: row for row in drawn(app, "networks_here")}
    assert rows["small"][2] == results.subject("small").digest[: len(rows["small"][2])]
    assert rows["small"][3] == "2"
    assert results.subject("small").digest in [one.value for one in app.code]
    on = {(row[0], row[1]) for row in drawn(app, "network_results")}
    assert ("IoU of units with concepts", "hostile") in on
    app = open_page(PAGE, part="cache", kind="profile")
    assert not app.exception
    assert "Clear them" in [one.label for one in app.button]


def test_two_hundred_jobs_cost_little(empty: Path, login: As) -> None:
    with Store(empty) as store:
        for number in range(200):
            ended(store, "done", ADA, min_images=number + 1)
    login(ROOT)
    seen_jobs.listing()
    begun = time.process_time()
    app_rows = [seen_jobs.listing() for _ in range(5)]
    assert len(app_rows[0]) == 200
    reads: list[str] = []
    real = Store.get_json
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "get_json", lambda self, key: reads.append(key) or real(self, key))
        seen_jobs.listing()
    assert reads == [], "records that have not changed are not read again"
    assert time.process_time() - begun < 30  # a bound against something quadratic, not a measurement


def test_every_analysis_of_the_house_is_said_in_words() -> None:
    own = {name for name, entry in entries().items() if str(entry.code).startswith("interpret_core.")}
    assert own
    assert own <= set(phrases._WORK)
