"""`python -m hosting.lock`: write requirements.lock, with a hash of every file of every package, anew.

All that `requirements.txt` brings is in it but torch and torchvision, which come in builds for machines of
different kinds, and what only torch needs. Resolves for every platform with uv, from the package index that
is configured for uv.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

from hosting.settings import ROOT

UV = "uv==0.13.9"
PYTHON = "3.11"  # the oldest that is supported
LEFT_OUT = ("torch", "torchvision")
OF_TORCH = ("nvidia-", "cuda-", "triton")  # how the names begin
HEAD = """\
# Made by `make lock` from requirements.txt; what torch brings with it aside, every package with its hashes:
#   pip install --require-hashes --no-deps -r requirements.lock
# then torch and torchvision as requirements.txt pins them, in the build that fits the machine.
"""


def main() -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        tool, made = Path(folder) / "bin" / "uv", Path(folder) / "lock"
        subprocess.run([tool.with_name("pip"), "install", "--quiet", UV], check=True)
        words = [
            "--universal",
            "--python-version",
            PYTHON,
            "--generate-hashes",
            "--no-annotate",
            "--no-header",
        ]
        words += [word for name in LEFT_OUT for word in ("--no-emit-package", name)]
        subprocess.run(
            [tool, "pip", "compile", "--quiet", *words, "requirements.txt", "-o", made], cwd=ROOT, check=True
        )
        kept = [one for one in blocks(made.read_text()) if not one.startswith(OF_TORCH)]
    (ROOT / "requirements.lock").write_text(HEAD + "".join(kept))
    print(f"requirements.lock: {len(kept)} packages")
    return 0


def blocks(text: str) -> Iterator[str]:
    """Each package with its hashes."""
    for one in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if "==" in one:
            yield one


if __name__ == "__main__":
    sys.exit(main())
