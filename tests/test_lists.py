"""Lists of names in one text: whatever a name holds, it can be written, read back and typed."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.errors import ParameterError, unknown
from interpret_core.lists import joined_names, one_name, split_names, typed

NAMES = st.text(st.sampled_from("ab ,\"'\\\n\té$`!"), min_size=1).filter(str.strip)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat,dog", ("cat", "dog")),
        (" cat , dog,,cat", ("cat", "dog")),
        ('"cat, tabby",dog', ("cat, tabby", "dog")),
        ('dog, "cat, tabby" ', ("dog", "cat, tabby")),
        ('"the ""old"" bus"', ('the "old" bus',)),
        ('5" pipe,nail', ('5" pipe', "nail")),
        ('"d\nog",cat', ("d\nog", "cat")),
        ('""', ()),
        ("", ()),
        (" , ", ()),
    ],
)
def test_names_of_a_text(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize("text", ['"cat, tabby', 'dog,"cat" x', '"a"b",c'])
def test_an_open_quotation_mark_is_no_guess(text: str) -> None:
    with pytest.raises(ParameterError, match=r"expected a closing quotation mark"):
        split_names(text)


@settings(max_examples=200)
@given(st.lists(NAMES, unique=True))
def test_what_is_written_reads_back(names: list[str]) -> None:
    assert split_names(joined_names(names)) == tuple(names)


def test_what_is_typed_reaches_the_program() -> None:
    names = ["plain", "cat, tabby", 'the "old" bus', '"all" of it', "d\nog, it's", "é, ü", "tab\tbed", "a b"]
    quoted = [typed(name) for name in names if typed(name) != name]
    assert len(quoted) == 5, "a name that needs nothing is shown as it is"
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {' '.join(quoted)}"], capture_output=True, check=True, text=True
    )
    found = [split_names(text) for text in done.stdout.split("\0")[:-1]]
    assert found == [(name,) for name in names if typed(name) != name]


def test_one_name_alone() -> None:
    assert one_name('"cat, tabby"') == "cat, tabby"
    assert one_name("cat, tabby") == "cat, tabby"
    assert one_name('"a",') == '"a",'


def test_a_hint_can_be_typed() -> None:
    assert "did you mean '\"cat, tabby\"'?" in unknown("class", "cat", ["cat, tabby", "dog"], shown=typed)
    assert "known are '\"cat, tabby\"', dog." in unknown("class", "zzz", ["cat, tabby", "dog"], shown=typed)


def test_a_shared_folder_makes_no_name_near() -> None:
    names = [f"checkpoints/{one}" for one in "cba"] + ["other/nothing"]
    told = (
        "Unknown network 'checkpoints/nothing_like_it': known are checkpoints/a, checkpoints/b, checkpoints/c"
    )
    assert unknown("network", "checkpoints/nothing_like_it", names) == f"{told}."
    assert unknown("network", "checkpoints/nothing_like_it", names, looked="/w") == f"{told} (looked in /w)."
    near = unknown("network", "checkpoints/net1", ["checkpoints/net3", "checkpoints/net2", "checkpoints/x"])
    assert near.endswith("did you mean checkpoints/net2, checkpoints/net3?")
    assert unknown("network", "a/b", [], looked="/srv/nets").endswith("none are known (looked in /srv/nets).")
