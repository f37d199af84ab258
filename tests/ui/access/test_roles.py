"""What each role may, called directly, without a page that hides a button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from interpret_core import jobs
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.errors import UserError
from tests.slow import thorough_beyond
from tests.ui.test_pages import open_page, words
from ui.access import settings, visitors
from ui.access.roles import Role, Visitor
from ui.access.told import told
from ui.access.visitors import NotAllowedError
from ui.session import stored, work
from ui.session.datasets import added as added_datasets
from ui.session.live.queue import turn
from ui.session.networks import added
from ui.shell.theme import ROOT

pytestmark = pytest.mark.usefixtures("alone", "full")
REQUEST = ProfileRequest("small", "planted", quantile=0.02, permutations=100)


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Role], None]:
    """Makes somebody of a role the present visitor, of a server with a login."""

    def visit(name: str, role: Role) -> None:
        monkeypatch.setattr(visitors, "current", lambda: Visitor(name, role, name))

    monkeypatch.setenv(settings.HEADER, "X-Email")
    monkeypatch.setenv("INTERPRET_MEMBERS", "*")
    return visit


def live() -> None:
    with turn("ablation", act="Ablating live"):
        pass


ACTS: dict[str, tuple[Role, Callable[[], object]]] = {
    "live": (Role.VIEWER, live),
    "job": (Role.MEMBER, lambda: work.start(REQUEST)),
    "cancel": (Role.MEMBER, lambda: work.cancel(REQUEST)),
    "networks": (Role.OPERATOR, added.folder),
    "datasets": (Role.OPERATOR, added_datasets.folder),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_does_what_it_may_and_nothing_else(
    act: str, role: Role, visit: Callable[[str, Role], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = []
    monkeypatch.setattr(jobs, "submit", lambda *_, **more: submitted.append(more["owner"]))
    visit("ada@example.org", role)
    needed, call = ACTS[act]
    if role >= needed:
        call()
        assert submitted == (["ada@example.org"] if act == "job" else [])
    else:
        with pytest.raises(UserError, match=f"takes the role {needed.word}"):
            call()
        assert submitted == []


def test_members_cancel_their_own_jobs_alone(visit: Callable[[str, Role], None]) -> None:
    """With a real job."""
    visit("ada@example.org", Role.MEMBER)
    job = work.start(REQUEST)
    try:
        assert list(job.owners) == ["ada@example.org"]
        visit("eve@example.org", Role.MEMBER)
        assert not work.own(job)
        work.cancel(REQUEST)
        found = jobs.find(stored.store(), job.id)
        assert found is not None
        assert not found.cancelling
        assert found.state != "cancelled"
    finally:
        jobs.cancel(stored.store(), job.id, everybody=True)
        jobs.wait(stored.store(), job.id, timeout=60)


def test_in_a_published_collection_nobody_computes(
    visit: Callable[[str, Role], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.PUBLISHED, "1")
    visit("root@example.org", Role.OPERATOR)
    for _, call in ACTS.values():
        with pytest.raises(UserError, match="published collection"):
            call()


@pytest.mark.thorough
def test_pages_offer_nothing_that_is_refused(visit: Callable[[str, Role], None]) -> None:
    visit("ada@example.org", Role.VIEWER)
    app = open_page("pages/units.py", network="small", dataset="planted", min_images="10", layer="conv2")
    assert not app.exception
    other = open_page("pages/relevance.py", network="classy", dataset="classed")
    assert not other.exception
    told = words(other)
    assert "Starting a computation takes the role member" in told
    assert not [button for button in other.button if "Compute" in button.label]


def test_who_is_not_logged_in_is_told_where_to(visit: Callable[[str, Role], None]) -> None:
    visit("", Role.ANONYMOUS)
    with pytest.raises(NotAllowedError, match="log in at the foot of the sidebar"):
        work.start(REQUEST)


def test_who_has_gone_is_trusted_no_more_than_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that arrives right before its connection is closed runs without one."""
    from streamlit.runtime import Runtime

    told: dict[str, list[str]] = {}

    class Headers:
        def __len__(self) -> int:
            return len(told)

        def get_all(self, name: str) -> list[str]:
            return told.get(name, [])

    state: dict[str, object] = {}
    context = type("Run", (), {"session_id": "s"})()
    monkeypatch.setattr(visitors, "get_script_run_ctx", lambda **_: context)
    monkeypatch.setattr(visitors.st, "session_state", state)
    monkeypatch.setattr(visitors.st, "context", type("Context", (), {"headers": Headers()})())
    monkeypatch.setattr(Runtime, "_instance", object.__new__(Runtime))
    assert visitors.current().role is Role.NOBODY, "gone before the first run"
    eve = Visitor("eve@example.org", Role.VIEWER, "eve@example.org")
    ((name, value),) = visitors.written([], eve, settings.current())
    told[name.decode()] = [value.decode()]
    assert visitors.current() == eve
    told.clear()
    assert visitors.current() == eve
    assert visitors.may_join("s", eve.name)
    assert not visitors.may_join("s", "root@example.org"), "an id is not enough"
    assert visitors.may_join("another", eve.name)


@thorough_beyond(3)
@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT.parent / "pages").glob("*.py")))
@pytest.mark.parametrize("lacking", [{"dataset": "lost"}, {"network": "broken"}], ids=["dataset", "network"])
def test_only_operators_read_where_things_lie(
    page: str, lacking: dict[str, str], visit: Callable[[str, Role], None], installation: Path
) -> None:
    asked = {"network": "small", "dataset": "planted", **lacking}
    visit("", Role.ANONYMOUS)
    said = words(open_page(f"pages/{page}", **asked))
    assert str(installation) not in said
    assert str(Path.home()) not in said


def test_operators_read_which_folder_is_missing(
    visit: Callable[[str, Role], None], installation: Path
) -> None:
    error = UserError(f"{installation}/no where/x.csv is missing.")
    visit("root@example.org", Role.OPERATOR)
    assert told(error) == str(error)
    visit("eve@example.org", Role.MEMBER)
    assert str(installation) not in told(error)
    assert "x.csv is missing." in told(error)
