"""Which module returned what, in a run of a clone that carries hooks; nobody else's module ever does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from interpret_core.networks.graph.operations import ModuleCalls
from interpret_core.networks.layers.layer import FoundLayer

Call = tuple[str, int]  # path of a module, and the how many-th of its calls in a run


class CallStack:
    """Notes the calls of a clone's modules in one run.

    Attributes:
        made_by: identity of a tensor -> the operation that last wrote it; filled by who watches the run.
    """

    def __init__(self, clone: nn.Module) -> None:
        """Put hooks on the modules of a clone that is run once."""
        self.made_by: dict[int, int] = {}
        self._under_way: list[str] = [""]
        self._inside: list[str] = []
        # By path, what each call returned: a call that returns no tensor of this run counts all the same.
        self._returned: dict[str, list[int | None]] = {}
        self._single = {path for path, part in clone.named_modules() if not any(part.children())}
        for path, part in clone.named_modules():
            part.register_forward_pre_hook(partial(self._enter, path))
            part.register_forward_hook(partial(self._leave, path))

    def note(self) -> None:
        """One more operation: it happens in the module that is under way."""
        self._inside.append(self._under_way[-1])

    def calls(self) -> ModuleCalls:
        """Which operations belong to which modules."""
        outputs = {path: tuple(op for op in ops if op is not None) for path, ops in self._returned.items()}
        return ModuleCalls(outputs, frozenset(self._single), self._inside)

    def returns(self, layers: Iterable[FoundLayer]) -> dict[Call, str]:
        """The call that returns each layer's response, with the layer's name; some have none."""
        found: dict[Call, str] = {}
        for one in layers:
            calls = [
                (path, ops.index(one.response) + 1)
                for path, ops in self._returned.items()
                if one.response in ops
            ]
            if calls:
                found[max(calls, key=lambda call: call[0].count("."))] = one.layer.name
        return found

    def _enter(self, path: str, module: nn.Module, args: Any) -> None:
        self._under_way.append(path)

    def _leave(self, path: str, module: nn.Module, args: Any, output: Any) -> None:
        self._under_way.pop()
        made = self.made_by.get(id(output)) if isinstance(output, Tensor) else None
        self._returned.setdefault(path, []).append(made)


def on_return(clone: nn.Module, returns: Mapping[Call, str], take: Callable[[str, Tensor], None]) -> None:
    """Let a clone's modules tell what they return.

    Args:
        clone: for one run.
        returns: layer names by the call that returns their response.
        take: is told the name and the response.
    """
    counts: Counter[str] = Counter()

    def told(path: str, module: nn.Module, args: Any, output: Any) -> None:
        counts[path] += 1
        layer = returns.get((path, counts[path]))
        if layer is not None and isinstance(output, Tensor):
            take(layer, output)

    paths = {path for path, _ in returns}
    for path, part in clone.named_modules():
        if path in paths:
            part.register_forward_hook(partial(told, path))
