"""The curated table: every entry there, none twice, and what it must not miss."""

from __future__ import annotations

from collections import Counter

import pytest

from interpret_core.classes import imagenet
from interpret_core.classes.outputs import OutputNames
from interpret_core.errors import NetworkError

NAMES = imagenet.class_names()


def test_no_output_stands_for_two_objects() -> None:
    groups = set(imagenet.curated().groups.values())
    counts = Counter(output for group in groups for output in group)
    assert not [NAMES[output] for output, count in counts.items() if count > 1]
    assert all(groups)


def test_what_an_object_must_hold() -> None:
    table = imagenet.curated().groups
    named = {name: {NAMES[output] for output in outputs} for name, outputs in table.items()}
    for name, some in {
        "bench": {"park bench"},
        "refrigerator": {"refrigerator"},
        "vase": {"vase"},
        "lamp": {"table lamp", "lampshade"},
        "chair": {"barber chair", "folding chair", "rocking chair"},
        "bed": {"crib", "four-poster"},
        "bottle": {"beer bottle", "pill bottle", "pop bottle", "water bottle", "wine bottle"},
        "car": {"cab", "convertible", "jeep", "limousine", "sports car"},
        "airplane": {"airliner"},
        "clock": {"analog clock", "wall clock", "digital clock"},
        "keyboard": {"computer keyboard"},
        "truck": {"fire engine", "pickup"},
    }.items():
        assert some <= named[name], name


def test_ranges_end_where_the_kind_ends() -> None:
    """First and last of each range, and the neighbours that are something else."""
    table = imagenet.curated().groups
    for name, first, last, outside in (
        ("dog", "Chihuahua", "Mexican hairless", ("sea lion", "timber wolf")),
        ("cat", "tabby", "Egyptian cat", ("grey fox", "cougar")),
        ("bear", "brown bear", "sloth bear", ("cheetah", "mongoose")),
        ("wolf", "timber wolf", "red wolf", ("Mexican hairless", "coyote")),
        ("fox", "red fox", "grey fox", ("hyena", "tabby")),
        ("snake", "thunder snake", "sidewinder", ("triceratops", "trilobite")),
        ("lizard", "banded gecko", "Komodo dragon", ("box turtle", "African crocodile")),
        ("turtle", "loggerhead", "box turtle", ("tailed frog", "banded gecko")),
        ("frog", "bullfrog", "tailed frog", ("axolotl", "loggerhead")),
        ("spider", "black and gold garden spider", "wolf spider", ("scorpion", "tick")),
        ("beetle", "tiger beetle", "weevil", ("meerkat", "fly")),
        ("butterfly", "admiral", "lycaenid", ("damselfly", "starfish")),
        ("monkey", "guenon", "squirrel monkey", ("siamang", "Madagascar cat")),
        ("crab", "Dungeness crab", "king crab", ("chambered nautilus", "American lobster")),
        ("shark", "great white shark", "hammerhead", ("goldfish", "electric ray")),
    ):
        outputs = table[name]
        assert (NAMES[outputs[0]], NAMES[outputs[-1]]) == (first, last)
        assert outputs == tuple(range(outputs[0], outputs[-1] + 1))
        assert (NAMES[outputs[0] - 1], NAMES[outputs[-1] + 1]) == outside
    birds = table["bird"]
    edges = [at for at in birds if at - 1 not in birds or at + 1 not in birds]
    assert [NAMES[at] for at in edges] == [
        "cock", "great grey owl", "black grouse", "black swan", "white stork", "albatross",
    ]  # fmt: skip


def test_a_homonym_is_an_output_and_no_object() -> None:
    table = imagenet.curated()
    outputs = OutputNames(NAMES)
    for name in table.homonyms:
        assert outputs.named(name), name
        assert name not in table.groups


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('cat = ["tabbby"]', "'cat': Unknown output 'tabbby': did you mean tabby"),
        ("cat = [3]", "'cat': output 3, expected numbers from 0 to 2"),
        ("cat = [0, 1]\ndog = [1]", r"output 1 \(tiger\) stands under 'cat' and 'dog'"),
        ('cat = [0]\n"lion, Cat" = [2]', "lists 'cat' twice"),
    ],
)
def test_mistakes_in_a_table(text: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        imagenet.read(f"[objects]\n{text}\n[homonyms]\n", ["tabby", "tiger", "lion"])
