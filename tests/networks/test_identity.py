"""A network is what it computes: whatever changes an answer moves the digest, and nothing else does."""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from interpret_core.errors import CodeChangedError
from interpret_core.networks import NetworkParts, Preprocessing, digest, load
from interpret_core.networks.objects.code import check_unchanged
from interpret_core.networks.objects.description import Describer
from tests.networks import own
from tests.networks.samples import randomise
from tests.slow import thorough_beyond

LIVE = "tests.networks.own:live"


def digest_of(module: nn.Module, **changes: object) -> str:
    """The digest of a module under the usual names and preprocessing, or others."""
    facts = {"preprocessing": own.SIZE, "class_names": own.NAMES, **changes}
    own.Live.parts = NetworkParts(module, **facts)  # type: ignore[arg-type]
    found = load(LIVE).digest
    assert digest(LIVE) == found
    return found


def drawn(seed: int) -> nn.Sequential:
    """A small network out of common parts, the same for the same seed."""
    choose = random.Random(seed)
    torch.manual_seed(seed)
    channels, layers = 3, []
    for _ in range(choose.randint(1, 3)):
        width = choose.choice([4, 6])
        layers.append(
            nn.Conv2d(
                channels,
                width,
                choose.choice([1, 3]),
                stride=choose.choice([1, 2]),
                padding=1,
                bias=choose.random() < 0.5,
            )
        )
        layers += [nn.BatchNorm2d(width)] if choose.random() < 0.5 else []
        layers.append(choose.choice([nn.ReLU(), nn.SiLU(), nn.LeakyReLU(0.1), nn.ReLU6(inplace=True)]))
        channels = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3)]
    return randomise(nn.Sequential(*layers, *head), seed)  # type: ignore[return-value]


def edit_weight(module: nn.Sequential, choose: random.Random) -> None:
    parameter = choose.choice(list(module.parameters()))
    with torch.no_grad():
        parameter.view(-1)[choose.randrange(parameter.numel())] += 1e-3


def edit_buffer(module: nn.Sequential, choose: random.Random) -> None:
    norms = [part for part in module if isinstance(part, nn.BatchNorm2d)]
    if not norms:
        module[0].weight.data.view(-1)[0] += 1e-3
    else:
        choose.choice(norms).running_var[0] += 1e-3


def edit_stride(module: nn.Sequential, choose: random.Random) -> None:
    conv = choose.choice([part for part in module if isinstance(part, nn.Conv2d)])
    conv.stride = (1, 2) if conv.stride != (1, 2) else (1, 1)


def edit_padding(module: nn.Sequential, choose: random.Random) -> None:
    conv = choose.choice([part for part in module if isinstance(part, nn.Conv2d)])
    conv.padding = (2, 2)


def edit_padding_mode(module: nn.Sequential, choose: random.Random) -> None:
    conv = choose.choice([part for part in module if isinstance(part, nn.Conv2d)])
    conv.padding_mode = "reflect"


def edit_epsilon(module: nn.Sequential, choose: random.Random) -> None:
    norms = [part for part in module if isinstance(part, nn.BatchNorm2d)]
    if norms:
        choose.choice(norms).eps = 1e-3
    else:
        module.insert(1, nn.BatchNorm2d(module[0].out_channels, eps=1e-3).eval())


def edit_activation(module: nn.Sequential, choose: random.Random) -> None:
    places = [
        at for at, part in enumerate(module) if isinstance(part, nn.ReLU | nn.SiLU | nn.LeakyReLU | nn.ReLU6)
    ]
    module[choose.choice(places)] = nn.Tanh()


def edit_pooling(module: nn.Sequential, choose: random.Random) -> None:
    module[-3] = nn.AdaptiveMaxPool2d(1)


EDITS: dict[str, Callable[[nn.Sequential, random.Random], None]] = {
    function.__name__: function
    for function in (edit_weight, edit_buffer, edit_stride, edit_padding, edit_padding_mode, edit_epsilon,
                     edit_activation, edit_pooling)
}  # fmt: skip


@pytest.mark.thorough
@settings(max_examples=16, deadline=None)
@given(seed=st.integers(0, 10_000), edit=st.sampled_from(sorted(EDITS)))
def test_one_edit_moves_the_digest(seed: int, edit: str) -> None:
    module = drawn(seed)
    before = digest_of(module)
    EDITS[edit](module, random.Random(seed))
    after = digest_of(module)
    assert after != before
    assert digest_of(drawn(seed)) == before


@thorough_beyond(3)
@pytest.mark.parametrize(
    "change",
    [
        {"preprocessing": Preprocessing((32, 33), own.SIZE.mean, own.SIZE.std)},
        {"preprocessing": Preprocessing((32, 32), (0.5, 0.5, 0.500001), own.SIZE.std)},
        {"preprocessing": Preprocessing((32, 32), own.SIZE.mean, (0.5, 0.25, 0.5))},
        {"preprocessing": Preprocessing((32, 32), own.SIZE.mean, own.SIZE.std, "bicubic")},
        {"class_names": ("cat", "dog", "Bus")},
        {"class_names": ("dog", "cat", "bus")},
        {"class_names": ()},
        {"head": "sigmoid"},
        {"head": "probabilities"},
    ],
    ids=str,
)
def test_what_stands_around_the_module_moves_the_digest_too(change: dict[str, object]) -> None:
    assert digest_of(drawn(3), **change) != digest_of(drawn(3))


def test_evidence_and_notes_do_not() -> None:
    before = digest_of(drawn(3))
    assert digest_of(drawn(3), evidence="trained", note="From a paper.") == before
    assert digest_of(drawn(3), head="logits") == before  # as it was found


class Written(nn.Module):
    """The same as a small network of `drawn`'s kind, from functions instead of modules."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 4, 3)
        self.activation = activation
        self.scale = 2.0
        self.table = np.arange(4.0)

    def forward(self, x: Tensor) -> Tensor:
        return (
            self.activation(self.conv(x)).mean((2, 3)) * self.scale + torch.from_numpy(self.table)[:, None].T
        )


@pytest.mark.parametrize("attribute", ["scale", "table"])
def test_numbers_among_the_attributes_count(attribute: str) -> None:
    module = Written(torch.relu)
    before = digest_of(module)
    setattr(module, attribute, getattr(module, attribute) * 1.5 + 1)
    assert digest_of(module) != before


def test_functions_count_by_what_they_do() -> None:
    relu, other = digest_of(Written(torch.relu)), digest_of(Written(torch.tanh))
    assert (
        len({relu, other, digest_of(Written(lambda x: x.relu() + 1)), digest_of(Written(lambda x: x * 3))})
        == 4
    )


@pytest.mark.thorough
def test_a_copy_is_the_same_network_however_it_is_kept() -> None:
    module = drawn(5)
    before = digest_of(module)
    same = [copy.deepcopy(module), module.train(), module.requires_grad_(True)]
    same.append(copy.deepcopy(module).to(memory_format=torch.channels_last))
    same.append(nn.DataParallel(copy.deepcopy(module)))
    threads = torch.get_num_threads()
    for one in same:
        assert digest_of(one) == before
    try:
        torch.set_num_threads(1)
        assert digest_of(module) == before
    finally:
        torch.set_num_threads(threads)
    for part in module:
        if hasattr(part, "inplace"):
            part.inplace = not part.inplace
        if isinstance(part, nn.BatchNorm2d):
            part.num_batches_tracked += 7
    assert digest_of(module) == before


def test_where_a_result_is_stored_does_not_count_where_nobody_can_trace_either() -> None:
    class Asking(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x if float(x.sum()) < 1e9 else -x)

    def asking(*, inplace: bool) -> nn.Module:
        torch.manual_seed(1)
        return Asking(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=inplace), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    assert digest_of(asking(inplace=True)) == digest_of(asking(inplace=False))


def test_file_formats_and_spellings_of_one_network_share_a_digest(tmp_path: Path) -> None:
    state = own.Base().state_dict()
    torch.save(state, tmp_path / "a.pth")
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "b.pt")
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "c.safetensors")
    names = [
        f"tests.networks.own:base@{tmp_path / file}" for file in ("a.pth", "b.pt", "old.pth", "c.safetensors")
    ]
    Path("unitscope.toml").write_text(f'[networks]\nmine = "{names[0]}"\n')
    loaded = {load(name).digest for name in (*names, "mine")}
    assert len(loaded) == 1
    own.Live.parts = own.parts(module := own.Base())
    module.load_state_dict(state)
    assert load(LIVE).digest in loaded


def test_tied_tensors_are_the_same_as_equal_ones() -> None:
    def pair(*, tied: bool) -> nn.Sequential:
        torch.manual_seed(2)
        first, second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        if tied:
            second.weight, second.bias = first.weight, first.bias
        else:
            second.load_state_dict(first.state_dict())
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    assert digest_of(pair(tied=True)) == digest_of(pair(tied=False))


@pytest.mark.thorough
def test_what_runs_unseen_inside_a_leaf_counts() -> None:
    class Doubled(nn.Module):
        factor = 2.0

        def forward(self, x: Tensor) -> Tensor:
            return x * self.factor

    class Halved(Doubled):
        factor = 0.5

    plain = drawn(7)
    before = digest_of(plain)
    found = {before}
    for parametrization in (Doubled(), Halved()):
        module = copy.deepcopy(plain)
        nn.utils.parametrize.register_parametrization(module[0], "weight", parametrization, unsafe=True)
        with torch.no_grad():  # the leaf's own tensors are those of the plain network
            module[0].parametrizations.weight.original.copy_(plain[0].weight)
        found.add(digest_of(module))
    hooked = copy.deepcopy(plain)
    hooked[0].register_forward_hook(lambda module, args, output: output * 2)
    found.add(digest_of(hooked))
    assert len(found) == 4


def test_a_live_module_is_what_it_is_now() -> None:
    own.Live.parts = own.parts(module := own.Base())
    first = digest(LIVE), load(LIVE).digest
    with torch.no_grad():
        module.second.bias.add_(1.0)
    second = digest(LIVE), load(LIVE).digest
    assert first[0] == first[1] != second[0] == second[1]


# Code in files ---------------------------------------------------------------------------------------------

FACTORY = "import {name}_parts as models\n\ndef make():\n    return models.net()\n"
MODELS = """import torch
import torch.nn as nn
from {name}_helpers import ACT

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, 2)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        {look}
        return self.head(ACT(self.conv(x)).mean((2, 3)))

def net():
    return Net()
"""
HELPERS = "import torch\nACT = torch.relu\n"
LOOK = "if float(x.sum()) > 1e9: x = -x"


class Project:
    """A user's folder: a factory, the module it imports, and a third one that holds the activation."""

    def __init__(self, folder: Path, name: str, *, traceable: bool) -> None:
        self.folder, self.name = folder, name
        self.write("factory", FACTORY.format(name=name))
        self.write("parts", MODELS.format(name=name, look="pass" if traceable else LOOK))
        self.write("helpers", HELPERS)

    def write(self, part: str, text: str) -> None:
        (self.folder / f"{self.name}_{part}.py").write_text(text)

    def replace(self, part: str, old: str, new: str) -> None:
        file = self.folder / f"{self.name}_{part}.py"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    @property
    def network(self) -> str:
        return f"{self.name}_factory:make"

    def forget(self) -> None:
        """What a fresh process begins with."""
        for part in ("factory", "parts", "helpers"):
            sys.modules.pop(f"{self.name}_{part}", None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a second edit within a second must be read
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[Project] = []

    def make(*, traceable: bool = True) -> Project:
        made.append(
            Project(tmp_path, f"user{len(made)}_{tmp_path.name[-4:].strip('_')}", traceable=traceable)
        )
        return made[-1]

    yield make
    for one in made:
        one.forget()


@pytest.mark.parametrize("traceable", [True, False])
@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("helpers", "torch.relu", "torch.tanh"),
        ("parts", "3, 4, 3, 2", "3, 4, 3, 1"),
        ("parts", ".mean(", ".amax("),
    ],
)
def test_an_imported_modules_code_moves_the_digest(
    project: Callable[..., Project], traceable: bool, part: str, old: str, new: str
) -> None:
    user = project(traceable=traceable)
    first = load(user.network)
    assert first.traced is traceable
    user.replace(part, old, new)
    user.forget()
    second = load(user.network)
    assert second.digest != first.digest
    user.replace(part, new, old)
    user.forget()
    assert load(user.network).digest == first.digest


def test_a_comment_counts_only_where_nobody_can_see_what_is_computed(project: Callable[..., Project]) -> None:
    for traceable in (True, False):
        user = project(traceable=traceable)
        before = load(user.network).digest
        user.replace("helpers", "ACT", "# the usual one\nACT")
        user.forget()
        assert (load(user.network).digest == before) is traceable


@pytest.mark.parametrize("part", ["factory", "parts", "helpers"])
def test_code_that_changed_since_its_import_is_not_used(project: Callable[..., Project], part: str) -> None:
    user = project()
    before = load(user.network).digest
    file = user.folder / f"{user.name}_{part}.py"
    text = file.read_text()
    file.write_text(text + "# edited\n")
    for _ in range(2):
        with pytest.raises(
            CodeChangedError, match=rf"{user.name}_{part}.py changed on disk .* restart"
        ) as caught:
            load(user.network)
    assert "\n" not in str(caught.value)
    file.write_text(text)
    assert load(user.network).digest == before  # back as it was imported
    file.write_text(text + "# edited\n")
    user.forget()  # a fresh process
    assert load(user.network).digest == before


def test_a_reload_takes_the_new_code(project: Callable[..., Project]) -> None:
    import importlib

    user = project()
    before = load(user.network).digest
    user.replace("helpers", "torch.relu", "torch.tanh")
    with pytest.raises(CodeChangedError):
        load(user.network)
    for part in ("helpers", "parts", "factory"):
        importlib.reload(sys.modules[f"{user.name}_{part}"])
    assert load(user.network).digest != before


def test_an_import_is_not_taken_for_an_earlier_one_at_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is gone leaves its address to what comes; that is no reason to ask for a restart."""
    module, file = ModuleType("imported_anew"), tmp_path / "imported_anew.py"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for number in range(20):
        file.write_text(f"number = {number}\n")
        module.__spec__ = None
        module.__spec__ = ModuleSpec(module.__name__, None)
        check_unchanged({module.__name__: file})
    file.write_text("number = 'changed'\n")
    with pytest.raises(CodeChangedError):
        check_unchanged({module.__name__: file})


def test_what_is_typed_into_a_notebook_counts_by_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module without a file: classes and the functions they call are told apart by their byte code."""
    import types

    cell = types.ModuleType("notebook_cells")
    monkeypatch.setitem(sys.modules, "notebook_cells", cell)
    source = """
import torch
from torch import nn
def act(x):
    return {act}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        if float(x.sum()) > 1e9: x = -x
        return act(self.conv(x)).mean((2, 3))
"""
    found = []
    for act in ("torch.relu(x)", "torch.relu(x) + {1, 2}.__len__()", "torch.tanh(x)", "torch.relu(x)"):
        exec(source.replace("{act}", act), cell.__dict__)
        found.append(digest_of(cell.Net()))
    assert len(set(found)) == 3
    assert found[0] == found[3]


# Descriptions ----------------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(one=PLAIN, other=PLAIN)
def test_equal_values_are_described_alike_and_others_apart(one: object, other: object) -> None:
    describe = Describer().plain
    assert describe(copy.deepcopy(one)) == describe(one)
    assert (repr(describe(one)) == repr(describe(other))) == same(one, other)


def same(one: object, other: object) -> bool:
    """Equal, and of equal types all the way down; in a dictionary's order, which a forward may follow."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))  # type: ignore[attr-defined]
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))  # type: ignore[arg-type]
    return repr(one) == repr(other)


def test_objects_that_hold_each_other_have_an_end() -> None:
    class Node:
        def __init__(self) -> None:
            self.inside = [self]

    assert Describer().plain(Node()) == Describer().plain(Node())
