"""Which of a file's tensors are a module's: found by names and shapes, and said where there was a choice.

Training code puts a prefix before every name (`module.`, `_orig_mod.`, `model.`), nests the state under a key
of its own, keeps averaged weights beside it, and leaves counters in it. A set of tensors fits a module if,
with a uniform prefix taken off or put on, it has every tensor of the module in its shape and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from interpret_core.errors import WeightsError
from interpret_core.networks.checkpoints.contents import Tensors, parts_of
from interpret_core.networks.objects.description import tensor_digest

WRAPPERS = frozenset({"module", "_orig_mod"})  # as `objects.copier.unwrapped` takes them off within a network
_AVERAGED = re.compile(r"(^|[._])(ema|swa|averaged?|shadow)([._]|$)|averag", re.IGNORECASE)
_COUNTERS = frozenset({"n_averaged", "total_ops", "total_params"})
WHOLE = "whole"  # in place of keys: what stands under none
DEEPEST = 3  # prefixes one in another


class Candidate(NamedTuple):
    """A set of tensors that may be a module's.

    Attributes:
        part: the keys that lead to it within the file, and the prefix that was taken off.
        tensors: by the names within the module.
        rest: names beside it under the same keys, of what is not this network.
        counted: whether a counter of averaged steps lies beside it (`torch.optim.swa_utils`).
    """

    part: str
    tensors: Tensors
    rest: tuple[str, ...] = ()
    counted: bool = False

    @property
    def averaged(self) -> bool:
        """Whether it holds the mean over a training's steps, as far as its name and its counter tell."""
        return self.counted or bool(_AVERAGED.search(self.part))


def fit(module: nn.Module, file: Path, name: str, part: str = "", renamed: Callable[[str], str] = str) -> str:
    """Load what a file holds of a module.

    Args:
        module: changed in place.
        file: as training code leaves it.
        name: of the network, for the message.
        part: keys within the file, joined by dots; empty: what fits, rather no average.
        renamed: an old name of a tensor -> today's.

    Returns:
        Which part was taken, as a sentence; empty where there was nothing to choose and nothing left over.

    Raises:
        WeightsError: as `contents.parts_of`; nothing in it fits, or several parts do.
    """
    parts = {
        key: {renamed(one): tensor for one, tensor in tensors.items()}
        for key, tensors in parts_of(file).items()
    }
    own = _own(module)
    # A group with few of the module's tensors is none of it; a file may have a great many of them.
    found = list(_candidates(own, parts, 0 if part else _least(own)))
    if part:
        key = "" if part == WHOLE else part
        wanted = [one for one in found if one.part == key or (key and one.part.startswith(f"{key}."))]
        if not wanted:
            named = ", ".join(dict.fromkeys(one.part or WHOLE for one in found[:12]))
            raise WeightsError(f"Weights file {file} has no part {part!r}, expected one of: {named}.")
        found = wanted
    fitting = [one for one in found if not _problems(own, one.tensors)]
    if not fitting:
        raise _other(file, name, min((_problems(own, one.tensors) for one in found), key=_faults))
    chosen = _chosen(fitting, file)
    module.load_state_dict(chosen.tensors, strict=False)
    return _sentence(chosen, fitting, file)


def _least(own: Tensors) -> int:
    """Half of the tensors that a file of this module must have, those under two names once."""
    return len({_place(one) for name, one in own.items() if not name.endswith("num_batches_tracked")}) // 2


def _candidates(own: Tensors, parts: Mapping[str, Tensors], least: int) -> Iterator[Candidate]:
    """Every set of a file under every prefix that all or some of its names share.

    Args:
        own: tensors of the module.
        parts: of the file.
        least: names that share a prefix.
    """
    outer = list(dict.fromkeys(name.partition(".")[0] for name in own))
    for part, tensors in parts.items():
        counted = any(_counts(name, "n_averaged") for name in tensors) and "n_averaged" not in own
        # What averages and profilers leave in a state is none of it, unless the module has such a tensor.
        kept = {name.rpartition(".")[2] for name in own} & _COUNTERS
        plain = {name: one for name, one in tensors.items() if not _counts(name, *_COUNTERS - kept)}
        bare = {name if name in own else _unwrapped(name): one for name, one in plain.items()}
        # Two names that become one would be a mixture of two networks.
        for state in (plain, bare) if bare.keys() != plain.keys() and len(bare) == len(plain) else (plain,):
            yield Candidate(part, state, counted=counted)
            yield from (one._replace(counted=counted) for one in _prefixed(part, state, DEEPEST, least))
        if len(outer) == 1:  # the module itself has a wrapper that the file does not know
            yield Candidate(part, {f"{outer[0]}.{name}": one for name, one in bare.items()}, counted=counted)
        beside = tuple(name for name in plain if name not in own)
        if own and {name.partition(".")[2] for name in beside} >= own.keys():  # again, under a prefix
            inside = {name: one for name, one in plain.items() if name in own}
            yield Candidate(part, inside, beside, counted)


def _prefixed(part: str, tensors: Tensors, levels: int, least: int) -> Iterator[Candidate]:
    groups: dict[str, Tensors] = {}
    for name, one in tensors.items():
        first, dot, rest = name.partition(".")
        if dot:
            groups.setdefault(first, {})[rest] = one
    for first, inner in groups.items():
        if len(inner) < least:
            continue
        left = tuple(name for name in tensors if not name.startswith(f"{first}."))
        where = f"{part}.{first}" if part else first
        yield Candidate(where, inner, left)
        if levels > 1:
            deeper = _prefixed(where, inner, levels - 1, least)
            yield from (one._replace(rest=one.rest + left) for one in deeper)


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _counts(name: str, *counters: str) -> bool:
    """Whether it is one of these counters."""
    return name.rpartition(".")[2] in counters


def _own(module: nn.Module) -> Tensors:
    """A module's tensors; what else its state holds (`get_extra_state`) is left as the module made it."""
    return {name: one for name, one in module.state_dict().items() if isinstance(one, torch.Tensor)}


def _problems(own: Tensors, state: Mapping[str, torch.Tensor]) -> list[tuple[int, str]]:
    """What keeps a state from being a module's: how many names, and the first of them in words."""
    there = {_place(own[key]) for key in own if key in state}
    missing = [
        key
        for key in own
        if key not in state
        and not key.endswith("num_batches_tracked")
        # One tensor under two names: safetensors keeps one of them.
        and not (own[key].data_ptr() and _place(own[key]) in there)
    ]
    unexpected = [key for key in state if key not in own]
    shaped = [key for key in own if key in state and own[key].shape != state[key].shape]
    typed = [
        key
        for key in own
        if key in state and own[key].is_floating_point() and not state[key].is_floating_point()
    ]
    told = (
        ("missing", missing, lambda key: ""),
        ("unexpected", unexpected, lambda key: ""),
        ("of another shape", shaped, lambda k: f" {tuple(state[k].shape)} instead of {tuple(own[k].shape)}"),
        ("of another type", typed, lambda k: f" {state[k].dtype} instead of {own[k].dtype}"),
    )
    return [
        (len(keys), f"{what} {keys[0]}{detail(keys[0])} ({len(keys)} in all)")
        for what, keys, detail in told
        if keys
    ]


def _place(tensor: torch.Tensor) -> tuple[object, ...]:
    return tensor.data_ptr(), tensor.shape, tensor.stride()


def _faults(problems: list[tuple[int, str]]) -> int:
    return sum(count for count, _ in problems)


def _other(file: Path, name: str, problems: list[tuple[int, str]]) -> WeightsError:
    return WeightsError(
        f"Weights file {file} is of another architecture than {name}: "
        f"{'; '.join(words for _, words in problems)}. Name the network that these weights were trained as."
    )


def _chosen(fitting: list[Candidate], file: Path) -> Candidate:
    """The one that fits; of several the one that is no average, or they are the same, or it is asked."""
    plain = [one for one in fitting if not one.averaged]
    few: list[Candidate] = []
    for one in sorted(plain or fitting, key=lambda one: len(one.part.split(".")) if one.part else 0):
        if not any(_same(one.tensors, other.tensors) for other in few):
            few.append(one)
    if len(few) > 1:
        raise WeightsError(
            f"Weights file {file} holds several networks that fit: "
            f"{', '.join(one.part or WHOLE for one in few)}. Say which after the file's name: "
            f"{file.name}#{few[0].part or few[1].part}."
        )
    return few[0]


def _same(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(
        one[name] is other[name] or tensor_digest(one[name]) == tensor_digest(other[name]) for name in one
    )


def _sentence(chosen: Candidate, fitting: list[Candidate], file: Path) -> str:
    others = [one.part for one in fitting if not _same(one.tensors, chosen.tensors)]
    said = []
    if others:
        what = "averaged weights" if chosen.averaged else "weights"
        said.append(
            f"Taken are the {what} under “{chosen.part or 'no key'}” in {file.name}, which also has "
            f"{', '.join(f'“{one}”' for one in dict.fromkeys(others))} (name it as {file.name}#{others[0]})."
        )
    elif chosen.averaged:
        said.append(f"{file.name} holds averaged weights, under “{chosen.part}”.")
    if chosen.rest:
        more = f" and {len(chosen.rest) - 1} more" if len(chosen.rest) > 1 else ""
        said.append(f"Not part of this network, and left out: {chosen.rest[0]}{more} in {file.name}.")
    return " ".join(said)
