"""Sizes that variables state, and the memory that there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interpret_core import config, machine, sizes
from interpret_core.errors import UserError
from interpret_core.sizes import parsed, written


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1048576", 1 << 20),
        ("2G", 2 << 30),
        ("1.5 GB", 3 << 29),
        ("500m", 500 << 20),
        ("2 TiB", 2 << 41 >> 1),
        (" 64MiB ", 64 << 20),
        ("4096K", 4 << 20),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert parsed("SIZE", text, 1 << 20) == size


@pytest.mark.parametrize(
    "text", ["lots", "-1G", "0", "2 X", "1e9", "1,5G", "", "2GG", "NaN", "512K", "9" * 400]
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parsed("SIZE", text, 1 << 20)
    assert str(caught.value).startswith("SIZE is ")
    assert "such as 2G or 500M, at least 1 MB" in str(caught.value)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


def test_a_size_is_written_for_people() -> None:
    assert [written(size) for size in (5, 2048, 500 << 20, 3 << 29, 50 << 30, 1 << 40)] == [
        *("5 bytes", "2 kB", "500 MB", "1.5 GB", "50 GB", "1.0 TB")
    ]


@pytest.mark.parametrize("name", ["INTERPRET_CACHE_SIZE", "INTERPRET_MEMORY"])
def test_a_variable_that_is_no_size_is_refused_with_the_configuration(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{name} is 'much', expected bytes or a size"):
        config.current({name: "much", "INTERPRET_UPLOADS": "0"})
    config.current({name: "2G", "INTERPRET_UPLOADS": "0"})


def test_what_is_said_counts_and_else_the_defaults() -> None:
    assert config.cache_size({}) == 1 << 40
    assert config.cache_size({"INTERPRET_CACHE_SIZE": "50G"}) == 50 << 30
    assert config.memory_size({"INTERPRET_MEMORY": "1G"}) == 1 << 30
    assert config.memory_size({}) == max(1 << 26, machine.memory() // 4)


def machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def group(root: Path, limits: dict[str, str], name: str) -> None:
    """A tree of control groups with these limits."""
    for place, text in limits.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / name).write_text(f"{text}\n")


def test_a_container_s_limit_counts_version_2(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/system.slice/unitscope.service\n")
    group(tmp_path, {"system.slice": "3000000000", "system.slice/unitscope.service": "max"}, "memory.max")
    assert machine.memory(tmp_path, own) == min(machine_bytes(), 3_000_000_000), "that of the group around it"
    group(tmp_path, {"system.slice/unitscope.service": "1000000"}, "memory.max")
    assert machine.memory(tmp_path, own) == 1_000_000
    own.write_text("0::/\n")  # inside of a container, which sees its own group as the root
    group(tmp_path, {".": "2000000"}, "memory.max")
    assert machine.memory(tmp_path, own) == 2_000_000


def test_a_container_s_limit_counts_version_1(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("12:cpu,cpuacct:/docker/abc\n5:memory:/docker/abc\n1:name=systemd:/docker/abc\n")
    unlimited = str(0x7FFFFFFFFFFFF000)
    group(tmp_path / "memory", {".": "4000000"}, "memory.limit_in_bytes")
    assert machine.memory(tmp_path, own) == 4_000_000
    group(tmp_path / "memory", {".": unlimited, "docker/abc": unlimited}, "memory.limit_in_bytes")
    assert machine.memory(tmp_path, own) == machine_bytes()


def test_without_control_groups_it_is_the_machine_s(tmp_path: Path) -> None:
    assert machine.memory(tmp_path / "none", tmp_path / "none") == machine_bytes()


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "65", "9" * 50, "²"])
def test_a_whole_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"X is .*, expected a whole number from 1 to 64"):
        sizes.whole("X", text, 1, 1, 64)


def test_a_whole_number_is_taken() -> None:
    assert [sizes.whole("X", text, 1, 1, 64) for text in ("", "1", " 4 ")] == [1, 1, 4]
    assert sizes.whole("X", "0", 5, 0) == 0
    with pytest.raises(UserError, match="of at least 2: correct it, or unset it"):
        sizes.whole("X", "1", 2, 2)
