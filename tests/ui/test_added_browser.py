"""A newcomer with a fine-tuned network and no wish to touch a file: uploaded, examined, profiled, browsed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from interpret_core.datasets import open_dataset
from interpret_core.networks import Preprocessing
from interpret_core.networks.torchvision_ops import classifiers
from tests.planted_classes import write_classes
from tests.planted_dataset import make_planted
from tests.ui.conftest import class_of, server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Browser, expect

from tests.ui.browser import serving, watch

pytestmark = pytest.mark.browser

CLASSES = ("red square", "blue disc", "panel")
WAIT = 120_000


def fine_tuned(root: Path) -> Path:
    """A ResNet18 after a few steps on the data set's own classes, as training code leaves it."""
    torch.manual_seed(5)
    data, pictures = open_dataset(str(root)), Preprocessing((64, 64))
    places = [i for i in range(len(data)) if class_of(i) in CLASSES]
    batch = pictures.batch([data.read_image(i) for i in places])
    wanted = torch.tensor([CLASSES.index(class_of(i)) for i in places])
    model = classifiers().get_model("resnet18", weights=None, num_classes=len(CLASSES)).train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(4):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(batch), wanted).backward()
        optimiser.step()
    file = root.parent / "shapes.safetensors"
    save_file({f"model.{name}": one for name, one in model.state_dict().items()}, file)
    return file


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fine-tuned weights, beside an installation whose configuration names a data set and no network."""
    root = tmp_path_factory.mktemp("newcomer")
    make_planted(root / "classed", images=24, size=64, annotation=32)
    write_classes(root / "classed", [(f"planted/{i:05d}.png", class_of(i)) for i in range(24)])
    (root / "unitscope.toml").write_text('[datasets]\nclassed = "classed"\n')
    return fine_tuned(root / "classed")


@pytest.fixture(scope="module")
def address(weights: Path) -> Iterator[str]:
    """A server over it."""
    root = weights.parent
    with serving(server_environment(root, root / "cache"), root / "log") as found:
        yield found


@pytest.mark.slow
def test_from_a_file_to_the_units_of_layer4(browser: Browser, address: str, weights: Path) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    found = watch(page)
    page.goto(address)
    page.get_by_role("link", name="Networks", exact=True).click(timeout=WAIT)
    page.locator("input[type=file]").set_input_files(weights)
    page.get_by_label("One in each line, in the order of the outputs").fill("\n".join(CLASSES))
    page.get_by_label("One in each line, in the order of the outputs").press("Tab")
    page.get_by_text("How pictures were prepared in training").click()
    page.get_by_label("Size in pixels").fill("64")
    page.get_by_label("Size in pixels").press("Tab")
    page.get_by_role("button", name="Examine").click(timeout=WAIT)

    expect(page.get_by_text("17 convolutions, 12 further layers, 0 parts not offered")).to_be_visible(
        timeout=WAIT
    )
    expect(page.get_by_text("Input 3×64×64 px; 3 outputs, 3 names, read as logits")).to_be_visible()
    expect(page.get_by_role("cell", name="layer4.1, layer4")).to_be_visible()
    page.get_by_role("button", name="Register as “shapes”").click()
    page.get_by_role("link", name="Find what its units detect").click(timeout=WAIT)

    page.get_by_role("button", name="Find what its units detect (all layers)").click(timeout=WAIT)
    page.get_by_role("button", name=re.compile(r"^unit \d+, .*IoU")).first.wait_for(timeout=WAIT)
    page.goto(re.sub(r"layer=[^&]*&?", "", page.url) + "&layer=layer4")
    page.get_by_role(
        "button", name=re.compile("Find what the units of this layer|layers? detect")
    ).first.click(timeout=WAIT)
    tile = page.get_by_role("button", name=re.compile(r"^unit \d+, .*IoU")).first
    tile.wait_for(timeout=WAIT)
    tile.click()
    expect(page.locator(".us-head .us-sub")).to_contain_text("layer4.1 · unit", timeout=WAIT)
    expect(page.get_by_text("of 512 layer4.1 units").first).to_be_visible()
    assert "network=shapes" in page.url
    assert found == []
