"""The units picked by hand to be silenced: collected on the units' pages, spent on the ablation page.

They stand in the URL of every page, as `conv2:41,conv3:7`, for as long as the network is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ui import state

PARAMETER = "silence"
MOST = 200  # units; a longer address is cut by some browsers and proxies

Picked = tuple[tuple[str, int], ...]


def written(units: Iterable[tuple[str, int]]) -> str:
    """Units as the URL writes them, in the order of their layers."""
    return ",".join(f"{layer}:{unit}" for layer, unit in units)


def parsed(text: str, layers: Mapping[str, int]) -> tuple[Picked, list[str]]:
    """Units out of a text, and the entries that name none.

    Args:
        text: `conv2:41,conv3:7`.
        layers: name -> units, in forward order.
    """
    found: set[tuple[str, int]] = set()
    wrong = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        layer, _, number = entry.rpartition(":")
        whole = number.isascii() and number.isdecimal() and len(number) <= 9
        if whole and layer in layers and int(number) < layers[layer]:
            found.add((layer, int(number)))
        else:
            wrong.append(entry)
    order = {name: at for at, name in enumerate(layers)}
    units = sorted(found, key=lambda one: (order[one[0]], one[1]))
    wrong += [written([one]) for one in units[MOST:]]
    return tuple(units[:MOST]), wrong


def units(layers: Mapping[str, int]) -> Picked:
    """The URL's units; a line says so where it names others, and they are dropped.

    Args:
        layers: name -> units, in forward order.
    """
    found, wrong = parsed(state.parameter(PARAMETER), layers)
    if wrong:
        few = ", ".join(f"“{state.clip(entry)}”" for entry in wrong[:4]) + (" …" if len(wrong) > 4 else "")
        one = len(wrong) == 1
        state.complain(
            f"The link silences {few}, which {'is' if one else 'are'} no "
            f"{'unit' if one else 'units'} here; leaving {'it' if one else 'them'} out."
        )
        state.change(**{PARAMETER: written(found)})
    return found


def toggle(layer: str, unit: int, layers: Mapping[str, int]) -> None:
    """Silence a unit, or let it speak again."""
    choose(layer, {one for name, one in units(layers) if name == layer} ^ {unit}, layers)


def choose(layer: str, chosen: Iterable[int], layers: Mapping[str, int]) -> None:
    """Silence these units of a layer and no others of it; those of other layers stay as they are.

    Args:
        layer: name.
        chosen: units of it.
        layers: name -> units, in forward order.
    """
    rest = [one for one in units(layers) if one[0] != layer]
    wanted = written([*rest, *((layer, unit) for unit in chosen)])
    found, left_out = parsed(wanted, layers)
    if left_out:
        state.complain(f"At most {MOST} units can be picked by hand: remove one first.")
    state.change(**{PARAMETER: written(found)})
