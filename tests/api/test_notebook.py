"""Live objects in, results out: whose network, whose data, whose options."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
from dataclasses import MISSING

import numpy as np
import pytest
import torch
from torch import nn

import interpret_core as ic
from interpret_core import networks
from interpret_core.analyses.ablation.request import AblateRequest
from interpret_core.analyses.agreement.request import AgreementRequest
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.errors import ChangedFileError, DatasetError, NetworkError, ParameterError
from interpret_core.options import fields_of
from tests.api.networks import LIVE, PLAIN, other
from tests.planted_dataset import make_planted

REQUESTS = {
    "profile": ProfileRequest,
    "relevance": RelevanceRequest,
    "ablate": AblateRequest,
    "evaluate": EvaluationRequest,
    "agreement": AgreementRequest,
    "image_labels": ImageLabelsRequest,
}
OPTIONS = {"quantile": 0.05, "min_images": 1, "permutations": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("planted") / "scenes"
    make_planted(root, images=12, size=64, annotation=32)
    return root


def wrapped(module=LIVE, **more):
    return ic.wrap(module, 64, ("a", "b", "c"), mean=[0, 0, 0], std=[1, 1, 1], **more)


@pytest.mark.parametrize("name", REQUESTS)
def test_options_are_those_of_the_request(name):
    given = inspect.signature(getattr(ic, name)).parameters
    for one in fields_of(REQUESTS[name]):
        assert one.name in given
        if one.name not in ("network", "networks", "dataset"):
            expected = inspect.Parameter.empty if one.default is MISSING else one.default
            assert given[one.name].default == expected
            assert f"{one.name}: {one.option.help[:20]}" in " ".join(getattr(ic, name).__doc__.split())


def test_a_live_module_is_left_as_it_is_and_is_what_a_factory_hands_out():
    module = nn.Sequential(copy.deepcopy(LIVE), nn.Dropout()).train()
    before, modes = copy.deepcopy(module.state_dict()), [one.training for one in module.modules()]
    wrapped(module)
    assert [one.training for one in module.modules()] == modes
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())
    assert all(one.requires_grad for one in module.parameters())
    net, made = wrapped(), networks.load("tests.api.networks:handed_out")
    assert net.digest == made.digest
    assert net.preprocessing == PLAIN
    assert "cannot be a background job" in net.note
    assert networks.load(net.name).digest == net.digest


def test_what_is_asked_about_is_the_copy_and_not_what_became_of_the_module(notebook, folder):
    module = copy.deepcopy(LIVE)
    net = wrapped(module, name="red")
    module.load_state_dict(other().state_dict())
    later = wrapped(module, name="red")
    assert net.name != later.name
    assert net.digest == wrapped().digest != later.digest
    data = ic.open_dataset(folder)
    first, second = (ic.profile(one, data, **OPTIONS) for one in (net, later))
    red = first.concepts.index("red square")
    assert first.iou["conv1"][0, red] > 0.8 > second.iou["conv1"][0, red]
    assert np.array_equal(second.iou["conv1"][[0, 1, 2]], first.iou["conv1"][[1, 1, 2]])
    assert (
        ic.profile(wrapped(LIVE), folder, **OPTIONS).found.outcome.computed == 0
    )  # kept by what it computes


def test_a_data_set_is_what_it_was_when_it_was_opened(notebook, tmp_path):
    make_planted(tmp_path / "own", images=4, size=64, annotation=32)
    data = ic.open_dataset(tmp_path / "own")
    assert data.digest
    found = ic.profile(wrapped(), data, **OPTIONS)
    assert found.to_html().count("data:image/png") >= 3
    assert "data:image" not in found.to_html(pictures=False)
    for record in data.records:
        picture = data.images / record.image
        picture.write_bytes(picture.read_bytes() + b" ")
    with pytest.raises(ChangedFileError):
        ic.profile(wrapped(other()), data, **OPTIONS)
    assert "data:image" not in found.to_html()


@pytest.mark.thorough
def test_names_of_this_process_are_no_other_process_own():
    net = wrapped(name="mine")
    script = f"from interpret_core import networks; networks.find({net.name!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "NetworkError" in done.stderr.splitlines()[-1]
    assert "a background job or another program needs a function" in done.stderr.splitlines()[-1]
    name = net.name
    assert networks.find(name) is net.spec
    del net
    with pytest.raises(NetworkError, match=r"no longer holds"):
        networks.find(name)


@pytest.mark.thorough
def test_frames_and_arrays_hold_the_table(notebook, folder, monkeypatch):
    found = ic.profile(wrapped(), folder, **OPTIONS)
    frame = found.to_frame()
    assert tuple(frame.columns) == found.columns
    assert frame.to_dict("records")[0]["concept"] == next(found.rows())["concept"]
    arrays = found.to_xarray()
    assert dict(arrays.sizes) == {"unit": 3, "concept": len(found.concepts)}
    red = found.concepts.index("red square")
    assert float(arrays["iou"].sel(concept="red square")[0]) == found.iou["conv1"][0, red] > 0
    evaluated = ic.evaluate("demo/alexnet", "demo")
    assert evaluated.to_xarray().sizes["row"] == len(evaluated.to_frame())
    related = ic.relevance("demo/alexnet", "demo")
    arrays, (row, *_) = related.to_xarray(), related.rows()
    assert float(arrays["relevance"][0, 0]) == row["relevance"]
    assert "residual" in arrays
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ParameterError, match=r"xarray is not installed .*pip install xarray"):
        found.to_xarray()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer": "conv1"}, r"Unknown option of profile 'layer': did you mean layers"),
        ({"quantile": "much"}, r"quantile is 'much', but expected a number"),
        ({"quantile": 2}, r"quantile is 2"),
        ({"batch_size": 3.5}, r"batch_size is 3.5, but expected a whole number"),
        ({"layers": ["conv1", 3]}, r"layers is \['conv1', 3\]"),
        ({"strict": 1}, r"strict is 1, but expected True or False"),
        ({"positions": "round"}, r"Unknown positions 'round'"),
    ],
)
def test_options_that_are_none_are_told_in_one_line(notebook, options, words):
    with pytest.raises(ParameterError, match=words) as told:
        ic.profile("demo/alexnet", "demo", **options)
    assert "\n" not in str(told.value)


def test_what_is_no_network_is_told():
    with pytest.raises(NetworkError, match=r"ic\.wrap\(module"):
        ic.profile(LIVE, "demo")  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=r"expected a torch\.nn\.Module"):
        ic.wrap(nn.Conv2d)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"put it into the parts"):
        ic.wrap(networks.NetworkParts(LIVE), 64)
    with pytest.raises(ParameterError, match=r"expected a list of names"):
        ic.wrap(LIVE, 64, "abc")
    with pytest.raises(ParameterError, match=r"Two networks are called 'demo/alexnet'"):
        ic.agreement(["demo/alexnet", ic.load("demo/alexnet")], "demo")
    with pytest.raises(DatasetError, match=r"Unknown data set"):
        ic.profile("demo/alexnet", "dmo")
