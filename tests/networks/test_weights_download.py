"""Fetching weights, against a server on 127.0.0.1 that misbehaves as told."""

from __future__ import annotations

import hashlib
import io
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from interpret_core.networks import torchvision_ops
from interpret_core.networks.providers import torchvision_models as sources
from interpret_core.networks.providers.torchvision_models import TorchvisionSource
from interpret_core.networks.weights import Fetcher, expected_hash, hub_file
from tests.datasets.http_server import Site, serving

models = torchvision_ops.classifiers()

CONTENT = b"weights " * 50_000
NAME = f"net-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads are allowed here; every address is on 127.0.0.1."""
    monkeypatch.setenv("INTERPRET_OFFLINE", "0")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    fetcher, file = Fetcher(), tmp_path / "hub" / NAME
    with serving(Site({f"/{NAME}": CONTENT})) as site:
        assert fetcher.fetch(f"{site.url}/{NAME}", file) == ""
        assert fetcher.fetch(f"{site.url}/{NAME}", file) == ""
        assert len(site.requests) == 1
    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]


def test_a_transfer_that_breaks_off_is_resumed(tmp_path: Path) -> None:
    file = tmp_path / NAME
    with serving(Site({f"/{NAME}": CONTENT}, break_after=[1000])) as site:
        assert Fetcher().fetch(f"{site.url}/{NAME}", file) == ""
        assert [range_ for _, range_ in site.requests] == ["", "bytes=1000-"]
    assert file.read_bytes() == CONTENT


def test_a_transfer_that_keeps_breaking_off_is_given_up_and_not_tried_again(tmp_path: Path) -> None:
    fetcher, file = Fetcher(), tmp_path / NAME
    with serving(Site({f"/{NAME}": CONTENT}, break_after=[0] * 9)) as site:
        reason = fetcher.fetch(f"{site.url}/{NAME}", file)
        assert "broke off" in reason
        asked = len(site.requests)
        assert fetcher.fetch(f"{site.url}/{NAME}", file) == reason
        assert len(site.requests) == asked
    assert not file.exists()


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / NAME
    with serving(Site({f"/{NAME}": CONTENT[:-1]})) as site:
        reason = Fetcher().fetch(f"{site.url}/{NAME}", file)
    assert "sha256" in reason.lower()
    assert list(tmp_path.glob("*.pth*")) == []


def test_a_server_that_is_not_there_is_noticed_at_once(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    begin = time.perf_counter()
    reason = Fetcher().fetch(f"http://127.0.0.1:{port}/{NAME}", tmp_path / NAME)
    assert time.perf_counter() - begin < 3
    assert "refused" in reason


def test_a_missing_page_and_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with serving(Site({f"/{NAME}": CONTENT})) as site:
        assert "404" in Fetcher().fetch(f"{site.url}/other.pth", tmp_path / "other.pth")
        assert "cannot be written" in Fetcher().fetch(f"{site.url}/{NAME}", tmp_path / "file" / NAME)


def test_a_file_put_there_by_hand_after_a_failure_is_used(tmp_path: Path) -> None:
    fetcher, file = Fetcher(), tmp_path / NAME
    with serving(Site({})) as site:
        assert fetcher.fetch(f"{site.url}/{NAME}", file)
        file.write_bytes(CONTENT)
        assert fetcher.fetch(f"{site.url}/{NAME}", file) == ""


def source_at(url: str) -> TorchvisionSource:
    real = models.get_model_weights("squeezenet1_1").DEFAULT
    return TorchvisionSource("squeezenet1_1", SimpleNamespace(url=url, meta=real.meta, name="IMAGENET1K_V1"))


def test_a_networks_weights_come_from_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_FETCHER", Fetcher())
    model = models.squeezenet1_1(weights=None)
    content = io.BytesIO()
    torch.save(model.state_dict(), content)
    name = f"squeezenet-{hashlib.sha256(content.getvalue()).hexdigest()[:8]}.pth"
    with serving(Site({f"/models/{name}": content.getvalue()})) as site:
        source = source_at(f"{site.url}/models/{name}")
        waiting = source.weights(fetch=False)
        assert waiting.evidence == "random weights"
        assert "not tried yet" in waiting.note
        weights = source.weights(fetch=True)
    assert weights.evidence == "trained"
    assert weights.file == hub_file(source.member.url)
    built = source.build(weights).state_dict()
    assert all(torch.equal(tensor, built[key]) for key, tensor in model.state_dict().items())


def test_an_unreachable_server_gives_random_weights_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_FETCHER", Fetcher())
    with serving(Site({})) as site:
        source = source_at(f"{site.url}/models/{NAME}")
        weights = source.weights(fetch=True)
    assert weights.evidence == "random weights"
    assert "404" in weights.note
    assert source.weights(fetch=False).note == weights.note, "a look without fetching knows why"
    assert f"Put the file at {hub_file(source.member.url)}" in weights.note


def test_hashes_in_file_names() -> None:
    assert expected_hash("alexnet-owt-7be5be79.pth") == "7be5be79"
    assert expected_hash("mnasnet0.5_top1_67.823-3ffadce67e.pth") == "3ffadce67e"
    assert expected_hash("mine.pth") == ""
