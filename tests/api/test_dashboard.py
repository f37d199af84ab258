"""A result opened on the dashboard: under which names, on which server, and when it is refused."""

from __future__ import annotations

import http.server
import socket
import threading

import pytest
from torch import nn

import interpret_core as ic
from interpret_core import config, datasets, networks
from interpret_core.api import dashboard
from interpret_core.api.registration import registered_dataset, registered_network
from interpret_core.errors import NetworkError, ParameterError
from interpret_core.runtime.subjects import identify
from interpret_core.store import Store
from tests.planted_dataset import make_planted
from tests.planted_networks import red_detector

SHAPE = {"size": 32, "mean": [0, 0, 0], "std": [1, 1, 1], "class_names": ["a", "b", "c"]}


class Importable(nn.Sequential):
    """A network that another process can build."""

    def __init__(self):
        layers = nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        super().__init__(*layers)


def functional():
    """Another way to the same network."""
    return Importable()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_UPLOADS", str(tmp_path / "uploads"))
    with Store(tmp_path / "cache") as opened:
        yield opened


@pytest.mark.parametrize("factory", ["", "tests.api.test_dashboard:functional"])
def test_a_live_network_gets_a_name_that_others_find_with_its_results(store, factory):
    net = ic.wrap(Importable(), **SHAPE)
    name = registered_network(net, factory, store)
    assert name == f"Importable-{net.digest[:8]}"
    assert name in networks.known()
    found = networks.load(name)
    assert (found.digest, found.class_names) == (net.digest, ("a", "b", "c"))
    assert identify(name, store, recent=True).digest == net.digest, "pages know it without loading it"
    assert registered_network(net, factory, store) == name
    other = ic.wrap(Importable(), **SHAPE)
    assert registered_network(other, factory, store) != name


def test_a_live_network_that_nobody_else_can_build_is_refused_with_what_to_do(store, monkeypatch):
    class Local(Importable):
        """Of this function alone."""

    with pytest.raises(NetworkError, match=r"Local .*no other process finds it.*factory="):
        registered_network(ic.wrap(Local(), **SHAPE), "", store)
    with pytest.raises(NetworkError, match=r"takes arguments.*factory="):
        registered_network(ic.wrap(nn.Sequential(*Importable()), name="plain", **SHAPE), "", store)
    factory, rest = "tests.api.test_dashboard:functional", (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    wider = ic.wrap(nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), *rest), 32)
    with pytest.raises(NetworkError, match=r"functional builds another network: .*0\.weight"):
        registered_network(wider, factory, store)
    smooth = ic.wrap(nn.Sequential(nn.Conv2d(3, 3, 3), nn.Sigmoid(), *rest), **SHAPE)
    with pytest.raises(NetworkError, match=r"builds another network"):  # of the same tensors
        registered_network(smooth, factory, store)
    assert not config.current().networks
    monkeypatch.setenv("INTERPRET_UPLOADS", "0")
    with pytest.raises(ParameterError, match=r"none can be added \(INTERPRET_UPLOADS=0\)"):
        registered_network(ic.wrap(Importable(), **SHAPE), "", store)


def test_an_architecture_builds_it_too(store):
    made = networks.load("torchvision/squeezenet1_1@random").spec
    module = made.source.build(made.weights(fetch=False))
    net = ic.wrap(module, 64)
    assert registered_network(net, "torchvision/squeezenet1_1", store).endswith(net.digest[:8])


def test_a_data_set_gets_a_name_unless_it_has_one(store, tmp_path, demo_shown):
    assert registered_dataset(ic.open_dataset("demo")) == "demo"
    make_planted(tmp_path / "demo", images=4, size=32, annotation=32)
    data = ic.open_dataset(tmp_path / "demo")
    name = registered_dataset(data)
    assert name == f"demo-{data.digest[:8]}", "that of another data set is no name of it"
    assert datasets.open_dataset(name, registered_only=True).digest == data.digest
    assert registered_dataset(data) == name


@pytest.fixture
def elsewhere():
    """An address where something listens that is no dashboard."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers as a dashboard does."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Not a word."""


def test_a_server_of_another_cache_and_what_is_none_are_refused(elsewhere, tmp_path, monkeypatch):
    def view(address):
        return dashboard.view_of("units", {"network": "a b", "unit": ""}, address, tmp_path, browser=False)

    with pytest.raises(ParameterError, match=r"status 501 and is no dashboard"):
        view(elsewhere)
    with pytest.raises(ParameterError, match=r"expected one such as http"):
        view("8501")
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet():
            there, _ = other.accept()
            with there:
                there.recv(1000)
                there.sendall(b"220 mail\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        with pytest.raises(ParameterError, match=r"is no dashboard \(BadStatusLine\)"):
            view(f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ParameterError, match=r"none can be started there from here"):
            view(f"http://127.0.0.1:{free.getsockname()[1]}/base")
    with http.server.HTTPServer(("127.0.0.1", 0), Healthy) as server:  # of this process, with its cache
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with pytest.raises(ParameterError, match=r"another INTERPRET_CACHE, .*, expected"):
            view(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_without_an_address_ports_of_others_are_passed_over(elsewhere, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    taken = int(elsewhere.rpartition(":")[2])
    with http.server.HTTPServer(("127.0.0.1", 0), Healthy) as server:  # of this process, with this cache
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(dashboard, "PORTS", (taken, server.server_port, taken))
        seen = dashboard.view_of("units", {}, None, tmp_path / "cache", browser=False)
        assert (seen.url, seen.process) == (f"http://127.0.0.1:{server.server_port}/units?", None)
        with pytest.raises(ParameterError, match=r"status 501 and is no dashboard"):
            dashboard.view_of("units", {}, None, tmp_path / "another", browser=False)
        server.shutdown()
        thread.join()


def test_the_address_says_what_was_asked(store, tmp_path, monkeypatch):
    make_planted(tmp_path / "planted", images=4, size=32, annotation=32)
    net = ic.wrap(red_detector(), **SHAPE)
    options = {"quantile": 0.05, "min_images": 1, "cutoff": 0.1, "permutations": 0}
    found = ic.profile(net, tmp_path / "planted", **options)
    given = []
    monkeypatch.setattr(dashboard, "view_of", lambda *one, **_: given.append(one) or dashboard.View("u"))
    view = found.open("conv1", 0, factory="tests.planted_networks:red_detector")
    page, query, address, cache = given[0]
    assert (page, address, cache) == ("units", None, tmp_path / "cache")
    assert (query["layer"], query["unit"], query["cutoff"], query["min_images"]) == ("conv1", "0", "0.1", "1")
    assert query["network"].endswith(net.digest[:8])
    assert "quantile=0.05" in view.note
    assert "permutations=0" in repr(view)
