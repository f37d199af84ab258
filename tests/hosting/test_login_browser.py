"""Logging in and out of a whole instance: nginx, a base path, two servers that sign cookies with one key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, expect

from tests.hosting.instance import BASE, Instance, running
from tests.hosting.proxy import require_nginx
from tests.ui.access import provider
from tests.ui.browser import free_port, watch
from tests.ui.conftest import server_environment

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
USERS = {"ada": {"email": "ada@example.org", "email_verified": True}}
LINK = "units?network=small&dataset=planted&layer=conv2&unit=5"
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def guarded(
    installation: Path, profiled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """An instance with a login."""
    require_nginx()
    folder, port = tmp_path_factory.mktemp("guarded_instance"), free_port()
    address = f"http://127.0.0.1:{port}{BASE}"
    with provider.providing(USERS) as issuer:
        secrets = folder / "home" / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir(parents=True)
        secrets.write_text(provider.secrets_file(issuer, address, "0123456789abcdef" * 4))
        environment = server_environment(installation, profiled)
        environment |= {"HOME": str(folder / "home"), "INTERPRET_MEMBERS": "*@example.org"}
        with running(environment, folder, port) as found:
            yield found


def test_login_on_one_server_counts_on_the_other_and_ends_with_the_logout(
    browser: Browser, guarded: Instance
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    found = watch(page)
    page.goto(f"{guarded.url}/{LINK}")
    provider.log_in(page, "ada")
    expect(page.locator(".us-head").first).to_contain_text("conv2 · unit 5")
    expect(page).to_have_url(re.compile(f"{BASE}/units\\?network=small&dataset=planted&layer=conv2&unit=5$"))
    expect(page.locator(".tile img").first).to_be_attached()
    expect(page.get_by_text("ada@example.org, member")).to_be_visible()
    named = {cookie["name"] for cookie in context.cookies()}
    assert {"_streamlit_user", "unitscope_server"} <= named
    other = [cookie for cookie in context.cookies() if cookie["name"] != "unitscope_server"]
    context.clear_cookies()
    context.add_cookies(other)  # type: ignore[arg-type]  # as they were given
    table = context.request.get(
        f"{guarded.url}/api/download/layer.csv?network=small&dataset=planted&layer=conv2"
    )
    assert table.ok, "whichever server is asked"
    page.get_by_role("link", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in to go on")).to_be_visible()
    assert context.request.get(f"{guarded.url}/api/photo/0.jpg?dataset=planted").status == 401
    context.close()
    assert [one for one in found if not re.search(r"status of 401 ", one)] == []
