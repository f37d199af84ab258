"""Both wheels, built and installed as somebody else would, used from another folder."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from interpret_core import __version__
from interpret_core.cli import main
from tests.planted_networks import scenes
from ui.server.documents import DOCUMENTS
from ui.shell.site import PAGES, address

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
READY = 90.0
NETWORK = """
from torch import nn, tensor
from interpret_core.networks import NetworkParts, Preprocessing


def red():
    conv1 = nn.Conv2d(3, 3, 1, bias=False)
    conv1.weight.data[:, :, 0, 0] = tensor([[1., -1, -1], [-1, 1, -1], [-1, -1, 1]])
    layers = conv1, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return NetworkParts(nn.Sequential(*layers).eval(), Preprocessing((16, 16), (0., 0, 0), (1., 1, 1)))
"""


class Installed:
    """A virtual environment with Unitscope in it, and a working folder somewhere else."""

    def __init__(self, root: Path, wheels: Path) -> None:
        self.bin, self.folder, self.wheels = root / "venv" / "bin", root / "work", wheels
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
        (self.packages,) = (root / "venv").glob("lib/python*/site-packages")
        # What it depends on is there already; torch alone would be minutes.
        (self.packages / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        self.folder.mkdir()
        (self.folder / "my_networks.py").write_text(NETWORK)
        self.install("unitscope")

    def pip(self, *words: str) -> None:
        subprocess.run([*PIP, "--python", str(self.bin / "python"), *words], check=True)

    def install(self, name: str) -> None:
        self.pip("install", "--no-deps", "--no-index", "--find-links", str(self.wheels), name)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERPRET_")}
        kept.pop("PYTHONPATH", None)
        return {**kept, "INTERPRET_OFFLINE": "1"}

    def run(self, *words: str, program: str = "unitscope") -> str:
        done = subprocess.run(
            [self.bin / program, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return done.stdout

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """`unitscope serve` until the block ends; where it answers, and not a word of an error in its log."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            where = f"127.0.0.1:{probe.getsockname()[1]}"
        log = self.folder / "log"
        words = [self.bin / "unitscope", "serve", "--port", where.partition(":")[2]]
        with log.open("wb") as output:
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            end = time.monotonic() + READY
            while not answers(f"http://{where}/_stcore/health"):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
            yield where
        finally:
            process.terminate()
            process.wait(60)
        assert "Traceback" not in log.read_text()


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def drawn(where: str, page: str) -> list[str]:
    """What a page's script draws, to its end: the text of every heading, alert and exception."""
    with connect(f"ws://{where}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as server:
        visit = BackMsg()
        visit.rerun_script.page_name = page
        server.send(visit.SerializeToString())
        told = []
        while True:
            message = ForwardMsg()
            message.ParseFromString(server.recv(timeout=60))
            element = message.delta.new_element
            kind = element.WhichOneof("type")
            assert kind != "exception", element
            if kind in ("heading", "alert", "markdown"):
                told.append(getattr(element, kind).body)
            if message.WhichOneof("type") == "script_finished":
                assert message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                return told


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    root = tmp_path_factory.mktemp("installed")
    for folder in (ROOT, ROOT / "demo"):
        wanted = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", str(root / "wheels")]
        subprocess.run([*PIP, *wanted, str(folder)], check=True)
    return Installed(root, root / "wheels")


@pytest.fixture
def with_demo(installed: Installed) -> Iterator[Installed]:
    installed.install("unitscope-demo")
    yield installed
    installed.pip("uninstall", "-y", "unitscope-demo")


def test_it_says_who_it_is_and_that_it_works(installed: Installed) -> None:
    line = f"unitscope {__version__}\n"
    assert installed.run("--version") == line
    assert installed.run("-m", "interpret_core", "--version", program="python") == line
    told = installed.run("doctor")
    assert "installed as: a package" in told
    assert "FAILS" not in told
    assert "not installed (pip install unitscope-demo)" in told


def test_nothing_of_a_common_name_comes_to_lie_among_packages(installed: Installed) -> None:
    found = {one.name for one in installed.packages.iterdir()} - {"shared.pth", "__pycache__"}
    assert found == {"interpret_core", f"unitscope-{__version__}.dist-info"}
    with zipfile.ZipFile(next(installed.wheels.glob("unitscope_demo*"))) as demo:
        assert {one.split("/")[0].partition("-")[0] for one in demo.namelist()} == {"unitscope_demo"}


def test_a_profile_is_that_of_a_checkout(
    installed: Installed, planted_scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a network in the working folder, also by workers; the planted unit has IoU 1."""
    words = ["profile", "--network", "my_networks:red", "--dataset", str(planted_scenes)]
    words += ["--layers", "0", "--min-images", "1", "--quantile", str(scenes().share(1))]
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    installed.run(*words, "--cache", str(tmp_path / "c1"), "--out", str(one))
    installed.run(*words, "--cache", str(tmp_path / "c2"), "--workers", "2", "--out", str(two))
    monkeypatch.chdir(installed.folder)
    monkeypatch.syspath_prepend(installed.folder)
    here = tmp_path / "here.csv"
    assert main([*words, "--cache", str(tmp_path / "c3"), "--out", str(here)]) == 0
    assert one.read_bytes() == two.read_bytes() == here.read_bytes()
    with one.open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["concept"], float(first["iou"])) == ("red", 1.0)


TOLD = """
import json
import sys
from pathlib import Path

from notebook import run

names = run(Path("tutorial.ipynb"), {"8501": sys.argv[1]})
lost = names["lost"].to_frame().set_index("evaluated_class")["accuracy"]
found = names["found"]
told = {"concept": found["concept"], "share": found["iou"] / found["ceiling"], "p": found["p_value"]}
told |= {"status": names["status"], "lost": lost.to_dict(), "url": names["view"].url}
told |= {"title": names["figure"].layout.title.text, "unit": names["unit"]}
print(json.dumps(told))
"""


def test_the_tutorial_does_what_it_says(installed: Installed, tmp_path: Path) -> None:
    """In its order, in an empty folder: the planted unit is found, needed, drawn, and opened."""
    folder = tmp_path / "tutorial"
    folder.mkdir()
    shutil.copy(ROOT / "docs" / "tutorial.ipynb", folder)
    shutil.copy(ROOT / "tests" / "notebook.py", folder)
    (folder / "told.py").write_text(TOLD)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [installed.bin / "python", "told.py", str(port)]
    done = subprocess.run(words, cwd=folder, env=installed.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["concept"], told["status"]) == ("red patch", 200)
    assert told["share"] > 0.8
    assert told["p"] < 0.05
    assert told["lost"]["marked"] < 0.5 < told["lost"]["plain"]
    assert f"layer=conv2&unit={told['unit']}" in told["url"]
    assert "patches" in told["title"]
    assert not answers(f"http://127.0.0.1:{port}/_stcore/health"), "closed with its view"


def test_every_page_runs_to_its_end_without_a_demo(installed: Installed) -> None:
    with installed.serving() as where:
        assert any("No data set yet" in one for one in drawn(where, ""))
        for page in PAGES[1:]:
            assert page.title in drawn(where, address(page))[0], page
        for path in ("app/static/inter-latin-wght-normal.woff2", *DOCUMENTS):
            assert answers(f"http://{where}/{path}"), path


def test_an_installed_demo_is_found_with_its_results(with_demo: Installed) -> None:
    said = with_demo.run("profile", "--network", "demo/alexnet", "--dataset", "demo", "--layers", "conv1")
    assert "All found in the cache" in said
    assert "12 " in said.split("conv1", 1)[1]
    with with_demo.serving() as where:
        assert any("You are looking at the demo" in one for one in drawn(where, ""))
