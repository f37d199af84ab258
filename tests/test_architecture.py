"""The house: who may import whom, and how large a room may be. See docs/architecture.md."""

import ast
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULE_LINES, PAGE_LINES = 400, 120

PAGES = (
    "home",
    "units",
    "concepts",
    "relevance",
    "agreement",
    "shared_units",
    "ablation",
    "networks",
    "datasets",
    "inventory",
)  # as in the menu

# A room may import rooms of a lower rank. Rooms of one rank are siblings and do not meet, except at rank 0.
RANKS = {
    "interpret_core.errors": 0,
    "interpret_core.concepts": 0,
    "interpret_core.config": 0,
    "interpret_core.files": 0,
    "interpret_core.installation": 0,
    "interpret_core.lists": 0,
    "interpret_core.machine": 0,
    "interpret_core.memory": 0,
    "interpret_core.sizes": 0,
    "interpret_core.demo": 0,
    "interpret_core.threads": 0,
    "interpret_core.network_tables": 0,
    "interpret_core.numbers": 0,
    "interpret_core.options": 0,
    "interpret_core.packages": 0,
    "interpret_core.positions": 0,
    "interpret_core.privacy": 0,
    "interpret_core.provenance": 0,
    "interpret_core.tables": 0,
    "interpret_core.uploads": 0,
    "interpret_core.networks": 1,
    "interpret_core.datasets": 1,
    "interpret_core.classes": 2,
    "interpret_core.importers": 2,
    "interpret_core.measures": 3,
    "interpret_core.store": 4,
    "interpret_core.runtime": 5,
    "interpret_core.analyses": 6,
    "interpret_core.figures": 7,
    "interpret_core.api": 8,
    "interpret_core.jobs": 7,
    "interpret_core.reproduction": 7,
    "interpret_core.cli": 8,
    "ui": 8,
    "ui.shell": 8,
    "ui.access": 9,
    "ui.session": 10,
    "ui.components": 11,
    "ui.jobs": 12,
    "ui.server": 13,
    "ui.help": 13,
    **dict.fromkeys((f"ui.{name}" for name in PAGES), 13),
    "interpret_core.__main__": 13,
    "pages": 14,
    "app": 15,
    "serve": 15,
    "hosting": 16,  # starts serve.py as a process; imports nothing of the house
}
# Beyond the ranks: arrays in, arrays out.
APART = {
    ("interpret_core.store", "interpret_core.networks"),
    ("interpret_core.store", "interpret_core.datasets"),
    ("interpret_core.store", "interpret_core.measures"),
    ("interpret_core.measures", "interpret_core.datasets"),
    ("interpret_core.measures", "interpret_core.classes"),
}
# What an analysis may import of another: what is asked for, under which keys it lies, what was found. A plan
# computes nothing; without it nobody could read another's result of a network and data set that are opened.
COMMON = ("base", "registry")
SHARED = ("request", "keys", "plan", "result")
NOUNS = ("preprocessing", "ranking")  # that end like verbs
DRAWS_ONLY = "/figures.py"  # result -> figure, tested without Streamlit
TORCHVISION = "interpret_core/networks/torchvision_ops.py"


def sources() -> list[Path]:
    """Every module of the project, tests and benchmarks aside."""
    folders = ("interpret_core", "ui", "pages", "hosting")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted([*found, *(ROOT / name for name in ("app.py", "serve.py") if (ROOT / name).exists())])


def module_of(path: str) -> str:
    """Dotted name of a file given relative to the root."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(path: str, text: str) -> list[tuple[int, str]]:
    """(line, dotted name) of all that a file imports; `from a import b` gives a and a.b."""
    package = module_of(path).split(".")
    if not path.endswith("/__init__.py"):
        package = package[:-1]
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            found += [(node.lineno, base)] + [(node.lineno, f"{base}.{name.name}") for name in node.names]
    return found


def room(name: str) -> str | None:
    """The room a dotted name lies in; None outside the house, and for the bare package."""
    for depth in (2, 1):
        start = ".".join(name.split(".")[:depth])
        if start in RANKS:
            return start
    return None


def breaches(path: str, text: str) -> list[str]:
    """Imports of one file that the house forbids."""
    own = room(module_of(path))
    found = []
    for line, name in imports(path, text):
        other = room(name)
        top = name.split(".")[0]
        if top == "streamlit" and (path.startswith("interpret_core/") or path.endswith(DRAWS_ONLY)):
            found.append(f"{path}:{line} imports Streamlit")
        if top == "torchvision" and path != TORCHVISION:
            found.append(f"{path}:{line} imports torchvision past {TORCHVISION}")
        if top in ("tests", "benchmarks") and not path.startswith("interpret_core/cli/"):
            found.append(f"{path}:{line} imports {top}")
        if own is None or other is None or own == other:
            continue
        upwards = RANKS[other] > RANKS[own] or (RANKS[other] == RANKS[own] and RANKS[own] > 0)
        if upwards or (own, other) in APART:
            found.append(f"{path}:{line} ({own}) imports {name}")
    return found


def between_analyses(path: str, text: str) -> list[tuple[str, str, str]]:
    """(own, other, module) of imports of one analysis by another."""
    own = path.removeprefix("interpret_core/analyses/").split("/")[0]
    found = []
    for _, name in imports(path, text):
        parts = name.split(".")
        if parts[:2] == ["interpret_core", "analyses"] and len(parts) > 3 and parts[2] not in (own, *COMMON):
            found.append((own, parts[2], parts[3]))
    return found


def analyses() -> list[Path]:
    """Modules of the packages that are an analysis each."""
    return [
        path
        for path in sources()
        if relative(path).startswith("interpret_core/analyses/") and relative(path).count("/") == 3
    ]


def unsafe_loads(path: str, text: str) -> list[str]:
    """Calls of torch.load that could run code from a file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "torch.load",
            "load_state_dict_from_url",
        ):
            safe = any(
                word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords
            )
            found += [] if safe else [f"{path}:{node.lineno} loads without weights_only=True"]
    return found


@pytest.mark.parametrize(
    ("path", "text", "forbidden"),
    [
        ("interpret_core/store/store.py", "from interpret_core.analyses import run", True),
        ("interpret_core/store/store.py", "from interpret_core import analyses", True),
        ("interpret_core/store/store.py", "from ..analyses import run", True),
        ("interpret_core/store/store.py", "from .records import Record", False),
        ("interpret_core/store/store.py", "def late():\n    import interpret_core.analyses", True),
        ("interpret_core/analyses/__init__.py", "from . import shards", False),
        ("interpret_core/analyses/__init__.py", "from .. import jobs", True),
        ("interpret_core/networks/registry.py", "from interpret_core.datasets import known", True),
        ("interpret_core/measures/iou.py", "import interpret_core.datasets", True),
        ("interpret_core/analyses/run.py", "from interpret_core import networks, datasets", False),
        ("interpret_core/config.py", "from interpret_core.errors import UserError", False),
        ("interpret_core/errors.py", "from interpret_core.store import Store", True),
        ("interpret_core/jobs/line.py", "import streamlit as st", True),
        ("ui/concepts/figures.py", "from streamlit import cache_data", True),
        ("ui/shell/state.py", "import streamlit", False),
        ("ui/shell/state.py", "from ui.session import results", True),
        ("ui/components/heat/heat.py", "from ui.session import results", False),
        ("ui/components/heat/heat.py", "from ui.jobs import panel", True),
        ("ui/units/panel.py", "from ui.concepts import figures", True),
        ("ui/units/panel.py", "from ui.jobs import panel", False),
        ("ui/help/guide.py", "from ui.units import panel", True),
        ("ui/shell/state.py", "from pages.units import draw", True),
        ("ui/shell/state.py", "from interpret_core import cli", True),
        ("pages/units.py", "from ui import gallery", False),
        ("interpret_core/networks/registry.py", "import torchvision.models", True),
        ("interpret_core/networks/torchvision_ops.py", "import torchvision", False),
        ("interpret_core/analyses/run.py", "from tests.planted_networks import red", True),
    ],
)
def test_the_rules_tell_good_from_bad(path, text, forbidden):
    assert bool(breaches(path, text)) is forbidden


def test_unsafe_loads_are_told():
    assert unsafe_loads("x.py", "torch.load(path)")
    assert unsafe_loads("x.py", "torch.load(path, weights_only=False)")
    assert not unsafe_loads("x.py", "torch.load(path, weights_only=True)")


def test_imports_point_one_way():
    assert not [breach for path in sources() for breach in breaches(relative(path), path.read_text())]


def test_analyses_share_requests_plans_and_results_alone():
    found = [one for path in analyses() for one in between_analyses(relative(path), path.read_text())]
    assert found
    assert not [one for one in found if one[2] not in SHARED]


def test_no_two_analyses_need_each_other():
    pairs = {one[:2] for path in analyses() for one in between_analyses(relative(path), path.read_text())}
    order = list(
        TopologicalSorter({own: {o for mine, o in pairs if mine == own} for own, _ in pairs}).static_order()
    )
    assert order.index("profile") < order.index("agreement")


def test_one_word_has_one_meaning():
    """No two top-level classes of one name in the core."""
    places: dict[str, list[str]] = {}
    for path in (ROOT / "interpret_core").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(relative(path))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_every_module_is_part_of_the_project() -> None:
    """A pattern of `.gitignore` may hide a package that is there, and works here alone."""
    if not (ROOT / ".git").exists():
        pytest.skip("no repository")
    paths = [path.relative_to(ROOT).as_posix() for path in (*sources(), *(ROOT / "tests").rglob("*.py"))]
    command = ["git", "-c", "safe.directory=*", "check-ignore", "--stdin"]
    ran = subprocess.run(
        command, cwd=ROOT, input="\n".join(paths), capture_output=True, text=True, check=False
    )
    assert ran.stdout == ""


def test_files_are_named_by_nouns():
    stems = {path.stem for folder in ("interpret_core", "ui") for path in (ROOT / folder).rglob("*.py")}
    assert {stem for stem in stems if stem.endswith("ing")} <= set(NOUNS)


def test_no_folder_is_a_heap():
    for folder, most in (("interpret_core", 20), ("ui", 15)):
        counts = Counter(path.parent for path in (ROOT / folder).rglob("*.py"))
        assert max(counts.values()) <= most, counts.most_common(3)


def test_components_have_their_scripts_beside_them():
    scripts = {path.parent for path in (ROOT / "ui").rglob("*.js")}
    bare = {relative(path) for path in scripts if not list(path.glob("*.py"))}
    assert bare == {"ui/components/common"}, "what several components share"


def test_nothing_loads_a_pickle():
    assert not [breach for path in sources() for breach in unsafe_loads(relative(path), path.read_text())]


def test_every_module_has_a_room():
    homeless = [relative(path) for path in sources() if room(module_of(relative(path))) is None]
    assert homeless in ([], ["interpret_core/__init__.py"]), "give it a rank in RANKS"


def test_modules_are_of_a_size_to_read():
    lines = {relative(path): len(path.read_text().splitlines()) for path in sources()}
    limits = {path: PAGE_LINES if path.startswith("pages/") else MODULE_LINES for path in lines}
    assert not {path: count for path, count in lines.items() if count > limits[path]}


def loaded(code: str) -> set[str]:
    """Top-level packages in memory after running some code in a fresh Python."""
    script = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.thorough
def test_the_core_does_not_load_streamlit():
    modules = [
        module_of(relative(path)) for path in sources() if path.is_relative_to(ROOT / "interpret_core")
    ]
    modules = [name for name in modules if not name.endswith("__main__")]
    assert "streamlit" not in loaded("\n".join(f"import {name}" for name in modules))


@pytest.mark.thorough
def test_the_public_names_are_there_before_anything_is_loaded():
    heavy = {"torch", "streamlit", "numba", "scipy", "pandas", "numpy", "PIL"}
    assert not heavy & loaded("import interpret_core as ic; ic.__all__; dir(ic)")
    assert not {"streamlit", "pandas", "plotly", "ui"} & loaded("from interpret_core import *")


def test_the_scheduler_of_jobs_is_light():
    """It is there for hours; it must not hold the networks' libraries meanwhile."""
    assert not {"torch", "streamlit", "numba", "scipy", "pandas"} & loaded(
        "import interpret_core.jobs.__main__"
    )


def relative(path: Path) -> str:
    """Path from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()
