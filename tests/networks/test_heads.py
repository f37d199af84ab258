"""What outputs mean: found by running a network, or stated; and the arithmetic of each kind."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.errors import NetworkError, ParameterError, UserError
from interpret_core.networks import load
from interpret_core.networks.heads import HEADS, Head, stated_head
from tests.networks import own
from tests.networks.conftest import images

OWN = "tests.networks.own:"


@pytest.mark.parametrize(
    ("name", "kind", "exclusive", "said"),
    [
        ("base", "logits", True, ""),
        ("log_probabilities", "logits", True, ""),  # softmax gives them back
        ("small_logits", "logits", True, ""),
        ("functional", "logits", True, ""),
        ("untraceable_logits", "logits", True, ""),
        ("one_logit", "sigmoid", False, "It has one output, a logit"),
        (
            "one_probability",
            "probabilities",
            False,
            "probabilities already (from 0 to 1, each class for itself)",
        ),
        ("one_number", "probabilities", False, "probabilities already"),
        ("tags", "probabilities", False, "each class for itself"),
        ("untraceable_tags", "probabilities", False, "each class for itself"),
        ("distribution", "probabilities", True, "each row adds up to 1"),
        ("written_out", "probabilities", True, "each row adds up to 1"),
        ("grouped", "probabilities", True, "each row adds up to 1"),  # though a linear layer comes last
        ("some_groups", "probabilities", False, "each class for itself"),
        ("hard", "probabilities", False, "each class for itself"),
        ("rectified", "logits", True, ""),
        ("percent", "logits", True, "add up to 100 in every row, so what they mean is uncertain"),
        ("log_sigmoid", "logits", True, "never above 0, as logarithms of probabilities"),
        ("no_head", "logits", True, "the same for every image, so what they mean is uncertain"),
    ],
)
def test_what_a_network_gives_is_found_by_running_it(
    name: str, kind: str, exclusive: bool, said: str
) -> None:
    network = load(OWN + name)
    assert (network.head.kind, network.head.exclusive) == (kind, exclusive)
    assert said in network.note
    assert bool(said) == bool(network.head.reason)


def test_extreme_images_tell_logits_from_probabilities_where_nothing_else_does() -> None:
    network = load(OWN + "untraceable_logits")
    assert not network.traced
    assert all(0 <= answer <= 1 for answer in network.answers)


@pytest.mark.parametrize("kind", HEADS)
def test_the_owner_may_say_otherwise(kind: str) -> None:
    own.Live.parts = own.parts(own.tags().module, head=kind)
    network = load(OWN + "live")
    assert network.head.kind == kind
    assert "As its owner says." in network.note


def test_the_configuration_may_say_so_too(tmp_path: Path) -> None:
    Path("unitscope.toml").write_text(
        f'[networks]\nplain = "{OWN}tags"\n[networks.mine]\nnetwork = "{OWN}tags"\nhead = "sigmoid"\n'
    )
    assert (load("plain").head.kind, load("mine").head.kind) == ("probabilities", "sigmoid")
    assert load("plain").digest != load("mine").digest
    assert load("mine").name == "mine"
    Path("unitscope.toml").write_text('[networks]\nmine = { network = "a:b", head = "soft" }\n')
    with pytest.raises(
        UserError, match=r"\[networks\] mine: head is .* one of logits, probabilities, sigmoid"
    ):
        load("mine")
    Path("unitscope.toml").write_text('[networks]\nmine = { head = "sigmoid" }\n')
    with pytest.raises(UserError, match=r"\[networks\] mine is None, expected a non-empty text"):
        load("mine")


def test_what_cannot_be_said() -> None:
    with pytest.raises(NetworkError, match="one output, whose softmax is always 1"):
        stated_head("logits", torch.zeros(3, 1))
    with pytest.raises(ParameterError, match="Unknown head 'softmax'"):
        stated_head("softmax", torch.zeros(3, 2))
    own.Live.parts = own.parts(own.Base(), head="soft")
    with pytest.raises(NetworkError, match="Unknown head 'soft'"):
        load(OWN + "live")


OUTPUTS = st.lists(st.lists(st.floats(-8, 8), min_size=4, max_size=4), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(rows=OUTPUTS, group=st.sets(st.integers(0, 3), min_size=1).map(sorted), kind=st.sampled_from(HEADS))
def test_probabilities_by_the_book(rows: list[list[float]], group: list[int], kind: str) -> None:
    head = Head(kind, kind == "logits")
    if kind == "probabilities":
        rows = [[1 / (1 + math.exp(-value)) for value in row] for row in rows]
    outputs = np.array(rows)
    members = np.zeros(outputs.shape, bool)
    members[:, group] = True
    found = head.together(outputs, members)
    tensor = torch.from_numpy(outputs)
    np.testing.assert_allclose(head.probability(tensor, group).numpy(), found, rtol=1e-9, atol=1e-12)
    for row, one, all_of_them in zip(rows, found, head.probabilities(outputs), strict=True):
        each = by_hand(row, kind)
        np.testing.assert_allclose(all_of_them, each, rtol=1e-9)
        whole = sum(each[k] for k in group) if kind == "logits" else 1 - math.prod(1 - each[k] for k in group)
        assert one == pytest.approx(whole, rel=1e-7, abs=1e-12)
    assert head.best(outputs).tolist() == [max(range(4), key=lambda k: (row[k], -k)) for row in rows]


def by_hand(row: list[float], kind: str) -> list[float]:
    if kind == "probabilities":
        return row
    if kind == "sigmoid":
        return [1 / (1 + math.exp(-value)) for value in row]
    total = sum(math.exp(value) for value in row)
    return [math.exp(value) / total for value in row]


@settings(max_examples=40, deadline=None)
@given(rows=OUTPUTS, group=st.sets(st.integers(0, 3), min_size=1).map(sorted))
def test_the_number_before_the_last_nonlinearity(rows: list[list[float]], group: list[int]) -> None:
    outputs = torch.tensor(rows, dtype=torch.float64)
    logits = Head().logit(outputs, group)
    torch.testing.assert_close(logits, outputs[:, group].exp().sum(1).log())
    sigmoid = Head("sigmoid", False)
    whole = sigmoid.probability(outputs, group)
    torch.testing.assert_close(
        sigmoid.logit(outputs, group), (whole / (1 - whole)).log(), rtol=1e-6, atol=1e-6
    )
    if len(group) == 1:
        torch.testing.assert_close(sigmoid.logit(outputs, group), outputs[:, group[0]])
    given_already = Head("probabilities", False)
    torch.testing.assert_close(
        given_already.logit(outputs.sigmoid(), group), sigmoid.logit(outputs, group), rtol=1e-5, atol=1e-5
    )
    shares = Head("probabilities", True)
    torch.testing.assert_close(
        shares.logit(outputs.softmax(1), group), Head().probability(outputs, group).log()
    )


def test_an_only_output_is_the_answer_above_one_half() -> None:
    logits = np.array([[-3.0], [0.0], [0.1]])
    assert Head("sigmoid", False).best(logits).tolist() == [-1, -1, 0]
    assert Head("probabilities", False).best(np.array([[0.2], [0.5], [0.7]])).tolist() == [-1, -1, 0]


def test_certain_probabilities_have_finite_logits_and_gradients() -> None:
    for exclusive in (True, False):
        outputs = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
        found = Head("probabilities", exclusive).logit(outputs, [0])
        assert found.isfinite().all()
        (gradient,) = torch.autograd.grad(found.sum(), outputs)
        assert gradient.isfinite().all()


def test_a_network_with_one_number_keeps_its_own_answer() -> None:
    network = load(OWN + "one_probability")
    batch = images(network, 3)
    with network.ablating({}) as intact:
        outputs = intact(batch)
    assert outputs.shape == (3, 1)
    torch.testing.assert_close(network.head.probability(outputs, [0]), outputs[:, 0].double())
