"""Every public name has an example, and every example is true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import interpret_core as ic
from interpret_core import api

PUBLIC = [name for name in ic.__all__ if name != "__version__"]
MODULES = [f"interpret_core.api.{one.name}" for one in pkgutil.iter_modules(api.__path__)]


def examples(name: str) -> list[doctest.DocTest]:
    module = importlib.import_module(name)
    return [one for one in doctest.DocTestFinder(exclude_empty=True).find(module) if one.examples]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_described_in_full(name):
    thing = getattr(ic, name)
    text = inspect.getdoc(thing) or ""
    parser = doctest.DocTestParser()
    assert parser.get_examples(text), f"{name} has no example"
    wanted = ["Args:", "Returns:", "Raises:"] if inspect.isfunction(thing) else []
    assert all(part in text for part in wanted), f"{name} lacks one of {wanted}"
    described = text.partition("Args:")[2].partition("Returns:")[0]
    for one in inspect.signature(thing).parameters if inspect.isfunction(thing) else ():
        assert f"{one}:" in described or f"{one}," in described, f"{name} does not say what {one} is"


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(notebook, name):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for one in examples(name):
        said: list[str] = []
        runner.run(one, out=said.append)
        assert not said, "".join(said)


def test_a_name_that_is_none_is_told():
    with pytest.raises(AttributeError, match=r"no attribute 'profiles'"):
        _ = ic.profiles
    assert set(PUBLIC) <= set(dir(ic))
