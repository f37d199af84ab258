"""What counts of code that nobody can trace: all that it reads, and nothing that a run leaves behind."""

from __future__ import annotations

import logging
import sys
import types

import pytest
import torch

from interpret_core.networks.identity import untraced
from interpret_core.networks.objects.description import Describer

READING = """
import functools, types
import torch
from torch import nn
import torch.nn.functional as F

ACT = {act}
SLOPE, CONFIG, TABLE = {slope}, {{"slope": {slope}}}, torch.tensor([{slope}])
COUNT, CACHE, EMPTY = 0, {{"key": torch.zeros(1)}}, {{}}


def helper(x):
    global COUNT
    COUNT += 1
    CACHE[COUNT] = EMPTY[COUNT] = x
    return {inner}


def wrapped(function, factor):
    @functools.wraps(function)
    def call(x):
        return function(x) * factor
    return call


class Net(nn.Module):
    FACTOR = {factor}

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.steps = {steps}
        self.hook = lambda *_: self.conv
        self.conv.register_forward_hook(lambda *_: self and None)
        if {bound}:
            self.extra = types.MethodType(lambda self, x: x + {bound}, self)
        self.scale = wrapped(torch.abs, {wrap})

    @staticmethod
    def shift(x):
        return [helper(one) for one in x]

    def forward(self, x):
        if x.sum() > 1e9:
            return x
        return F.leaky_relu(ACT(self.conv(x)), SLOPE + CONFIG["slope"] + TABLE) + self.FACTOR + self.shift(x)
"""
USUAL = {
    "act": "F.relu", "slope": "0.1", "inner": "x + 1", "factor": "2", "steps": "{'a': 1, 'b': 2}",
    "bound": "1", "wrap": "3",
}  # fmt: skip


def typed(name: str, monkeypatch: pytest.MonkeyPatch, **other: str) -> types.ModuleType:
    """A module whose code is in no file, as a notebook's; with a seed for its weights."""
    cell = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, cell)
    torch.manual_seed(0)
    exec(READING.format(**{**USUAL, **other}), cell.__dict__)
    return cell


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("act", "torch.tanh"), ("act", "lambda x: x"), ("slope", "0.2"), ("inner", "x + 2"), ("factor", "1"),
        ("steps", "{'b': 2, 'a': 1}"), ("bound", "2"), ("wrap", "4"),
    ],
)  # fmt: skip
def test_what_code_reads_moves_the_description(
    monkeypatch: pytest.MonkeyPatch, what: str, value: str
) -> None:
    def described(**other: str) -> str:
        return repr(untraced(typed("cell", monkeypatch, **other).Net().eval()))

    assert described() == described()
    assert described(**{what: value}) != described()


def test_what_a_run_leaves_behind_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = typed("cell", monkeypatch)
    before = repr(untraced(cell.Net().eval()))
    cell.helper(torch.ones(1))
    assert cell.COUNT == 1
    torch.manual_seed(0)
    assert repr(untraced(cell.Net().eval())) == before


def test_a_logger_is_no_setting() -> None:
    logger = logging.getLogger("tests.level")
    before = Describer().plain(logger)
    logger.setLevel("ERROR")
    assert Describer().plain(logger) == before
