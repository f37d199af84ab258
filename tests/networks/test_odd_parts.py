"""What factories hand out besides plain networks: numbers of other libraries, odd names, other modules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interpret_core.errors import NetworkError, ParameterError
from interpret_core.networks import NetworkParts, Preprocessing, digest, find, load
from tests.networks import own
from tests.networks.conftest import images

LIVE = "tests.networks.own:live"
HERE = __name__


# Preprocessing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [tuple, list, np.array, torch.tensor, lambda one: np.float32(one).tolist()])
def test_equal_numbers_are_one_preprocessing_whatever_they_are_written_in(of: object) -> None:
    plain = Preprocessing((32, 32), (0.0, 0.5, 1.0), (0.5, 1.0, 2.0))
    other = Preprocessing(of([32, 32]) if of in (tuple, list, np.array) else (32, 32),  # type: ignore[operator]
                          of([0.0, 0.5, 1.0]), of([0.5, 1.0, 2.0]))  # type: ignore[operator]  # fmt: skip
    assert other == plain
    assert hash(other) == hash(plain)
    own.Live.parts = NetworkParts(module := own.Base(), plain)
    expected = load(LIVE).digest
    own.Live.parts = NetworkParts(module, other)
    assert load(LIVE).digest == expected


def test_whole_numbers_are_the_same_preprocessing() -> None:
    assert (
        Preprocessing(mean=(0, 0, 0), std=(1, 1, 1)).record()
        == Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)).record()
    )
    for wrong in ("abc", (0.5, 0.5), 0.5, (0.5, None, 0.5)):
        with pytest.raises(ParameterError, match="expected three finite numbers"):
            Preprocessing(mean=wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="in whole pixels"):
        Preprocessing(size=(32.5, 32))  # type: ignore[arg-type]


class Brighter(Preprocessing):
    """Its work would be in no key."""

    def batch(self, pictures: object) -> Tensor:
        return super().batch(pictures) + 1  # type: ignore[arg-type]


def brighter() -> NetworkParts:
    return NetworkParts(own.Base(), Brighter((32, 32)))


def not_a_preprocessing() -> NetworkParts:
    return NetworkParts(own.Base(), nn.Identity())  # type: ignore[arg-type]


# Factories -------------------------------------------------------------------------------------------------


def odd_name() -> NetworkParts:
    return own.parts(own.Base(), ("caf\udce9", "dog", "bus"))


def leaving() -> NetworkParts:
    sys.exit("no weights here")


def asking() -> NetworkParts:
    parser = argparse.ArgumentParser()
    parser.add_argument("--depth", required=True)
    parser.parse_args([])
    return own.base()


def on_meta() -> NetworkParts:
    with torch.device("meta"):
        return own.base()


def exported() -> NetworkParts:
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(
        own.Base().eval(), (torch.zeros(2, 3, 32, 32),), dynamic_shapes=({0: batch},)
    )
    return own.parts(program.module())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("brighter", "preprocessing is Brighter, expected Preprocessing itself.* the module's forward"),
        ("not_a_preprocessing", "preprocessing is Identity, expected Preprocessing itself"),
        ("odd_name", r"A class is named 'caf\\udce9', which is no text"),
        ("leaving", r"ended the process \(SystemExit: no weights here\)"),
        ("asking", r"ended the process \(SystemExit: 2\).*parse_args\(\[\]\)"),
        ("on_meta", "lies on the meta device"),
        ("exported", "is a program of torch.export.* Hand out the module"),
    ],
)
def test_what_no_network_can_be_made_of_says_so_in_a_line(name: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message) as caught:
        load(f"{HERE}:{name}")
    assert "\n" not in str(caught.value)


def test_a_module_that_ends_the_process_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends_the_process.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NetworkError, match=r"cannot be imported \(SystemExit: 3\)"):
        find("ends_the_process:make")


@pytest.mark.parametrize("call", [load, digest])
def test_a_module_in_place_of_a_name(call: object) -> None:
    with pytest.raises(NetworkError, match=r"network is Base, expected a name.* def mine"):
        call(own.Base())  # type: ignore[operator]


# Numbers ---------------------------------------------------------------------------------------------------


def test_another_default_type_of_the_process_changes_nothing() -> None:
    own.Live.parts = own.parts(own.Base())
    expected = [load(name) for name in (LIVE, "tests.networks.own:base")]
    torch.set_default_dtype(torch.float64)
    try:
        for network in expected:
            again = load(network.name)
            assert again.digest == network.digest
            assert again.recipe == network.recipe
            assert find(network.name).recipe(again.spec.weights(), again.device) == network.recipe
            with again.recording(again.layers) as run, network.recording(network.layers) as before:
                batch = images(network).float()
                assert torch.equal(run(batch).output, before(batch).output)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


class Complex(own.Base):
    """Its first convolution is one of complex numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.waves = nn.Conv2d(3, 3, 3, padding=1, dtype=torch.cfloat)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.waves(x.to(torch.cfloat)).abs())


def test_a_layer_of_complex_numbers_is_left_out() -> None:
    own.Live.parts = own.parts(Complex())
    network = load(LIVE)
    assert [layer.name for layer in network.layers] == ["first", "second"]
    assert dict(network.left_out) == {
        "waves": "its response consists of numbers of type complex64, which have no order"
    }


class Halved(own.Base):
    """Computes in half precision inside."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().forward(x).float()


@pytest.mark.thorough
def test_autocast_inside_a_network_or_around_its_forward() -> None:
    around = own.Base().eval()
    around.forward = torch.autocast("cpu", dtype=torch.bfloat16)(around.forward)
    for module in (Halved().eval(), around):
        own.Live.parts = own.parts(module)
        network = load(LIVE)
        batch = images(network, 3)
        with network.recording(network.layers) as run, torch.no_grad():
            found = run(batch)
            expected = module(batch).float()
        assert all(one.dtype is torch.float32 for one in found.responses.values())
        torch.testing.assert_close(found.output.float(), expected, rtol=2e-2, atol=1e-2)
        seen: list[torch.dtype] = []
        network.stream(batch, ["second"], lambda _, response, seen=seen: seen.append(response.dtype))
        assert seen == [torch.float32]


# Batches ---------------------------------------------------------------------------------------------------


class Beside(own.Base):
    """Modules in a plain list, which eval() does not reach."""

    def __init__(self) -> None:
        super().__init__()
        self.extra = [nn.BatchNorm2d(3)]

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.extra[0](x))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (own.Trains(), "Likely norm, which normalises by the batch: it is in training mode though"),
        (Beside(), "Likely the BatchNorm2d in extra, .* outside the tree; use ModuleList"),
    ],
)
def test_statistics_of_the_batch_have_their_true_cause(module: nn.Module, message: str) -> None:
    own.Live.parts = own.parts(module)
    with pytest.raises(NetworkError, match=message):
        load(LIVE)
