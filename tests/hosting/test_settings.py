"""What the command line says, checked before anything starts; the key of cookies; what is kept running."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hosting import settings
from hosting.child import Child
from hosting.secret import VARIABLE, cookie_secret
from hosting.settings import Settings, Unservable
from hosting.supervisor import server_environment
from tests.ui.browser import ROOT
from ui.access.settings import is_loopback

WRONG = {
    "servers": ["--servers", "0"],
    "port": ["--port", "70000"],
    "base": ["--base", "/a b/"],
    "base that ends a line": ["--base", "/a;return 200/"],
    "address": ["--address", "example.org"],
    "one file of two": ["--certificate", "/tmp/a.pem"],
    "a certificate that is not there": ["--certificate", "/nowhere/a.pem", "--key", "/nowhere/a.key"],
    "proxy": ["--proxy", "10.0.0.300"],
    "header": ["--user-header", "X-A: b", "--proxy", "10.0.0.1"],
}


def test_a_login_by_header_needs_the_proxy_that_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_USER_HEADER", "X-Auth-Email")
    with pytest.raises(Unservable, match="nobody could log in"):
        settings.read([])
    assert settings.read(["--proxy", "127.0.0.1"]).user_headers == ("X-Auth-Email",)


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_what_cannot_be_followed_is_told(words: list[str]) -> None:
    with pytest.raises(Unservable, match=re_of(words[0])):
        settings.read(words)


def re_of(option: str) -> str:
    """The message names the option, or the files that it names."""
    return f"({option}|--certificate)"


def test_where_it_is_found() -> None:
    found = settings.read(["--base", "unitscope/", "--port", "8080", "--address", "0.0.0.0", "--key", ""])
    assert (found.base, found.url, found.listen, found.private) == (
        "/unitscope",
        "http://127.0.0.1:8080/unitscope",
        "0.0.0.0:8080",
        False,
    )
    assert settings.read([]) == Settings()
    assert Settings().private
    assert not Settings(proxies=("10.0.0.0/8",)).private
    assert Settings(address="::1").url == "http://[::1]:8501"


def test_the_key_of_cookies_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = cookie_secret(folder, {})
    file = folder / "cookie_secret"
    assert len(first) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cookie_secret(folder, {}) == first
    assert [one.name for one in folder.iterdir()] == ["cookie_secret"]
    assert cookie_secret(folder, {VARIABLE: "given"}) == "given"
    file.chmod(0o640)
    with pytest.raises(Unservable, match="Others may read"):
        cookie_secret(folder, {})
    file.chmod(0o600)
    file.write_text("short\n")
    with pytest.raises(Unservable, match="delete it"):
        cookie_secret(folder, {})
    (tmp_path / "file").touch()
    with pytest.raises(Unservable, match="--state"):
        cookie_secret(tmp_path / "file", {})


def test_servers_know_whether_others_reach_them(tmp_path: Path) -> None:
    key = {VARIABLE: "x"}
    open_to_all = Settings(address="0.0.0.0", state=tmp_path)
    behind = Settings(proxies=("127.0.0.1",), state=tmp_path)
    assert not is_loopback(server_environment(open_to_all, key)["INTERPRET_ADDRESS"])
    assert not is_loopback(server_environment(behind, key)["INTERPRET_ADDRESS"])
    assert "INTERPRET_ADDRESS" not in server_environment(Settings(state=tmp_path), key)


def test_a_port_in_use_and_a_name_that_is_no_folder_are_told_in_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "hosting", "--port", str(port), "--state", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"127.0.0.1:{port} cannot be listened at")
    assert "Traceback" not in done.stderr


def sleeper() -> Child:
    return Child("One", ("/bin/sleep", "600"), os.environ)


def test_what_ends_is_started_again_with_more_patience_each_time() -> None:
    one, told = sleeper(), []
    try:
        one.start()
        for pause in (0.5, 1.0):
            before = one.pid
            assert before
            os.kill(before, signal.SIGKILL)
            one.wait(10)
            told.append(one.kept_alive())
            assert one.kept_alive() == "", "not at once"
            assert not one.alive
            end = time.monotonic() + pause + 20
            while not one.alive and time.monotonic() < end:
                time.sleep(0.02)
                one.kept_alive()
            assert one.pid not in (None, before)
    finally:
        one.kill()
    assert told == [f"One ended (SIGKILL); it is started again in {each} s." for each in ("0.5", "1")]


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="the system ends them on Linux alone")
def test_a_killed_supervisor_leaves_nothing_behind() -> None:
    code = (
        "import os, time; from hosting.child import Child; "
        "one = Child('One', ('/bin/sleep', '600'), os.environ); "
        "one.start(); print(one.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout
        child = psutil.Process(int(supervisor.stdout.readline()))
        end = time.monotonic() + 20
        while "sleep" not in child.name() and time.monotonic() < end:  # until it has become the command
            time.sleep(0.02)
        supervisor.kill()
    with contextlib.suppress(psutil.NoSuchProcess):
        child.wait(20)
    assert not child.is_running()
