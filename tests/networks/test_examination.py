"""What loading finds out about networks that were not written for Unitscope."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from interpret_core.errors import NetworkError
from interpret_core.networks import Network, load
from tests.networks import own
from tests.networks.conftest import images

OWN = "tests.networks.own:"


def plain_output(name: str, batch: Tensor) -> Tensor:
    """The factory's own module, run by nobody but torch; seeded as the factory is when it is loaded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = getattr(own, name)().module.eval()
    with torch.no_grad():
        return module(batch.contiguous())


def output_of(network: Network, batch: Tensor) -> Tensor:
    with network.ablating({}) as intact:
        return intact(batch)


@pytest.mark.parametrize(
    "name",
    [
        "base",
        "viewed",
        "unfolded",
        "squeezed",
        "convolutional",
        "by_its_width",
        "by_all_but_two_axes",
        "volume",
    ],
)
def test_a_sound_network_works_and_gives_its_own_numbers(name: str) -> None:
    network = load(OWN + name)
    assert [layer.name for layer in network.layers] == ["first", "second"]
    network.require_classes()
    for count in (1, 2, 5):
        batch = images(network, count)
        expected = plain_output(name, batch).reshape(count, 3)
        torch.testing.assert_close(output_of(network, batch), expected, rtol=1e-5, atol=1e-6)


def test_a_lazy_module_gets_its_shapes_before_anything_else() -> None:
    network = load(OWN + "lazy")
    assert [layer.units for layer in network.layers] == [8, 12]
    assert load(OWN + "lazy").digest == network.digest  # what is drawn then is seeded too


def test_channels_last_is_left_where_it_fails_or_changes_the_numbers() -> None:
    for name in ("viewed", "unfolded"):
        network = load(OWN + name)
        with network.recording(["second"]) as run:
            response = run(images(network)).responses["second"]
        assert response.is_contiguous()


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_type_are_computed_in_single_precision(kind: torch.dtype) -> None:
    module = own.Base().to(kind)
    own.Live.parts = own.parts(module)
    network = load(OWN + "live")
    assert f"Its weights are {str(kind).removeprefix('torch.')}: computed in float32." in network.note
    batch = images(network)
    with torch.no_grad():
        expected = module.float().eval()(batch)  # from here on it is float32
    torch.testing.assert_close(output_of(network, batch), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_statistics", r"output \d is .* among \d and .* among 3.* Likely norm, which normalises"),
        ("trains", r"Likely norm, which normalises by the batch"),
        ("centred", r"answers to an image according to the others of its batch"),
        ("across_the_batch", r"answers to an image according to the others"),
        ("to_the_first", r"answers to an image according to the others"),
        ("needs_two", r"fails on a batch of 1 \(IndexError"),
        (
            "patches",
            r"no layer that can be used; first: for 3 images, .* 12 in the batch",
        ),
    ],
)
def test_what_is_refused_and_why(name: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message) as caught:
        load(OWN + name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kept", "left_out"),
    [
        ("mirrored", ["first"], {"second": "6 in the batch", "head": "6 in the batch"}),
        ("routed", ["first", "second"], {"bright": "in the batch", "dark": "in the batch"}),
        ("reordered", ["second"], {"first": "changes with the other images"}),
    ],
)
def test_a_layer_whose_rows_are_not_the_images_is_left_out(name: str, kept: list, left_out: dict) -> None:
    network = load(OWN + name)
    assert [layer.name for layer in network.layers] == kept
    assert [layer.index for layer in network.layers] == list(range(len(kept)))
    reasons = dict(network.left_out)
    assert reasons.keys() == left_out.keys()
    for layer, words in left_out.items():
        assert words in reasons[layer]
        said = f"Layer {layer} is left out: {reasons[layer]}." in network.note
        assert said is (layer != "head")  # of the convolutions; a report lists all
    torch.testing.assert_close(
        output_of(network, batch := images(network, 4)), plain_output(name, batch), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("convolutional_map", r"returns \(N, 3, 2, 2\), expected \(N, classes\)"),
        ("decided", r"returns numbers of type int64, expected floating-point ones"),
    ],
)
def test_outputs_that_are_no_classes_leave_the_units(name: str, message: str) -> None:
    network = load(OWN + name)
    assert "second" in {layer.name for layer in network.layers}
    with pytest.raises(NetworkError, match=message):
        network.require_classes()


class Channels(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean((2, 3))


class TwoArguments(own.Base):
    def forward(self, x: Tensor, scale: float) -> Tensor:  # type: ignore[override]
        return super().forward(x) * scale


class MixedTypes(own.Base):
    def __init__(self) -> None:
        super().__init__()
        self.head = self.head.double()


class Outside(own.Base):
    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("something of its own\nin two lines")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Channels(4), "takes 4 channels, Unitscope feeds 3"),
        (TwoArguments(), "takes more than images .*'scale'"),
        (nn.Sequential(own.Base(), nn.Linear(7, 2)), "Check the preprocessing's size, 32×32 px"),
        (
            Outside(),
            "RuntimeError: something of its own in two lines. Expected a network that takes one batch",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 64)), "Check the preprocessing's size, 32×32 px"),
    ],
)
def test_the_message_names_the_true_cause(module: nn.Module, message: str) -> None:
    own.Live.parts = own.parts(module)
    with pytest.raises(NetworkError, match=message) as caught:
        load(OWN + "live")
    assert "\n" not in str(caught.value)


def test_weights_of_two_types_that_meet_are_brought_to_one() -> None:
    own.Live.parts = own.parts(MixedTypes())
    assert "Its weights are float32, float64: computed in float32." in load(OWN + "live").note


def test_a_live_script_module_is_refused_and_stays_as_it_was() -> None:
    with warnings.catch_warnings():  # TorchScript is deprecated; somebody may still bring such a module
        warnings.simplefilter("ignore", DeprecationWarning)
        script = torch.jit.script(own.Base())
    own.Live.parts = own.parts(script)
    with pytest.raises(NetworkError, match="TorchScript"):
        load(OWN + "live")
    assert all(parameter.requires_grad for parameter in script.parameters())


def test_wrappers_are_taken_off() -> None:
    own.Live.parts = own.parts(inside := own.Base())
    expected = load(OWN + "live")
    for wrapped in (
        nn.DataParallel(inside),
        torch.compile(inside, backend="eager"),
        torch.compile(nn.DataParallel(inside), backend="eager"),
    ):
        own.Live.parts = own.parts(wrapped)
        network = load(OWN + "live")
        assert network.digest == expected.digest
        assert network.traced
