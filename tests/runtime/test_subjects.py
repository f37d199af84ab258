"""Names to digests: what a run noted, what nobody can know yet, and what is no longer what it was."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from interpret_core import networks
from interpret_core.errors import NetworkError, StoreError, WeightsError
from interpret_core.networks import registry
from interpret_core.networks.checkpoints import fit as fitting
from interpret_core.networks.examination.probe import agrees, sample
from interpret_core.networks.providers import factories
from interpret_core.runtime.subjects import (
    UNKNOWN,
    Subject,
    findings_of,
    identify,
    layers_of,
    loaded,
    remember,
)
from interpret_core.store.cabinet import Cabinet
from interpret_core.store.store import Store
from tests.networks import own
from tests.slow import slow, thorough_beyond

OWN = "tests.networks.own:"
LIVE = OWN + "live"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def usual(subject: Subject, store: Store) -> tuple[str, ...]:
    """Names of its layers, as a run has noted them."""
    known = layers_of(subject, store)
    return known.usual if known else ()


@thorough_beyond(2)
@pytest.mark.parametrize("damage", ["cut off", "gone", "noise"])
def test_a_lost_index_does_not_hide_what_pages_look_up(store: Store, tmp_path: Path, damage: str) -> None:
    digest = loaded(identify(OWN + "base", store), store).digest
    index = store.folder / "results" / "cache.db"
    index.unlink() if damage == "gone" else index.write_bytes(b"noise" * (0 if damage == "cut off" else 999))
    again = identify(OWN + "base", Store(store.folder))
    assert again.digest == digest
    assert usual(again, store) == ("first", "second")


@thorough_beyond(1)
@pytest.mark.parametrize(
    "name", [OWN + "base", slow("efficientnet-lite0"), "torchvision/squeezenet1_1@random"]
)
def test_a_digest_is_known_once_a_run_has_loaded_the_network(name: str, store: Store) -> None:
    before = identify(name, store, recent=True)
    assert not before.known
    assert before.digest.startswith(UNKNOWN)
    assert layers_of(before, store) is None
    found = loaded(before, store)
    again = identify(name, store, recent=True)
    assert again.known
    assert again.digest == found.digest == networks.load(name).digest
    assert again.network is None
    assert identify(name, store).digest == found.digest
    assert layers_of(again, store) == layers_of(found, store)
    assert usual(again, store) == tuple(one.name for one in found.network.layers)


@pytest.mark.thorough
def test_what_loading_found_out_is_there_for_those_who_only_look(store: Store) -> None:
    loaded(identify(OWN + "tags", store), store)
    (said,) = findings_of(identify(OWN + "tags", store), store)
    assert said.startswith("Its outputs are probabilities already")
    assert findings_of(identify(OWN + "one_logit", store, recent=True), store) == ()


@pytest.mark.thorough
def test_looking_builds_nothing_that_comes_from_a_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(identify("efficientnet-lite0", store), store)

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("built")

    monkeypatch.setattr(networks.NetworkSpec, "build", refused)
    assert identify("efficientnet-lite0", store).known


def test_a_page_asks_a_factory_again_after_a_moment_and_at_once_when_a_job_has_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    original = factories.FactorySource.parts

    def counted(self: factories.FactorySource, *seed: int) -> object:
        calls.append(seed)
        return original(self, *seed)

    monkeypatch.setattr(factories.FactorySource, "parts", counted)
    own.Live.parts = own.parts(module := own.Base(), evidence="trained")
    loaded(identify(LIVE, store), store)
    now = factories.time.time() + 1_000.0  # all answers from before are too old
    monkeypatch.setattr(factories.time, "time", lambda: now)
    monkeypatch.setattr(factories.time, "perf_counter", iter([0.0, 2.0, 10.0, 12.0, 20.0, 22.0]).__next__)
    first = identify(LIVE, store, recent=True)  # a look of two seconds
    assert first.known
    before = module.head.bias.detach().clone()
    with torch.no_grad():
        module.head.bias.add_(1.0)
    seen = len(calls)
    now += 39.0
    assert identify(LIVE, store, recent=True).digest == first.digest
    assert len(calls) == seen
    now += 2.0  # more than twenty times as long
    assert not identify(LIVE, store, recent=True).known
    assert len(calls) == seen + 1
    with torch.no_grad():
        module.head.bias.copy_(before)
    now += 1.0
    assert identify(LIVE, store, recent=True, since=now - 0.5).digest == first.digest
    assert len(calls) == seen + 2


@pytest.mark.thorough
def test_automatic_goes_on_with_the_device_that_results_are_of(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a machine that gets an accelerator would show nothing of what was computed on it before."""
    name = "efficientnet-lite0"

    def best(device: str | torch.device) -> torch.device:
        return torch.device("meta" if device == "auto" else device)  # stands in for an accelerator

    monkeypatch.setattr(networks, "find_device", best)
    assert identify(name, store).device.type == "meta"
    on_cpu = loaded(identify(name, store, "cpu"), store)
    found = identify(name, store)
    assert (found.device.type, found.digest) == ("cpu", on_cpu.digest)
    spec = networks.find(name)
    store.put_json(f"identity/{spec.recipe(spec.weights(), torch.device('meta'))}", "0" * 64)
    assert identify(name, store).device.type == "meta"  # it has results of its own
    assert identify(name, store, "cpu").digest == on_cpu.digest


def test_two_devices_are_two_keys() -> None:
    network = networks.load(OWN + "base")
    others = {
        network.spec.recipe(network.spec.weights(), torch.device(kind)) for kind in ("cpu", "cuda", "mps")
    }
    assert len(others) == 3


def test_another_answer_under_the_same_digest_is_no_result(store: Store) -> None:
    found = loaded(identify(OWN + "base", store), store)
    key = f"network/{found.digest}"
    note = store.get_json(key)
    largest = max(abs(answer) for answer in note["answers"])
    for share, fits in ((0.5e-4, True), (2e-4, False)):
        moved = [note["answers"][0] + share * largest, *note["answers"][1:]]
        store.put_json(key, note | {"answers": moved})
        if fits:
            remember(found.required, store)
        else:
            with pytest.raises(NetworkError, match="gives another output than when its results were stored"):
                remember(found.required, store)
            with pytest.raises(NetworkError, match="another output"):
                loaded(identify(OWN + "base", store), store)


@pytest.mark.parametrize("note", ["text", 3, ["layers"], {"layers": ["a"]}, {"answers": []}])
def test_a_note_of_another_shape_is_as_good_as_none(store: Store, note: object) -> None:
    found = loaded(identify(OWN + "base", store), store)
    store.put_json(f"network/{found.digest}", note)
    assert layers_of(identify(OWN + "base", store, recent=True), store) is None
    remember(found.required, store)
    assert usual(identify(OWN + "base", store, recent=True), store) == ("first", "second")


def test_where_nothing_can_be_written_the_network_can_still_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Store(tmp_path / "small")
    monkeypatch.setattr(Cabinet, "keep", Mock(side_effect=StoreError("full")))
    found = loaded(identify(OWN + "base", small), small)
    assert found.network is not None
    assert usual(found, small) == ("first", "second")


def test_samples_of_outputs() -> None:
    output = torch.tensor([[1.0, float("nan")], [-3.0, float("inf")]])
    assert sample(output) == [1.0, None, -3.0, None]
    assert agrees(sample(output), sample(output))
    assert not agrees(sample(output), [1.0, 2.0, -3.0, None])
    assert not agrees(sample(output), [1.0])
    assert len(sample(torch.zeros(3, 1000, 7, 7))) <= 2048


def test_weights_that_change_while_they_are_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    """The recipe is of the file, the digest of what was read: they must not be of two contents."""
    file = tmp_path / "weights.pth"
    torch.save(own.Base().state_dict(), file)
    other = tmp_path / "other.pth"
    torch.save({name: one + 1 for name, one in own.Base().state_dict().items()}, other)
    original = fitting.parts_of

    def exchanged(path: Path) -> dict[str, dict[str, torch.Tensor]]:
        parts = original(path)
        other.replace(path)
        return parts

    monkeypatch.setattr(fitting, "parts_of", exchanged)
    with pytest.raises(WeightsError, match="changed while it was read"):
        loaded(identify(f"{OWN}base@{file}", store), store)
    assert store.json_keys("identity/") == []
    monkeypatch.setattr(fitting, "parts_of", original)
    assert loaded(identify(f"{OWN}base@{file}", store), store).known


def test_a_subject_that_is_not_loaded_says_so() -> None:
    spec = networks.find(OWN + "base")
    with pytest.raises(ValueError, match="has not been loaded"):
        _ = Subject(spec, "0" * 64, torch.device("cpu")).required
    assert registry.find(OWN + "base") == spec
