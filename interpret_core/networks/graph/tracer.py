"""torch.fx's tracer, with what it leaves out: in-place sums, what each module returned, and other threads."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable
from typing import Any

from torch import fx, nn

from interpret_core.networks.graph.operations import named_norm

# torch.fx replaces nn.Module.__call__ for the whole process while it traces: one trace at a time, …
_ONE_TRACE = threading.Lock()


class _Proxy(fx.Proxy):
    """Remembers that `x += y` overwrites x: torch.fx's own proxy records it as `x = x + y`."""

    def _overwrite(self, function: Any, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", function, (self, other), {})

    def __iadd__(self, other: Any) -> fx.Proxy:
        return self._overwrite(operator.iadd, other)

    def __isub__(self, other: Any) -> fx.Proxy:
        return self._overwrite(operator.isub, other)

    def __imul__(self, other: Any) -> fx.Proxy:
        return self._overwrite(operator.imul, other)

    def __itruediv__(self, other: Any) -> fx.Proxy:
        return self._overwrite(operator.itruediv, other)


class _Tracer(fx.Tracer):
    """… and modules that other threads run meanwhile are passed through."""

    def __init__(self) -> None:
        super().__init__()
        self._owner = threading.get_ident()
        self.returned: dict[str, list[fx.Node]] = {}  # by module path, what each call of it returned

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if threading.get_ident() != self._owner:
            return forward(*args, **kwargs)
        result = super().call_module(m, forward, args, kwargs)
        if isinstance(result, fx.Proxy):
            self.returned.setdefault(self.path_of_module(m), []).append(result.node)
        return result

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return named_norm(m) is not None or super().is_leaf_module(m, module_qualified_name)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self._owner:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def recorded(module: nn.Module) -> tuple[fx.Graph, dict[str, list[fx.Node]]]:
    """A module's graph as torch.fx sees it, and by module path the nodes that its calls returned.

    Raises:
        Exception: whatever the module's own code makes of a proxy.
    """
    tracer = _Tracer()
    with _ONE_TRACE:
        return tracer.trace(module), tracer.returned
