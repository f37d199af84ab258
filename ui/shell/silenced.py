"""The units picked by hand to be silenced: collected on the units' pages, spent on the ablation page.

They stand in the URL of every page, as `conv2:41,conv3:7`, for as long as the network is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from ui.shell import lists, notices, state
from ui.shell.plain import plain, shortened

PARAMETER = "silence"
MOST = 200  # units; a longer address is cut by some browsers and proxies
FULL = f"at most {MOST} units can be picked by hand"
TOLD = 6  # entries that a line names with their reasons

Picked = tuple[tuple[str, int], ...]


class Refused(NamedTuple):
    """An entry that was not taken, and why (Markdown)."""

    entry: str
    why: str


def written(units: Iterable[tuple[str, int]]) -> str:
    """Units as the URL writes them, in the order of their layers."""
    return lists.joined(f"{layer}:{unit}" for layer, unit in units)


def parsed(text: str, layers: Mapping[str, int]) -> tuple[Picked, list[Refused]]:
    """Units out of a text, and the entries that are not taken.

    Args:
        text: `conv2:41,conv3:7`, from an address or typed.
        layers: name -> units, in forward order.
    """
    found: dict[tuple[str, int], str] = {}
    refused = []
    for entry in lists.split(text):
        layer, number, why = _read(entry, layers)
        if why:
            refused.append(Refused(entry, why))
        elif (layer, number) in found:
            refused.append(Refused(entry, "it stands there twice and counts once"))
        else:
            found[layer, number] = entry
    order = {name: at for at, name in enumerate(layers)}
    units = sorted(found, key=lambda one: (order[one[0]], one[1]))
    refused += [Refused(found[one], FULL) for one in units[MOST:]]
    return tuple(units[:MOST]), refused


def _read(entry: str, layers: Mapping[str, int]) -> tuple[str, int, str]:
    """Layer and unit of an entry, and why it is none; empty where it is one."""
    layer, _, number = entry.rpartition(":")
    layer = layer if layer in layers else layer.strip()
    if not layer:
        return "", 0, f"expected layer:unit such as {plain(written([example(layers)]))}"
    if layer not in layers:
        near = get_close_matches(layer[:200], layers, n=1)
        hint = f"did you mean {shortened(near[0])}?" if near else f"there are {_some(list(layers))}"
        return "", 0, f"there is no layer “{shortened(layer)}”: {hint}"
    units = f"units of {shortened(layer)} are numbered 0 to {layers[layer] - 1:,}"
    digits = number.strip()
    if not digits.isascii() or not digits.isdecimal():
        return "", 0, f"“{shortened(number)}” is no number of a unit: {units}"
    if len(digits) > 9 or int(digits) >= layers[layer]:
        return "", 0, units
    return layer, int(digits), ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shortened, names[:TOLD])) + (" …" if len(names) > TOLD else "")


def example(layers: Mapping[str, int]) -> tuple[str, int]:
    """A unit to show how one is written."""
    name = list(layers)[min(1, len(layers) - 1)]
    return name, min(7, layers[name] - 1)


def tell(refused: Sequence[Refused], place: str = "") -> None:
    """A line that says which entries were not taken and why; none without any.

    Args:
        refused: the entries.
        place: of the page, where the line belongs.
    """
    if not refused:
        return
    told = "; ".join(f"“{shortened(one.entry)}” ({one.why})" for one in refused[:TOLD])
    rest = f"; and {len(refused) - TOLD:,} more" if len(refused) > TOLD else ""
    notices.complain(f"Of the units picked by hand, not taken: {told}{rest}.", place)


def units(layers: Mapping[str, int], place: str = "") -> Picked:
    """The URL's units; a line says so where it names others, and they are left out.

    Args:
        layers: name -> units, in forward order.
        place: of the page, where the line belongs.
    """
    raw = state.parameter(PARAMETER)
    found, refused = parsed(raw, layers)
    tell(refused, place)
    if refused:
        state.repair(**{PARAMETER: written(found)})
    return found


def toggle(layer: str, unit: int, layers: Mapping[str, int]) -> None:
    """Silence a unit, or let it speak again."""
    press(layer, {unit: (layer, unit) not in units(layers)}, layers)


def press(layer: str, pressed: Mapping[int, bool], layers: Mapping[str, int]) -> None:
    """Silence some units of a layer and let others speak again; all the rest stay as they are.

    Args:
        layer: name.
        pressed: unit -> whether it shall be silenced.
        layers: name -> units, in forward order.
    """
    kept = [one for one in units(layers) if one[0] != layer or pressed.get(one[1], True)]
    new = [(layer, unit) for unit, on in pressed.items() if on and (layer, unit) not in kept]
    room = MOST - len(kept)  # what was picked first stays
    tell([Refused(written([one]), FULL) for one in new[room:]])
    state.change(**{PARAMETER: written(parsed(written([*kept, *new[:room]]), layers)[0])})


def put_back() -> None:
    """A line where units picked by hand are put back with another choice, for whoever has not noticed."""
    picked = lists.split(state.parameter(PARAMETER))
    if picked:
        few = ", ".join(map(shortened, picked[:TOLD])) + (" …" if len(picked) > TOLD else "")
        notices.complain(
            f"No longer silenced, since they were picked by hand: {few}. The browser’s Back has them again."
        )
