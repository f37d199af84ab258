"""Whether every command still writes the bytes that it wrote at another revision: for restructurings.

    python -m tests.compare_outputs REVISION [--saved FILE.json]

Runs the commands here and in a worktree of the revision, each with a cache of its own, on planted data, on
the demo and, where INTERPRET_REAL_DATA is set, on real photographs. Compared are the exit status, what is
printed (but for times), the files of `--out` (but for what they were made with), and every entry of the
cache: keys and bytes. Prints what differs; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tests.planted_classes import write_pictures
from tests.planted_dataset import make_planted

ROOT = Path(__file__).resolve().parents[1]
TIME = re.compile(r"\d+(\.\d+)? s\b")
PROGRESS = re.compile(r"^.+ [\d,]+/[\d,]+\n|^reading the data set's digest\n", re.MULTILINE)
# What a file was made with: the program's version is another one, and earlier files do not say it.
SIGNED = re.compile(r',made_with$|,Unitscope [^,"\n]*$|, "made_with": "[^"\n]*"', re.MULTILINE)
MACHINE = ("sample/", "job", "identity/")  # entries that tell of this machine or of a run, not of a result
SMALL = "tests.cli.networks:small"
NAMED = "tests.cli.networks:named"
COMMANDS = (
    f"profile --network {SMALL} --dataset PLANTED --min-images 1 --permutations 5 --batch-size 5",
    f"profile --network {SMALL} --dataset PLANTED --min-images 1 --permutations 0 --layers conv2 --shards 2",
    f"evaluate --network {NAMED} --dataset PICTURES",
    f"evaluate --network {NAMED} --dataset PICTURES --split all --batch-size 3",
    f"relevance --network {NAMED} --dataset PICTURES --split all --tolerance 0.01",
    f"ablate --network {NAMED} --dataset PICTURES --layers all --fractions 0,0.5",
    f"ablate --network {NAMED} --dataset PICTURES --by hand --units conv1:0 --value mean",
    "evaluate --network demo/vgg11 --dataset demo",
    "profile --network demo/alexnet --dataset demo",
    "relevance --network demo/alexnet --dataset demo",
    "agreement --network demo/alexnet,demo/resnet18 --dataset demo",
    "ablate --network demo/alexnet --dataset demo --class cat,bus",
    "profile --network nothing --dataset demo",
    "ablate --network demo/alexnet --dataset demo --fractions 2",
)
REAL = (
    "evaluate --network demo/alexnet --dataset COCO --split all",
    "relevance --network demo/alexnet --dataset COCO --split all --images 3",
    "relevance --network demo/resnet18 --dataset COCO --classes bus --method conductance --of logit "
    "--baseline mean --images 2 --split all --points 8",
    "agreement --network demo/alexnet --dataset COCO --untrained --layers conv3,conv5 --split all --images 3",
    "ablate --network demo/alexnet --dataset COCO --split all --ranked-on all --images 3 --class bus,cat",
    "ablate --network demo/alexnet --dataset COCO --split all --by iou --fractions 0.1 --rank top",
    "profile --network efficientnet-lite0 --dataset COCO --layers stem --permutations 3",
)


def outputs(tree: Path, work: Path, commands: Sequence[list[str]]) -> dict[str, str]:
    """Name -> text or digest of all that the commands of a tree write."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "INTERPRET_CACHE": str(work / "cache"),
        "INTERPRET_OFFLINE": "1",
        "INTERPRET_CONFIG": str(work / "unitscope.toml"),
    }

    def placeless(text: str) -> str:
        for place in (work, tree, work.parent):
            text = text.replace(str(place), "FOLDER")
        return text

    work.mkdir()
    (work / "unitscope.toml").touch()
    found = {}
    for number, command in enumerate(commands):
        for kind in ("csv", "json"):
            out = work / f"{number}.{kind}"
            done = subprocess.run(
                [sys.executable, "-m", "interpret_core", *command, "--device", "cpu", "--out", str(out)],
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            name = f"{shlex.join(command)} --out .{kind}".replace(str(work.parent), "FOLDER")
            print(f"{done.returncode} {name}", file=sys.stderr)
            said = TIME.sub("… s", f"{done.returncode}\n{done.stdout}{done.stderr}")
            found[f"{name}: printed"] = placeless(said)
            found[f"{name}: file"] = placeless(out.read_text()) if out.exists() else "none"
    return found | dict(entries(work / "cache" / "results"))


def entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Key and digest of every entry of a cache, but for those that tell of the machine."""
    with closing(sqlite3.connect(folder / "cache.db")) as index:
        for key, name, value in index.execute("SELECT key, filename, value FROM Cache"):
            if not any(f"/{one}" in f"/{key}" for one in MACHINE):
                data = (folder / name).read_bytes() if name else bytes(value)
                yield f"entry {key}", hashlib.sha256(data).hexdigest()


def main() -> int:
    """Compare with the revision that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("revision", help="commit, tag or branch to compare with")
    parser.add_argument("--saved", type=Path, help="what the revision writes: read, or made the first time")
    options = parser.parse_args()
    saved: Path | None = options.saved
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        work = Path(folder)
        commands = list(asked(work))
        if saved is not None and saved.exists():
            before = json.loads(saved.read_text())
        else:
            before = at_revision(options.revision, work, commands)
            if saved is not None:
                saved.write_text(json.dumps(before))
        return told(before, outputs(ROOT, work / "after", commands))


def asked(work: Path) -> Iterator[list[str]]:
    """The commands, on data sets that are made below `work`, and on real ones."""
    places = {
        "PLANTED": str(make_planted(work / "planted", images=12, size=32, annotation=16).root),
        "PICTURES": str(write_pictures(work / "pictures")),
    }
    given = COMMANDS
    if real := os.environ.get("INTERPRET_REAL_DATA"):
        places["COCO"] = str(Path(real) / "coco_broden")
        given += REAL
    for one in given:
        yield [places.get(word, word) for word in shlex.split(one)]


def at_revision(revision: str, work: Path, commands: Sequence[list[str]]) -> dict[str, str]:
    """What the commands write at a revision."""
    there = work / "tree"
    subprocess.run(["git", "worktree", "add", "--detach", there, revision], cwd=ROOT, check=True)
    try:
        return outputs(there, work / "before", commands)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", there], cwd=ROOT, check=True)


def told(before: dict[str, str], after: dict[str, str]) -> int:
    """Print what differs; the exit status."""
    before, after = ({name: neutral(text) for name, text in one.items()} for one in (before, after))
    different = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    for name in sorted(different):
        print(f"--- {name}")
        for when, found in (("before", before), ("now", after)):
            print(f"{when}: {found.get(name, 'none')[:2000]}")
    print(f"{len(before):,} outputs compared, {len(different):,} differ")
    return int(bool(different))


def neutral(text: str) -> str:
    """What a command wrote, without what no result is."""
    return SIGNED.sub("", PROGRESS.sub("", text))


if __name__ == "__main__":
    sys.exit(main())
