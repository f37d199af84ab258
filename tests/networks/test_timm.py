"""timm's networks: the hub's weights through its own client, and the same network by another package."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from interpret_core.networks import find, load
from interpret_core.networks.providers.timm_models import FILE, timm
from tests.slow import slow

REPOSITORY = "timm/lcnet_050.ra2_in1k"
NAME = "timm/lcnet_050"
ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import json
from interpret_core.networks import load
network = load("timm/lcnet_050")
print(json.dumps([network.evidence, network.note, network.answers]))
"""


class _Hub(BaseHTTPRequestHandler):
    """What the hub's client asks: where the file is, then the file."""

    content = b""
    asked: list[str]

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.content)

    def _answer(self, body: bytes) -> None:
        self.asked.append(f"{self.command} {self.path}")
        known = self.path == f"/{REPOSITORY}/resolve/main/{FILE}"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(self.content) if known else 0))
        self.send_header("ETag", f'"{hashlib.sha256(self.content).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()
        if known:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[str, type[_Hub]]]:
    """A hub of this machine that has the weights of one network, seeded; its address."""
    torch.manual_seed(11)
    module = timm().create_model(NAME.removeprefix("timm/"), pretrained=False)
    save_file(module.state_dict(), tmp_path / "weights.safetensors")
    handler = type("Hub", (_Hub,), {"content": (tmp_path / "weights.safetensors").read_bytes(), "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def told(tmp_path: Path, address: str, **more: str) -> tuple[str, str, list[float]]:
    """Evidence, note and answers, as a process of its own tells them; its client reads its address once."""
    hidden = ("INTERPRET_OFFLINE", "HF_HUB_OFFLINE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        "HF_HOME": str(tmp_path / "hub"),
        "HF_ENDPOINT": address,
        "HF_HUB_DISABLE_XET": "1",
        **more,
    }
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    evidence, note, answers = json.loads(done.stdout.splitlines()[-1])
    return evidence, note, answers


@pytest.mark.slow
def test_weights_are_fetched_from_the_hub_once_and_then_found(
    tmp_path: Path, hub: tuple[str, type[_Hub]], slowly: bool
) -> None:
    address, handler = hub
    first = told(tmp_path, address)
    assert first[:2] == ("trained", f"Trained weights of {REPOSITORY}.")
    assert f"GET /{REPOSITORY}/resolve/main/{FILE}" in handler.asked
    handler.asked.clear()
    assert told(tmp_path, address) == first
    if slowly:
        assert told(tmp_path, address, INTERPRET_OFFLINE="1") == first
    assert handler.asked == []  # the cache of the hub's client


@pytest.mark.thorough
@pytest.mark.parametrize("offline", ["1", slow("0")])  # the hub's client tries again for half a minute
def test_without_the_hub_the_network_is_random_and_says_why(tmp_path: Path, offline: str) -> None:
    evidence, note, _ = told(tmp_path, "http://127.0.0.1:9", INTERPRET_OFFLINE=offline)
    assert evidence == "random weights"
    assert REPOSITORY in note
    assert ("INTERPRET_OFFLINE is set" if offline == "1" else "could not be fetched") in note


@pytest.mark.slow
def test_the_same_network_by_another_package_has_the_same_responses(tmp_path: Path) -> None:
    """EfficientNet-Lite0 of its own package and of timm, with the same weights."""
    own = find("efficientnet-lite0")
    state = own.build(own.weights()).state_dict()
    other = timm().create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    assert [one.shape for one in state.values()] == [one.shape for one in other.values()]
    renamed = {name: one.clone() for name, one in zip(other, state.values(), strict=True)}
    save_file(renamed, tmp_path / "lite0.safetensors")
    built_in, of_timm = (
        load("efficientnet-lite0"),
        load(f"timm/tf_efficientnet_lite0@{tmp_path / 'lite0.safetensors'}"),
    )
    assert built_in.preprocessing == of_timm.preprocessing
    assert len(built_in.layers) == len(of_timm.layers) == 49
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    seen: dict[str, list[torch.Tensor]] = {}
    for network in (built_in, of_timm):
        network.stream(
            images,
            network.layers,
            lambda layer, response: seen.setdefault(str(layer.index), []).append(response),
        )
    for one, two in zip(built_in.layers, of_timm.layers, strict=True):
        assert (one.units, one.grid, one.lines, one.read) == (two.units, two.grid, two.lines, two.read)
        mine, theirs = seen[str(one.index)]
        assert (mine - theirs).abs().max() <= 1e-5 * mine.abs().max(), one.name
