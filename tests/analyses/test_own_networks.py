"""Runs of networks that were not written for Unitscope: their own numbers, or the true cause in one line."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interpret_core import datasets
from interpret_core.analyses.ablation.ablator import Ablator
from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.plan import ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.maps import image_map
from interpret_core.analyses.relevance.plan import plan
from interpret_core.errors import NetworkError, NoGradientError
from interpret_core.measures.ablation.settings import Setting
from interpret_core.networks import load
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.store.store import Store
from tests.analyses import own
from tests.analyses.related import asked, write_objects
from tests.slow import thorough_beyond

OWN = "tests.analyses.own:"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_objects(tmp_path_factory.mktemp("sets") / "objects")


def module_of(name: str) -> nn.Module:
    """The factory's own module, seeded as it is when it is loaded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(own, name)().module.eval()


def pictures(root: Path, name: str, split: str) -> tuple[Tensor, list[str]]:
    """A network's input for the images of a split, and their classes."""
    opened = datasets.open_dataset(str(root))
    wanted = [i for i, record in enumerate(opened.records) if split in ("all", record.split)]
    prepared = getattr(own, name)().preprocessing.batch([opened.read_image(i) for i in wanted])
    return prepared.contiguous(), [opened.records[i].image.partition("-")[0] for i in wanted]


def probabilities(name: str, outputs: Tensor) -> Tensor:
    """(N, K), what the network means, written down for each."""
    if name in ("one_probability", "tags", "distribution"):
        return outputs.double()
    return outputs.double().sigmoid() if name == "one_logit" else outputs.double().softmax(1)


HEADS = ("two", "one_logit", "one_probability", "tags", "distribution")


@pytest.mark.parametrize("name", HEADS)
def test_evaluation_is_the_networks_own_answer(root: Path, store: Store, name: str) -> None:
    found = run_evaluation(EvaluationRequest(OWN + name, str(root), "all"), store).evaluation
    images, classes = pictures(root, name, "all")
    with torch.no_grad():
        each = probabilities(name, module_of(name)(images))
    for number, label in enumerate(own.NAMES[: each.shape[1]]):
        rows = [place for place, one in enumerate(classes) if one == label]
        assert found.images[number] == len(rows)
        assert found.probability[number] == pytest.approx(float(each[rows, number].mean()), rel=1e-5)
        right = each[rows, 0] > 0.5 if each.shape[1] == 1 else each[rows].argmax(1) == number
        assert found.right[number] == int(right.sum())
    assert found.right.sum() < found.images.sum()  # some are wrong, or nothing would have been tried


@thorough_beyond(3)
@pytest.mark.parametrize("of", ["probability", "logit"])
@pytest.mark.parametrize("name", HEADS)
def test_relevance_is_of_what_the_network_means(root: Path, store: Store, name: str, of: str) -> None:
    found = run_relevance(asked(root, network=OWN + name, split="all", output=of, images=4), store)
    module = module_of(name)
    for number, (label, record) in enumerate(found.classes.items()):
        opened = datasets.open_dataset(str(root))
        images = (
            own.two().preprocessing.batch([opened.read_image(int(i)) for i in record.images]).contiguous()
        )
        black = own.two().preprocessing.batch([np.zeros((24, 24, 3), np.uint8)]).contiguous()
        with torch.no_grad():
            ends = [value(name, of, module(one), number) for one in (images, black)]
        assert label == own.NAMES[number]
        np.testing.assert_allclose(record.arrays["score"], ends[0].numpy(), rtol=1e-5, atol=1e-7)
        # Every path crosses both layers: completeness towards the black picture's answer.
        change = (ends[0] - ends[1]).numpy()
        np.testing.assert_allclose(record.arrays["change"], np.stack([change] * 2, 1), rtol=1e-4, atol=1e-6)
        assert (record.residual <= 0.05).all()
        assert np.abs(record.arrays["relevance"]).max() > 1e-5


def value(name: str, of: str, outputs: Tensor, number: int) -> Tensor:
    """F of each image."""
    each = probabilities(name, outputs)[:, number]
    if of == "probability":
        return each
    if name == "two":
        return outputs[:, number].double()
    return each.log() if name == "distribution" else (each / (1 - each)).log()


@thorough_beyond(2)
@pytest.mark.parametrize("name", HEADS)
def test_ablation_and_effects_are_of_what_the_network_means(root: Path, store: Store, name: str) -> None:
    request = AblationRequest(OWN + name, str(root), split="all", ranked_on="all")
    network = loaded(identify(request.network, store), store).required
    planned = ablation_plan(request, store, network)
    last = network.layers[-1].name
    setting = Setting(units=((last, 3), (last, 5)))
    answers = Ablator(planned).answers(setting)
    module = module_of(name)
    inside = module[0] if isinstance(module, nn.Sequential) else module

    def silence(_: nn.Module, __: object, response: Tensor) -> None:
        response[:, [3, 5]] = -1e9  # nothing is left behind the ReLU

    opened = datasets.open_dataset(str(root))
    images = own.two().preprocessing.batch([opened.read_image(int(i)) for i in planned.images]).contiguous()
    with inside.second.register_forward_hook(silence), torch.no_grad():
        each = probabilities(name, module(images))
    labels = torch.from_numpy(planned.labels)
    np.testing.assert_allclose(answers.probability, each[torch.arange(len(each)), labels], rtol=1e-5)

    effects = run_effects(request, store)
    a = torch.relu(inside.second(inside_of(inside, images))).detach().requires_grad_()
    outputs = inside.head(a.mean((2, 3)))
    outputs = module[1](outputs) if isinstance(module, nn.Sequential) else outputs
    own_class = probabilities(name, outputs)[torch.arange(len(labels)), labels]
    (gradient,) = torch.autograd.grad(own_class.sum(), a)
    lost = -(a * gradient).sum((2, 3)).detach().double()
    for number in range(len(planned.classes)):
        expected = lost[labels == number].mean(0)
        np.testing.assert_allclose(effects.first_order[8:, number], expected, rtol=1e-3, atol=1e-7)


def inside_of(module: nn.Module, images: Tensor) -> Tensor:
    """What the second convolution reads."""
    return torch.relu(module.norm(module.first(images)))


def test_a_batch_of_one_gives_the_same_numbers(root: Path, store: Store) -> None:
    """`squeeze` drops the batch's axis there; relevance's black picture always is one."""
    found = [
        run_relevance(asked(root, network=OWN + name, split="all", images=5), store).classes
        for name in ("squeezed", "not_squeezed")
    ]
    for one, other in zip(found[0].values(), found[1].values(), strict=True):
        np.testing.assert_allclose(one.arrays["relevance"], other.arrays["relevance"], rtol=1e-4, atol=1e-7)
    shares = [
        run_evaluation(EvaluationRequest(OWN + name, str(root), "all", batch_size=11), store).evaluation
        for name in ("squeezed", "not_squeezed")  # 12 images: the last batch holds one
    ]
    assert (shares[0].confusion == shares[1].confusion).all()


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["viewed", "convolutional"])
def test_everything_works_where_memory_or_shape_is_unusual(root: Path, store: Store, name: str) -> None:
    assert run_profile(ProfileRequest(OWN + name, str(root), min_images=1, permutations=0), store).computed
    assert len(run_relevance(asked(root, network=OWN + name, split="all", images=3), store).classes) == 2
    method = {"method": "conductance", "network": OWN + name, "split": "all", "images": 2}
    assert len(run_relevance(asked(root, **method), store).classes) == 2
    request = AblationRequest(OWN + name, str(root), split="all", ranked_on="all", images=3)
    assert len(run_ablation(request, store).classes) == 2
    assert np.isfinite(run_effects(request, store).first_order).all()


def test_a_map_where_one_number_is_expected_is_profiled_and_refused_for_classes(
    root: Path, store: Store
) -> None:
    name = OWN + "convolutional_map"
    assert run_profile(ProfileRequest(name, str(root), min_images=1, permutations=0), store).computed
    request = AblationRequest(name, str(root), split="all", ranked_on="all")
    for run in (
        lambda: run_evaluation(EvaluationRequest(name, str(root), "all"), store),
        lambda: run_relevance(asked(root, network=name), store),
        lambda: run_ablation(request, store),
        lambda: run_effects(request, store),
    ):
        with pytest.raises(NetworkError, match=r"returns \(N, 2, 2, 2\), expected \(N, classes\)") as caught:
            run()
        assert "\n" not in str(caught.value)


@thorough_beyond(2)
@pytest.mark.parametrize("method", ["layer-ig", "conductance"])
@pytest.mark.parametrize(
    ("name", "layer"), [("detached", "first"), ("frozen", "first"), ("beside", "second")]
)
def test_where_no_gradient_gets_through_the_layer_is_named(
    root: Path, store: Store, name: str, layer: str, method: str
) -> None:
    with pytest.raises(NoGradientError, match=rf"No gradient reaches layer {layer} of .*{name}") as caught:
        run_relevance(asked(root, network=OWN + name, method=method, images=2), store)
    assert "\n" not in str(caught.value)
    request = AblationRequest(OWN + name, str(root), split="all", ranked_on="all")
    with pytest.raises(NoGradientError, match=rf"layer {layer}"):
        run_effects(request, store)


@pytest.mark.thorough
def test_a_live_module_that_is_trained_in_between(root: Path, store: Store) -> None:
    """Profile, one step, profile again: two results, each of what the module was; and training goes on."""
    torch.manual_seed(1)
    module = own.own.Base(2).train()
    own.Live.parts = own.parts(module)
    optimizer = torch.optim.SGD(module.parameters(), 0.5)
    request = ProfileRequest(OWN + "live", str(root), min_images=1, permutations=3)
    seen, copies = [], []
    for step in range(3):
        outcome = run_profile(request, store)
        related = run_relevance(asked(root, network=OWN + "live", images=2), store)
        assert (outcome.computed > 0) is (step == 0)  # afterwards, the loop's last line has computed it
        assert related.computed == ("ball", "box")
        found = find_profiles(outcome.keys, store)
        seen.append(found["second"].profile.arrays["threshold"].tobytes())
        copies.append({name: one.clone() for name, one in module.state_dict().items()})
        assert module.training
        optimizer.zero_grad()
        loss = module(torch.full((4, 3, 24, 24), float(step))).square().mean()
        loss.backward()
        optimizer.step()
        assert run_profile(request, store).computed > 0  # another network by now
    assert len(set(seen)) == 3
    module.load_state_dict(copies[0])  # what it was before is found again
    again = run_profile(request, store)
    assert again.computed == 0
    assert find_profiles(again.keys, store)["second"].profile.arrays["threshold"].tobytes() == seen[0]
    assert not run_relevance(asked(root, network=OWN + "live", images=2), store).computed


def test_what_changes_while_the_keys_are_made_is_kept_under_its_own_key(root: Path, store: Store) -> None:
    """Whatever a name meant when it was looked up, the results are those of what was loaded."""
    module = own.own.Base(2)
    own.Live.parts = own.parts(module)
    request = asked(root, network=OWN + "live", images=2)
    before = plan(request, store)
    run_relevance(request, store)
    first = plan(request, store)
    with torch.no_grad():
        module.second.bias.add_(1.0)
    second = plan(request, store)
    assert before.keys == first.keys
    assert set(first.keys.values()).isdisjoint(second.keys.values())
    network = load(OWN + "live")
    run_relevance(request, store)
    assert plan(request, store).network_digest == network.digest != first.network_digest
    record = store.get(plan(request, store).keys["ball"])
    assert record.metadata["network"]["digest"] == network.digest
    one = image_map(plan(request, store), network, "ball", int(record["images"][0]), "second")
    assert one.score == pytest.approx(float(record["score"][0]), rel=1e-6)


def test_a_setting_that_the_forward_reads_makes_another_network(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files, tensors and configuration are the same: only a load, or what it answers, can tell."""
    request = EvaluationRequest(OWN + "setting", str(root), "all")
    found = []
    for slope, computed in (("0.0", True), ("1.0", True), ("0.0", False), ("1.0", False)):
        monkeypatch.setenv("HIDDEN_SLOPE", slope)
        evaluated = run_evaluation(request, store)
        assert evaluated.computed is computed
        found.append(evaluated.evaluation.probability_sum.tolist())
        assert identify(request.network, store, recent=True, since=time.time()).known
    assert found[0] == found[2] != found[1] == found[3]
    monkeypatch.setenv("HIDDEN_SLOPE", "2.0")
    assert not identify(request.network, store, recent=True, since=time.time()).known  # what a page asks


@pytest.mark.thorough
def test_the_same_network_that_answers_otherwise_stops_the_run(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ProfileRequest(OWN + "environment", str(root), min_images=1, permutations=0)
    run_profile(request, store)
    assert run_profile(request, store).computed == 0
    monkeypatch.setenv("HIDDEN_FACTOR", "1.00001")  # within the tolerance
    run_profile(replace(request, quantile=0.01), store)
    monkeypatch.setenv("HIDDEN_FACTOR", "1.001")
    evaluation = EvaluationRequest(request.network, str(root), "all")
    for run in (
        lambda: run_profile(replace(request, quantile=0.02), store),
        lambda: run_relevance(asked(root, network=request.network), store),
        lambda: run_evaluation(evaluation, store),
    ):
        with pytest.raises(NetworkError, match="gives another output than when its results were stored"):
            run()
    monkeypatch.delenv("HIDDEN_FACTOR")
    assert run_evaluation(evaluation, store).computed
