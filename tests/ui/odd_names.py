"""An installation whose every name holds what Markdown, HTML, TeX, keys, addresses or files take for theirs.

Each name has a mark of its own (`qa1`, `qb2` …): wherever the mark is seen, the whole name must stand.
"""

from __future__ import annotations

import json
from pathlib import Path

from torch import nn

from interpret_core import jobs
from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.jobs import state
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.spec import NetworkParts
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_classes import write_classes
from tests.planted_dataset import LABELS, make_planted, rename_labels
from tests.ui.networks import other, small

CLASSES = (
    ":red[qa1] $qa2$ **qa3** _qa4_ `qa5` ~~qa6~~",
    "# qb1 | <b>qb2</b>, a__b &amp; [b]qb3[/b]",
    "-- qc1 -> qc2:9999 :smile: %{x} 🙂",
    "unicorn",
)
LAYERS = ("a__b:9999 $qd1$ <i>qd2</i>", "c | *qe1*, #qe2 %41")
ONE = "qf1 0__0 :blue-badge[x] <s>"
NETWORK, BESIDE = ":red[qn1] a__b, <b>|", "🙂 $qn2$ b__a #1 ?x=1&y=2 100%"
NOTE = "A `qk1` note with $x$ __y__ :smile: <b> https://outside.invalid."
DATASET = "qs1 $x$ a__b/<i>| :smile: [x](https://outside.invalid)"
# Of the same factory, so that nothing has to be computed for them.
ALIASES = (
    "Q__1",
    "q__1",
    "../qn3/x",
    "qn4, two",
    "'qn5' \"x\" \\",
    "qn6" + 300 * "x",
    ".qn7.",
    " qn8 ",
    "turned \u202eqn13\u202c",
    "--qn9",
    "__",
    "relevance_q",
    "日本 qn10 é",
    "%2F%20qn11+",
    "inner",
    "all",
)
LABEL_NAMES = dict(zip(("red square", "blue disc", "panel"), CLASSES, strict=False)) | {
    "matte": "*qg1* __x__ :+1:",
    "glossy": '![x](https://outside.invalid/a.png) "qg2"',
    "left half": "<img src=x onerror=alert(1)> qg3",
    "top half": "1. qg4 a@b.c www.outside.invalid",
    **{
        f"{name}-c": f"qh{at} :violet[{name}] \\({at}\\)" for at, name in enumerate(("red", "blue", "orange"))
    },
}
EVERY = (*CLASSES, *LAYERS, ONE, NETWORK, BESIDE, DATASET, NOTE, *ALIASES, *LABEL_NAMES.values())


def _named(module: nn.Sequential, names: tuple[str, ...]) -> nn.Sequential:
    """The same network, its convolutions under these names."""
    left = iter(names)
    made = nn.Sequential()
    for at, child in enumerate(module):
        made.add_module(next(left) if isinstance(child, nn.Conv2d) else f"rest{at}", child)
    return made.eval()


def network() -> NetworkParts:
    """`tests.ui.networks.classy` under such names."""
    module = _named(nn.Sequential(*small(), nn.Linear(32, len(CLASSES))), LAYERS)
    return NetworkParts(module, Preprocessing((112, 112)), CLASSES, "random weights", NOTE)


def beside() -> NetworkParts:
    """`tests.ui.networks.classy_other`, of another evidence than there is."""
    module = _named(nn.Sequential(*other(), nn.Linear(16, len(CLASSES))), (ONE,))
    return NetworkParts(module, Preprocessing((112, 112)), CLASSES, "qe [v](https://outside.invalid) :red[x]")


def install(root: Path) -> Path:
    """Write data set and unitscope.toml; the folder."""
    planted = make_planted(root / "data", images=36, size=112, annotation=56)
    rename_labels(planted.root, {name: LABEL_NAMES.get(name, name) for _, name, _ in LABELS})
    classes = [CLASSES[image % 3] for image in range(36)]
    write_classes(planted.root, [(f"planted/{at:05d}.png", name) for at, name in enumerate(classes)])
    factories = {NETWORK: "network", BESIDE: "beside", **dict.fromkeys(ALIASES, "network")}
    lines = ["[datasets]", f'{_quoted(DATASET)} = "data"', "[networks]"]
    lines += [f'{_quoted(name)} = "tests.ui.odd_names:{factory}"' for name, factory in factories.items()]
    (root / "unitscope.toml").write_text("\n".join(lines), encoding="utf-8")
    return root


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def compute(cache: Path) -> None:
    """Everything that the pages can show of the two networks."""
    with Store(cache) as store:
        for name in (NETWORK, BESIDE):
            run_profile(ProfileRequest(name, DATASET, permutations=100), store, Execution(device="cpu"))
            run_relevance(RelevanceRequest(name, DATASET), store, Execution(device="cpu"))
            run_ablation(AblationRequest(name, DATASET), store, Execution(device="cpu"))
        effects = EffectsRequest(NETWORK, DATASET)
        run_effects(effects, store, Execution(device="cpu"))
        identity = jobs.job_id(effects.analysis, effects.to_json())
        done = jobs.Job(identity, effects.analysis, effects.to_json(), "done", started=1.0, finished=2.0)
        store.put_json(state.key(identity), done.to_json())
