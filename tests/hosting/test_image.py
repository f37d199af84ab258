"""What the image is made of: hashed packages, a closed list, a start that needs no right."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hosting.lock import LEFT_OUT, OF_TORCH, blocks
from tests.ui.browser import ROOT

HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def locked() -> dict[str, list[Requirement]]:
    """What requirements.lock pins, by name; of some packages another version for another Python."""
    found: dict[str, list[Requirement]] = {}
    for one in blocks((ROOT / "requirements.lock").read_text()):
        head = Requirement(one.splitlines()[0].removesuffix(" \\"))
        found.setdefault(canonicalize_name(head.name), []).append(head)
    return found


def required() -> list[Requirement]:
    """What requirements.txt pins."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def test_the_lock_pins_what_the_requirements_pin() -> None:
    """After a change of requirements.txt: `make lock`."""
    lock = locked()
    wanted = [one for one in required() if one.name not in LEFT_OUT]
    assert len(wanted) > 15
    assert not [
        str(one) for one in wanted if one.specifier not in [e.specifier for e in lock.get(one.name, [])]
    ]
    assert not [name for name in lock if name in LEFT_OUT or name.startswith(OF_TORCH)]


def test_every_line_of_the_lock_is_a_version_or_a_hash() -> None:
    text = (ROOT / "requirements.lock").read_text()
    for one in blocks(text):
        head, *hashes = one.splitlines()
        assert re.fullmatch(r"[a-z0-9.-]+==[^ ]+( ; .+)? \\", head), head
        assert hashes, head
        assert all(HASH.fullmatch(line) for line in hashes), head
    lines = sum(len(one.splitlines()) for one in blocks(text))
    assert lines + sum(line.startswith("#") for line in text.splitlines()) == len(text.splitlines())


def test_the_lock_is_closed() -> None:
    """What a pinned package needs is pinned, too: nothing comes unhashed through the back door."""
    lock, seen = locked(), 0
    for name, versions in lock.items():
        if not any(one.marker is None or one.marker.evaluate() for one in versions):
            continue  # for another system
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                seen += 1
                assert canonicalize_name(needed.name) in (*lock, *LEFT_OUT), f"{name} needs {line}: make lock"
    assert seen > 50


def test_the_container_has_no_right_that_it_does_not_need() -> None:
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 1000$", dockerfile, re.MULTILINE)
    steps = [*service["command"], *re.findall(r"image\.sh (\w+)", dockerfile)]
    script = (ROOT / "hosting" / "image.sh").read_text()
    assert {"start", "system", "python"} <= set(steps)
    assert all(f"\n{step})\n" in script for step in ("start", "system", "python", "check"))


@pytest.mark.parametrize("name", ["hosting", ".streamlit", "serve.py", "requirements.lock"])
def test_what_it_needs_goes_into_the_image(name: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert (ROOT / name).exists()
    assert name not in ignored
