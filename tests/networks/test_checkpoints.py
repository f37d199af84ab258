"""Weights as training code leaves them: the right tensors, what was taken is said, and no code runs."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from interpret_core.errors import NetworkError, WeightsError
from interpret_core.networks import load
from interpret_core.networks.checkpoints import fit as fitting
from interpret_core.networks.checkpoints.fit import Candidate, fit
from interpret_core.networks.providers.factories import source_of
from tests.networks import samples
from tests.networks.test_weights_files import Bomb


class Small(nn.Module):
    """Ten tensors, two of them counters' neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)


class Wrapped(nn.Module):
    """One that the file does not know of."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Small()


class Tied(nn.Module):
    """One tensor under two names, and another of the same shape of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.other = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
        self.again = self.first


State = dict[str, torch.Tensor]


def drawn(made: Callable[[], nn.Module] = Small, seed: int = 1) -> State:
    torch.manual_seed(seed)
    return made().state_dict()


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: one for name, one in state.items()}


def equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


GOOD = drawn()
OTHER = drawn(seed=2)
LIGHTNING = {"state_dict": prefixed("model.", GOOD), "epoch": 3, "pytorch-lightning_version": "2.0"}
KEPT: dict[str, object] = {
    "plain": GOOD,
    "parallel": prefixed("module.", GOOD),
    "compiled": prefixed("_orig_mod.", GOOD),
    "both": prefixed("module._orig_mod.", GOOD),
    "lightning": LIGHTNING,
    "a prefix that nobody has heard of": prefixed("encoder_q.", GOOD),
    "prefixes in each other": {"state_dict": prefixed("model.net.", GOOD)},
    "any key": {"weights_of_march": GOOD, "epoch": 3},
    "two keys": {"states": {"network": GOOD}, "step": torch.tensor(3)},
    "counters of a profiler": {**GOOD, "total_ops": torch.zeros(1), "conv.total_params": torch.zeros(1)},
    "options": {"model": GOOD, "args": argparse.Namespace(lr=0.1, data=Path("x").name)},
    "numbers of NumPy": {"state_dict": GOOD, "best": np.float64(0.9), "at": np.int64(3), "f": np.float32(1)},
    "an optimiser": {"net": GOOD, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "lr": 0.1}},
    "no counters of batches": {k: v for k, v in GOOD.items() if not k.endswith("num_batches_tracked")},
}


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("ending", ["pth", "ckpt", "bin", "pth.tar"])
def test_states_that_fit(tmp_path: Path, kind: str, ending: str) -> None:
    file = tmp_path / f"weights.{ending}"
    torch.save(KEPT[kind], file)
    module = Small()
    assert fit(module, file, "small") == ""
    own = module.state_dict()
    assert all(torch.equal(own[name], one) for name, one in GOOD.items())


def test_a_wrapper_that_the_file_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    torch.save(GOOD, file)
    module = Wrapped()
    assert fit(module, file, "wrapped") == ""
    assert equal(module.backbone.state_dict(), GOOD)


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema.shadow", "averaged_model"])
def test_averages_are_taken_where_there_is_nothing_else_and_said(tmp_path: Path, key: str) -> None:
    file, module = tmp_path / "weights.pth", Small()
    torch.save({key: GOOD, "epoch": 3}, file)
    assert fit(module, file, "small") == f"weights.pth holds averaged weights, under “{key}”."
    assert equal(module.state_dict(), GOOD)
    torch.save({"state_dict": OTHER, key: GOOD}, file)
    said = fit(module, file, "small")
    assert said == (
        f"Taken are the weights under “state_dict” in weights.pth, which also has “{key}” "
        f"(name it as weights.pth#{key})."
    )
    assert equal(module.state_dict(), OTHER)
    assert "averaged weights" in fit(module, file, "small", key)
    assert equal(module.state_dict(), GOOD)


def test_torch_s_own_averages(tmp_path: Path) -> None:
    torch.manual_seed(3)
    averaged = AveragedModel(Small(), multi_avg_fn=get_ema_multi_avg_fn(0.9))
    averaged.update_parameters(Small())
    averaged.update_parameters(Small())
    file, module = tmp_path / "weights.pth", Small()
    torch.save(averaged.state_dict(), file)
    assert "holds averaged weights" in fit(module, file, "small")
    assert equal(module.state_dict(), averaged.module.state_dict())


def test_several_networks_in_one_file_are_asked_about(tmp_path: Path) -> None:
    file, module = tmp_path / "dino.pth", Small()
    torch.save({"student": prefixed("module.", OTHER), "teacher": GOOD}, file)
    with pytest.raises(
        WeightsError, match=r"several networks that fit: student, teacher\. .*dino\.pth#student"
    ):
        fit(module, file, "small")
    assert fit(module, file, "small", "teacher") == "", "it was asked for"
    assert equal(module.state_dict(), GOOD)
    with pytest.raises(WeightsError, match=r"has no part 'techer', expected one of: .*teacher"):
        fit(module, file, "small", "techer")
    torch.save({"student": GOOD, "teacher": GOOD}, file)
    assert fit(module, file, "small") == "", "the same twice is no choice"


def test_the_same_network_with_and_without_a_prefix_is_asked_about(tmp_path: Path) -> None:
    """Never a mixture of both."""
    file, module = tmp_path / "weights.pth", Small()
    torch.save({**OTHER, **prefixed("module.", GOOD)}, file)
    with pytest.raises(WeightsError, match=r"that fit: whole, module\. .*weights\.pth#module"):
        fit(module, file, "small")
    assert "left out" in fit(module, file, "small", "module")
    assert equal(module.state_dict(), GOOD)
    assert "left out" in fit(module, file, "small", "whole")
    assert equal(module.state_dict(), OTHER)
    torch.save({**GOOD, "best": OTHER}, file)
    with pytest.raises(WeightsError, match=r"that fit: whole, best\. "):
        fit(module, file, "small")
    torch.save({**GOOD, "module.conv.weight": OTHER["conv.weight"]}, file)
    with pytest.raises(WeightsError, match=r"unexpected module\.conv\.weight"):
        fit(module, file, "small")


def test_numbers_that_are_none_are_no_second_network(tmp_path: Path) -> None:
    file, module = tmp_path / "weights.pth", Small()
    broken = {**GOOD, "fc.bias": torch.tensor([float("nan"), 1.0])}
    torch.save(prefixed("module.", broken), file)
    assert fit(module, file, "small") == ""
    assert module.fc.bias.isnan().any()


class Stateful(Small):
    """Its state holds more than tensors, and a counter that profilers also use."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total_ops", torch.zeros(1))

    def get_extra_state(self) -> dict[str, int]:
        return {"step": 3}

    def set_extra_state(self, state: dict[str, int]) -> None:
        raise AssertionError("nothing of a file but its tensors is handed on")


def test_states_that_hold_more_than_tensors(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    saved = Stateful()
    torch.save(prefixed("module.", saved.state_dict()), file)
    module = Stateful()
    assert fit(module, file, "stateful") == ""
    assert torch.equal(module.conv.weight, saved.conv.weight)
    with pytest.raises(WeightsError, match="another architecture"):
        fit(nn.Sequential(nn.ReLU()), file, "nothing")


def test_what_somebody_else_allows_stays_and_readers_do_not_disturb_each_other(
    tmp_path: Path,
) -> None:
    file = tmp_path / "weights.pth"
    torch.save({"model": GOOD, "args": argparse.Namespace(lr=0.1)}, file)
    with torch.serialization.safe_globals([argparse.Namespace]):
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _: fit(Small(), file, "small"), range(24))) == {""}
        assert argparse.Namespace in torch.serialization.get_safe_globals()
    assert argparse.Namespace not in torch.serialization.get_safe_globals()


def test_a_damaged_archive_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    torch.save(GOOD, file)
    content = bytearray(file.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at : at + 40] = bytes(40)
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged or truncated"):
        fit(Small(), file, "small")


def test_a_long_heading_of_safetensors_is_no_onnx_model(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_file(GOOD, file, {"note": "x" * (0x120208 - 1000)})
    start = file.read_bytes()
    heading = json.loads(start[8 : 8 + int.from_bytes(start[:8], "little")])
    heading["__metadata__"]["note"] += "x" * (0x120208 - int.from_bytes(start[:8], "little"))
    text = json.dumps(heading, separators=(",", ":")).encode()
    rest = start[8 + int.from_bytes(start[:8], "little") :]
    file.write_bytes(0x120208.to_bytes(8, "little") + text.ljust(0x120208) + rest)
    assert file.read_bytes()[:3] == b"\x08\x02\x12"
    assert fit(Small(), file, "small") == ""


def test_what_is_not_of_the_network_is_left_out_and_said(tmp_path: Path) -> None:
    file, module = tmp_path / "weights.ckpt", Small()
    loss = {"loss.weight": torch.ones(2), "loss.bias": torch.ones(2)}
    torch.save({"state_dict": {**prefixed("model.", GOOD), **loss}}, file)
    assert fit(module, file, "small") == (
        "Not part of this network, and left out: loss.weight and 1 more in weights.ckpt."
    )
    assert equal(module.state_dict(), GOOD)


def test_a_part_of_a_larger_network_is_not_the_network(tmp_path: Path) -> None:
    """Under one prefix there is another network's block: names and shapes decide, never the prefix alone."""
    file = tmp_path / "weights.pth"
    torch.save({**GOOD, "conv2.weight": torch.zeros(4, 4, 3, 3)}, file)
    with pytest.raises(WeightsError, match=r"another architecture than small: unexpected conv2\.weight"):
        fit(Small(), file, "small")
    torch.save({"model": {**prefixed("net.", GOOD), "net.conv2.weight": torch.zeros(3)}}, file)
    with pytest.raises(WeightsError, match=r"unexpected conv2\.weight \(1 in all\)"):
        fit(Small(), file, "small")


def test_one_tensor_under_two_names(tmp_path: Path) -> None:
    torch.manual_seed(4)
    saved, file = Tied(), tmp_path / "tied.safetensors"
    save_model(saved, str(file))
    module = Tied()
    assert fit(module, file, "tied") == ""
    assert equal(module.state_dict(), saved.state_dict())
    torch.save({k: v for k, v in saved.state_dict().items() if "other" not in k}, tmp_path / "less.pth")
    with pytest.raises(WeightsError, match=r"missing other\.weight \(2 in all\)"):
        fit(Tied(), tmp_path / "less.pth", "tied")


def test_texts_of_python_2(tmp_path: Path) -> None:
    """The old format with a byte string beyond ASCII, as Places365's networks have it."""
    old = io.BytesIO()
    kept = {"state_dict": prefixed("module.", GOOD), "arch": "resnet18"}
    torch.save(kept, old, _use_new_zipfile_serialization=False)
    raw = old.getvalue()
    changed = raw.replace(b"X\x08\x00\x00\x00resnet18", b"U\x08caf\xe9n\xe9t!")
    assert changed != raw
    file, module = tmp_path / "places.pth.tar", Small()
    file.write_bytes(changed)
    assert fit(module, file, "small") == ""
    assert equal(module.state_dict(), GOOD)


def script(file: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3))), str(file))


def written(content: bytes) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(content) and None


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(
    ("make", "line"),
    [
        (script, "TorchScript archive.*torch.jit.load\\(\"weights.pth\", \"cpu\"\\).state_dict\\(\\)"),
        (written(b"\x08\x08\x12\x07pytorch\x1a\x052.3.0:\xff"), "ONNX model.*onnx2torch.convert"),
        (written(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"), "Git LFS.*git lfs pull"),
        (written(b"\n <!DOCTYPE html><html>404</html>"), "web page, not the weights"),
        (written(b"\x89HDF\r\n\x1a\n" + bytes(64)), "HDF5 file of Keras"),
        (written(b"\x1f\x8b\x08" + bytes(64)), "archive: unpack it"),
        (written(b""), "is empty"),
    ],
)  # fmt: skip
def test_other_files_are_named_as_what_they_are(
    tmp_path: Path, make: Callable[[Path], None], line: str
) -> None:
    file = tmp_path / "weights.pth"
    make(file)
    with pytest.raises(WeightsError, match=line) as caught:
        fit(Small(), file, "small")
    assert "damaged" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["args", "callbacks"])
def test_what_is_kept_beside_the_weights_is_not_run_either(tmp_path: Path, key: str) -> None:
    file = tmp_path / "weights.ckpt"
    hidden = argparse.Namespace(data=Bomb(tmp_path / "bomb"))
    torch.save({"state_dict": GOOD, key: hidden}, file)
    with pytest.raises(WeightsError, match="holds code or whole objects; it was not run"):
        fit(Small(), file, "small")
    assert not (tmp_path / "bomb").exists()


def test_a_part_stands_behind_the_file(tmp_path: Path) -> None:
    source = source_of("package.module:factory@runs/v#1/last.ckpt#ema.model")
    assert (source.file, source.part) == (Path("runs/v#1/last.ckpt"), "ema.model")
    assert source_of("package.module:factory@runs/v#1/last.ckpt").part == ""
    with pytest.raises(NetworkError, match="is not a factory string"):
        source_of("package.module:factory@last.txt#ema")


def test_which_part_was_taken_is_a_finding_and_another_network(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    state = samples.Twice().state_dict()
    torch.save({"model": state, "model_ema": {name: one / 2 for name, one in state.items()}}, file)
    taken, averaged = (
        load(f"tests.networks.samples:twice@{file}"),
        load(f"tests.networks.samples:twice@{file}#model_ema"),
    )
    assert "Taken are the weights under “model”" in taken.note
    assert taken.note.startswith("Weights from weights.pth.")
    assert taken.findings[0].startswith("Taken are the weights")
    assert "holds averaged weights, under “model_ema”" in averaged.note
    assert taken.digest != averaged.digest
    assert taken.recipe != averaged.recipe


@pytest.mark.thorough
def test_a_file_of_very_many_names_is_refused_in_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every prefix of a name could be a candidate, each with all other names: 20,000 squared."""
    file = tmp_path / "many.safetensors"
    save_file({f"p{i}.x": torch.zeros(0) for i in range(20_000)}, file)
    tried: list[Candidate] = []
    candidates = fitting._candidates

    def counted(*arguments: Any) -> Iterator[Candidate]:
        for one in candidates(*arguments):
            tried.append(one)
            yield one

    monkeypatch.setattr(fitting, "_candidates", counted)
    module = nn.Sequential(*(nn.Conv2d(2, 2, 1) for _ in range(30)))
    with pytest.raises(WeightsError, match="another architecture"):
        fit(module, file, "mine")
    assert 1 <= len(tried) < 10
