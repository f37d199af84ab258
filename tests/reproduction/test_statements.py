"""What is called published is what our documents say, and every section that is named is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from interpret_core.reproduction.markup import notes
from interpret_core.reproduction.request import NETWORKS, StudyRequest
from interpret_core.reproduction.statements import FILE, statements
from interpret_core.reproduction.study import shown_name, whole_name

METHOD = (Path(__file__).resolve().parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
READ = tomllib.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", READ["number"], ids=lambda entry: f"{entry['quantity']} {entry['value']}")
def test_every_number_stands_in_the_method(entry):
    value = entry["value"]
    text = f"{value:,}" if isinstance(value, int) else str(value)
    assert re.search(rf"(?<![\d.]){re.escape(text)}(?![\d.]*\d)", METHOD)


def test_table_i_is_the_one_of_the_method():
    printed = re.search(
        r"prints AlexNet (\S+) ± (\S+), VGG11 (\S+) ± (\S+), ResNet18 (\S+) ± (\d+\.\d+)", METHOD
    )
    found = [
        statements().number(f"agreement {part}", title).value
        for title in ("AlexNet", "VGG11", "ResNet18")
        for part in ("error", "deviation")
    ]
    assert [float(text) for text in printed.groups()] == found


def test_numbers_and_notes_lead_to_sections_of_the_method():
    anchors = set(re.findall(r'<a id="([^"]+)">', METHOD))
    assert {entry["section"] for entry in (*READ["number"], *READ["label"])} <= set(notes()) <= anchors


def test_the_house_s_classes_have_the_paper_s_among_them():
    assert len(statements().classes) == 10
    assert set(statements().ablated) < set(statements().classes)


@pytest.mark.parametrize(
    ("network", "title"),
    [
        ("torchvision/alexnet", "AlexNet"),
        ("torchvision/resnet18@IMAGENET1K_V1", "ResNet18"),
        ("torchvision/vgg11@random", "VGG11"),
        ("torchvision/alexnet@mine.pth", ""),
        ("torchvision/alexnet@/home/me/mine", ""),
        ("torchvision/vgg11_bn", ""),
        ("demo/alexnet", ""),
        ("alexnet", ""),
    ],
)
def test_whose_numbers_the_paper_s_are(network, title):
    assert statements().title(network) == title
    assert (statements().number("agreement error", statements().title(network)) is None) == (not title)


def test_short_names():
    assert whole_name("alexnet") == "torchvision/alexnet"
    assert whole_name("resnet18@random") == "torchvision/resnet18@random"
    assert whole_name("efficientnet-lite0") == "efficientnet-lite0"
    assert whole_name("package.module:alexnet") == "package.module:alexnet"
    assert StudyRequest("demo").networks == NETWORKS


def test_a_name_that_is_shown_names_no_folder():
    assert shown_name("torchvision/alexnet") == "torchvision/alexnet"
    assert shown_name("torchvision/alexnet@/home/me/mine.pth") == "torchvision/alexnet@mine.pth"
    assert shown_name("package.module:factory@../mine.pth") == "package.module:factory@mine.pth"
