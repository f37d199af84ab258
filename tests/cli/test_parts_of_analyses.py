"""Relevance, ablations, effects and evaluation in parts: the bytes of one process, merged in two orders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analyses.ablated import NETWORK, write_noise
from tests.cli.conftest import Command
from tests.cli.parts import read_last, records
from tests.one_thread import one_thread  # noqa: F401
from tests.slow import slow

SPLITS = {"ball": (6, 24), "box": (5, 20)}
KINDS = (
    "survey/",
    "relevance/",
    "ablation/",
    "answers/",
    "effects/",
    "evaluation/",
    "image_labels/",
    "maxima/",
)
MOST = 12  # rounds


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise(tmp_path_factory.mktemp("noise") / "data", SPLITS)


def kept(folder: Path) -> dict[str, str]:
    return {key: digest for key, digest in records(folder).items() if key.startswith(KINDS)}


def in_parts(command: Command, asked: list[object], folder: Path, of: int = 3) -> int:
    """Run until all is joined, in `joined` and in `backwards`; the number of rounds."""
    caches = [folder / f"part-{part}" for part in range(1, of + 1)]
    following, turn = list(range(1, of + 1)), 0
    while following:
        turn += 1
        assert turn <= MOST
        for part in following:
            shared = ("--part", f"{part}/{of}", "--cache", caches[part - 1], "--merged", folder / "joined")
            ran = command(*asked, *shared)
            assert (ran.status, ran.err) == (0, "")
        backwards = command("merge", *reversed(caches), "--into", folder / "backwards")
        ran = command("merge", *caches, "--into", folder / "joined")
        assert (ran.status, ran.err) == (0, "")
        following = read_last(ran)
        assert following == read_last(backwards)
    return turn


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("asked", "most"),
    [
        (("relevance",), 2),
        slow(("grid", "--split", "all", "--value", "mean"), 5),
        slow(("ablate", "--fractions", "0.1,0.3"), 5),
        slow(("effects",), 3),
        slow(("evaluate", "--split", "all", "--batch-size", "3"), 2),
        slow(("image-labels", "--permutations", "5", "--batch-size", "3"), 2),
    ],
)
def test_parts_give_the_bytes_of_one_process(
    asked: tuple[str, ...], most: int, root: Path, command: Command, environment: Path
) -> None:
    whole: list[object] = [*asked, "--network", NETWORK, "--dataset", root, "--device", "cpu"]
    assert command(*whole).status == 0
    alone = kept(environment / "cache")
    assert in_parts(command, whole, environment) <= most
    joined = records(environment / "joined")
    assert joined.items() >= alone.items()
    assert joined == records(environment / "backwards")
    assert not [key for key in joined if key.startswith("partial/")]
