"""Every concept has a name of its own, and a name that several share is refused."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.concepts import Concept, ConceptTable, appearance, unique_names
from interpret_core.errors import ParameterError


def table(*concepts: tuple[int, str, str]) -> ConceptTable:
    made = tuple(Concept(*concept) for concept in concepts)
    return ConceptTable(tuple(dict.fromkeys(concept.category for concept in made)), made)


@pytest.mark.parametrize(
    ("concepts", "names"),
    [
        ([(1, "cat", "object"), (2, "dog", "object")], ("cat", "dog")),
        ([(1, "cat", "object"), (9, "cat", "object"), (2, "dog", "part")], ("cat (1)", "cat (9)", "dog")),
        ([(1, "cat", "object"), (1, "cat", "part")], ("cat (object)", "cat (part)")),
        ([(1, "cat", "object"), (9, "cat", "part")], ("cat (object)", "cat (part)")),
        (
            [(1, "cat", "object"), (9, "cat", "object"), (1, "cat", "part")],
            ("cat (object 1)", "cat (object 9)", "cat (part)"),
        ),
        ([(1, "cat", "object"), (2, "Cat", "object")], ("cat", "Cat")),
        # A label may bear the very name that would tell another apart.
        (
            [(1, "cat", "object"), (9, "cat", "object"), (3, "cat (1)", "object")],
            ("cat (object 1)", "cat (9)", "cat (1)"),
        ),
        (
            [
                (1, "cat", "object"),
                (1, "cat", "part"),
                (3, "cat (object)", "part"),
                (4, "cat (object 1)", "part"),
            ],
            ("cat (object 1) (object 1)", "cat (part)", "cat (object)", "cat (object 1)"),
        ),
    ],
)
def test_names_tell_concepts_apart(concepts: list[tuple[int, str, str]], names: tuple[str, ...]) -> None:
    assert table(*concepts).names == names


COMPOSED, TAKEN_APART = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (COMPOSED, TAKEN_APART),
        ("cat", "cat\u200b"),
        ("cat", "\ufeffcat"),
        ("cat", "c\u00adat"),
        ("park bench", "park\u00a0bench"),
        ("park bench", "park \n bench"),
        ("cat", "cat\u3164"),
    ],
)
def test_names_that_look_alike_are_told_apart_like_equal_ones(one: str, other: str) -> None:
    found = table((1, one, "object"), (9, other, "object"), (2, "bus", "object"))
    assert found.names == (f"{one} (1)", f"{other} (9)", "bus")
    for name in (one, other):
        with pytest.raises(ParameterError, match=r"(?s)2 concepts are called .* \(1\), .* \(9\)"):
            found.find(name)
        assert found.find(f"{name} (1)") == 0
        assert found.find(f"{name} (9)") == 1
    alone = table((1, one, "object"), (2, "bus", "object"))
    assert alone.names == (one, "bus")
    assert alone.find(other) == 0, "as it is typed"


def test_names_that_look_different_are_left_alone() -> None:
    names = ("cat", "Cat", "cats", "c at", "c\u00e2t", "\uff43at", "日本")
    assert table(*((number, name, "object") for number, name in enumerate(names, 1))).names == names


LABELS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(
            ["a", "b", "a (1)", "a (object)", "a (object 1)", "a (2)", "", "a\u200b", "a\u00a0(1)"]
        ),
        st.sampled_from(["object", "part"]),
    ),
    max_size=8,
    unique_by=lambda one: (one[0], one[2]),
)


@settings(deadline=None)
@given(LABELS, st.randoms())
def test_no_two_names_are_alike_in_any_order(labels: list[tuple[int, str, str]], chance) -> None:
    concepts = [Concept(*label) for label in labels]
    names = unique_names(tuple(concepts))
    assert len({appearance(name) for name in names}) == len(concepts)
    pairs = list(zip(concepts, names, strict=True))
    chance.shuffle(pairs)
    assert unique_names(tuple(concept for concept, _ in pairs)) == tuple(name for _, name in pairs)
    for concept, name in pairs:
        if sum(appearance(other.name) == appearance(concept.name) for other in concepts) == 1:
            assert name == concept.name
    found = ConceptTable(("object", "part"), tuple(concepts))
    assert [found.find(name) for name in names] == list(range(len(concepts)))


def test_a_name_that_several_share_is_refused_with_those_that_will_do() -> None:
    found = table((1, "cat", "object"), (9, "cat", "object"), (1, "cat", "part"), (2, "dog", "object"))
    with pytest.raises(
        ParameterError, match=r"3 concepts are called 'cat'.*cat \(object 1\), cat \(object 9\), cat"
    ):
        found.find("cat")
    with pytest.raises(ParameterError, match=r"2 concepts are called 'cat \(object\)'"):
        found.find("cat (object)")
    with pytest.raises(ParameterError, match=r"Unknown concept 'dig': did you mean dog"):
        found.find("dig")
    assert found.named("cow") == ()


@pytest.mark.parametrize("name", ["cat", "cat (1)", "cat (object)", "cat (object 1)"])
def test_more_than_enough_is_accepted(name: str) -> None:
    """What a name is in one table is understood in another."""
    assert table((2, "dog", "object"), (1, "cat", "object")).find(name) == 1


def test_many_of_one_name_are_not_all_listed() -> None:
    found = table(*((number, "cat", "object") for number in range(1, 40)))
    with pytest.raises(ParameterError) as caught:
        found.find("cat")
    assert len(str(caught.value)) < 250
    assert all(found.find(name) == place for place, name in enumerate(found.names))
    assert not [pair for pair in itertools.combinations(found.names, 2) if pair[0] == pair[1]]
