"""Which outputs stand for which class: names, synonyms, the user's table, ImageNet's curated table."""

from __future__ import annotations

import pytest

from interpret_core.analyses.ablation.table import EVERY, OTHERS
from interpret_core.analyses.evaluation.result import ALL_CLASSES
from interpret_core.classes import imagenet
from interpret_core.classes.matches import Matching, match
from interpret_core.errors import NetworkError

IMAGENET = imagenet.class_names()
KNOWN = {name: at for at, name in enumerate(IMAGENET)}


def matched(
    classes: list[str], outputs: list[str], table: dict[str, list[str | int]] | None = None
) -> Matching:
    return match(classes, outputs, "net", "set", table)


def groups(classes: list[str], found: Matching) -> dict[str, tuple[int, ...]]:
    return {classes[number]: outputs for number, outputs in zip(found.classes, found.outputs, strict=True)}


def test_names_match_whatever_their_capitals_and_underscores() -> None:
    found = matched(["Park bench", "bus", "cat"], ["BUS", "park_bench", "house cat"])
    assert (found.classes, found.outputs, found.how) == ((0, 1), ((1,), (0,)), ("name", "name"))
    assert found.left_out == (("cat", "no output has this name"),)


def test_a_name_that_two_outputs_have_is_left_out() -> None:
    found = matched(["crane", "zebra"], ["crane", "zebra", "crane"])
    assert found.classes == (1,)
    assert found.left_out == (("crane", "2 outputs have this name"),)


def test_an_output_may_list_several_names() -> None:
    outputs = ["bus, autobus, coach", "sofa, couch", "couch grass, couch", "coach"]
    found = matched(["autobus", "Couch", "coach"], outputs)
    assert groups(["autobus", "Couch", "coach"], found) == {"autobus": (0,), "coach": (3,)}
    assert found.how == ("synonym", "name")
    assert found.left_out == (("Couch", "2 outputs have this name"),)


def test_an_output_stands_for_one_class_only() -> None:
    classes = ["autobus", "bus", "Bus "]
    found = matched(classes, ["bus", "zebra, autobus"])
    assert groups(classes, found) == {"autobus": (1,), "bus": (0,)}
    assert found.left_out == (("Bus ", "its outputs stand for bus already"),)
    found = matched(["autobus", "coach"], ["bus, autobus, coach"])
    assert found.left_out == (("coach", "its outputs stand for autobus already"),)


def test_cocos_endings_do_not_matter() -> None:
    classes = ["rug-merged", "door-stuff", "water-other", "wall-other-merged", "sky-blue"]
    found = matched(classes, ["rug", "door", "water", "wall", "sky"])
    assert found.outputs == ((0,), (1,), (2,), (3,))
    assert found.left_out == (("sky-blue", "no output has this name"),)


def test_the_users_table_comes_first() -> None:
    outputs = ["tabby", "tiger cat", "cat", "minibus", "cab, taxi", "bus"]
    classes = ["Cat", "bus", "car", "zebra"]
    table: dict[str, list[str | int]] = {"cat": ["Tabby", 1], "car": ["3-4"], "dog": ["nothing"], "zebra": []}
    found = matched(classes, outputs, table)
    assert groups(classes, found) == {"Cat": (0, 1), "bus": (5,), "car": (3, 4)}
    assert found.how == ("your table", "name", "your table")
    assert found.left_out == (("zebra", "removed under [classes] in the configuration"),)
    assert matched(["car"], outputs, {"car": ["taxi"]}).outputs == ((4,),)
    # What the table takes, no name gets back.
    assert matched(["bus", "coach"], outputs, {"coach": ["bus"]}).outputs == ((5,),)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"cat": ["taby"]}, ["[classes] cat for net", "'taby'", "did you mean tabby"]),
        ({"cat": [5]}, ["output 5", "numbers from 0 to 4"]),
        ({"cat": [-1]}, ["output -1", "numbers from 0 to 4"]),
        ({"cat": ["3-5"]}, ["output 3-5", "numbers from 0 to 4"]),
        ({"cat": ["3-1"]}, ["output 3-1", "the smaller first"]),
        ({"cat": ["crane"]}, ["2 outputs are called 'crane'", "3 or 4"]),
        ({"cat": [0, 1], "dog": ["0-2"]}, ["output 0 of net to cat and to dog", "one class for each output"]),
    ],
)
def test_mistakes_in_the_users_table(table: dict[str, list[str | int]], words: list[str]) -> None:
    with pytest.raises(NetworkError) as caught:
        matched(["cat", "dog"], ["tabby", "cat", "dog", "crane", "crane"], table)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


def test_nothing_in_common() -> None:
    with pytest.raises(NetworkError, match=r"net knows none of the classes of set \(cat\).*\[classes\]"):
        matched(["cat"], ["tabby"])
    with pytest.raises(NetworkError, match="does not name its outputs"):
        matched(["cat"], [])


def test_imagenet_has_the_words_of_other_data_sets() -> None:
    classes = [
        "bus",
        "cat",
        "dog",
        "giraffe",
        "kite",
        "laptop",
        "refrigerator",
        "fence-merged",
        "sofa",
        "couch",
    ]
    found = matched(classes, list(IMAGENET))
    named = groups(classes, found)
    assert [IMAGENET[output] for output in named["bus"]] == ["minibus", "school bus", "trolleybus"]
    assert named["cat"] == (281, 282, 283, 284, 285)
    assert named["dog"] == tuple(range(151, 269))
    assert [IMAGENET[output] for output in named["laptop"]] == ["laptop", "notebook"]
    assert named["fence-merged"] == (KNOWN["chainlink fence"], KNOWN["picket fence"], KNOWN["worm fence"])
    assert dict(zip((classes[at] for at in found.classes), found.how, strict=True)) == {
        **dict.fromkeys(named, "curated table"),
        "refrigerator": "name",
    }
    assert dict(found.left_out) == {
        "giraffe": "no output has this name",
        "kite": "the output of this name is something else, a bird of prey",
        "couch": "its outputs stand for sofa already",
    }


def test_a_class_of_its_own_name_is_no_part_of_a_group() -> None:
    classes = ["car", "cat", "minivan", "beagle", "dog", "giraffe"]
    named = groups(classes, matched(classes, list(IMAGENET)))
    assert named["minivan"] == (KNOWN["minivan"],)
    assert KNOWN["minivan"] not in named["car"]
    assert len(named["car"]) == 8
    assert named["beagle"] == (KNOWN["beagle"],)
    assert len(named["dog"]) == 117


def test_a_data_set_in_imagenets_own_words_is_taken_by_its_word() -> None:
    classes = ["kite", "laptop", "notebook", "Screen"]
    found = matched(classes, list(IMAGENET))
    assert groups(classes, found) == {name: (KNOWN[name.lower()],) for name in classes}
    assert set(found.how) == {"name"}


def test_the_curated_table_is_for_imagenet_alone() -> None:
    outputs = [*IMAGENET[:-1], "something else"]
    assert matched(["bus"], outputs).how == ("curated table",)  # a name of a thousand may be another
    for outputs in (IMAGENET[:-1], tuple(reversed(IMAGENET))):
        with pytest.raises(NetworkError, match="knows none of the classes"):
            matched(["bus"], list(outputs))
    longer = [f"{name}, thing of {at}" for at, name in enumerate(IMAGENET)]
    assert matched(["bus"], longer).how == ("curated table",)


def test_the_users_table_overrides_the_curated_one() -> None:
    classes = ["bus", "truck", "kite"]
    found = matched(classes, list(IMAGENET), {"bus": ["minibus", "moving van"], "kite": ["parachute"]})
    named = groups(classes, found)
    assert named["bus"] == (KNOWN["minibus"], KNOWN["moving van"])
    assert KNOWN["moving van"] not in named["truck"]
    assert named["kite"] == (KNOWN["parachute"],)


def test_a_predicted_class_is_matched_without_its_mark() -> None:
    classes = ["red (predicted)", "sky-other-merged (predicted)", "park bench (predicted)"]
    found = matched(classes, ["Red", "park_bench, bench", "sky"])
    expected = {classes[0]: (0,), classes[1]: (2,), classes[2]: (1,)}
    assert groups(classes, found) == expected
    assert found.how == ("name", "name", "synonym")
    dogs = matched(["dog (predicted)"], list(IMAGENET))
    assert dogs.outputs == matched(["dog"], list(IMAGENET)).outputs
    assert dogs.how == ("curated table",)


def test_what_somebody_has_labelled_comes_before_what_a_model_predicts() -> None:
    classes = ["dog (predicted)", "dog"]
    found = matched(classes, ["dog", "cat"])
    assert groups(classes, found) == {"dog": (0,)}
    assert found.left_out == (("dog (predicted)", "its outputs stand for dog already"),)
    assert groups(classes, matched(classes, ["dog", "cat"], {"Dog": [1]})) == {
        "dog": (1,), "dog (predicted)": (0,),
    }  # fmt: skip


def test_the_users_table_may_leave_the_mark_away() -> None:
    outputs = ["one", "two"]
    assert groups(["dog (predicted)"], matched(["dog (predicted)"], outputs, {"dog": ["two"]})) == {
        "dog (predicted)": (1,)
    }
    both: dict[str, list[str | int]] = {"dog (predicted)": ["one"], "dog": ["two"]}
    assert matched(["dog (predicted)"], outputs, both).outputs == ((0,),)


def test_a_class_that_is_called_as_several_together_is_left_out() -> None:
    """Rows of tables about the others, or about all, could not be told from its own."""
    names = ["*", "*all", "*others", "cat"]
    assert {OTHERS, EVERY, ALL_CLASSES} == set(names[:3])
    found = matched(names, names)
    assert found.classes == (3,)
    assert {why for _, why in found.left_out} == {
        "tables have this name for several classes together: rename the class"
    }
