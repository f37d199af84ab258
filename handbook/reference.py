"""The page of the public API: what `interpret_core.__all__` names, and the types that come back from it.

Signatures and docstrings are read off the objects and not off the source: an option of a function is written
once, in its request (`interpret_core.api.signatures`).
"""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from typing import Any

import griffe

import interpret_core

_HEAD = """# Python

```python
import interpret_core as ic
```

What a notebook has. Importing it loads neither torch nor pandas; each name is there when it is asked for. The
command line answers the same requests under the same keys: what one of them has computed, the other finds.
Every example is run by the tests, on [the demo](demo.md).

"""


def names() -> list[str]:
    """What is public, apart from the version."""
    return sorted((one for one in interpret_core.__all__ if not one.startswith("_")), key=str.casefold)


def page() -> str:
    """The page in Markdown, with a line of mkdocstrings for every object."""
    public = [getattr(interpret_core, name) for name in names()]
    parts = [_HEAD, "## Functions and classes\n"]
    parts += [_entry(one, f"ic.{name}") for name, one in zip(names(), public, strict=True)]
    parts.append("## What comes back\n")
    parts += [_entry(one, one.__name__) for one in returned(public)]
    return "\n".join(parts)


def returned(public: list[Any]) -> list[type]:
    """Unitscope's own types that public functions and methods return, each with what it extends."""
    found: dict[type, None] = {}
    for one in public:
        members = inspect.getmembers(one, callable) if inspect.isclass(one) else [("", one)]
        calls = [call for name, call in members if not name.startswith("_")]
        for call in calls:
            kind = _kind(call)
            for base in reversed(inspect.getmro(kind)) if kind is not None else ():
                if base.__module__.startswith("interpret_core.") and base not in public:
                    found[base] = None
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


def _kind(call: Any) -> type | None:
    try:
        kind = typing.get_type_hints(call).get("return")
    except (TypeError, NameError):  # of a builtin, or a name imported for types alone
        return None
    return kind if inspect.isclass(kind) and kind.__module__.startswith("interpret_core.") else None


def _entry(one: Any, title: str) -> str:
    options = f"      heading: {title}\n      toc_label: {title}\n"
    return f"::: {one.__module__}.{one.__qualname__}\n    options:\n{options}"


class Live(griffe.Extension):
    """Objects as they are once imported, and their examples as code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Show what is under "Example:" as what it is, which the style of docstrings calls "Examples:"."""
        if obj.docstring is not None:
            obj.docstring.value = _exemplary(obj.docstring.value)

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Replace what the source says where a decorator has said more."""
        if not func.path.startswith("interpret_core.api."):
            return
        found: Any = importlib.import_module(func.module.path)
        for name in func.path.removeprefix(f"{func.module.path}.").split("."):
            found = getattr(found, name, None)
        if func.docstring is None or not hasattr(found, "__signature__"):
            return
        func.docstring.value = _exemplary(inspect.getdoc(found) or "")
        func.parameters = griffe.Parameters(
            *(_parameter(one) for one in inspect.signature(found).parameters.values())
        )


def _parameter(one: inspect.Parameter) -> griffe.Parameter:
    kinds: dict[Any, griffe.ParameterKind] = {
        inspect.Parameter.POSITIONAL_OR_KEYWORD: griffe.ParameterKind.positional_or_keyword,
        inspect.Parameter.KEYWORD_ONLY: griffe.ParameterKind.keyword_only,
    }
    default = None if one.default is inspect.Parameter.empty else repr(one.default)
    hint = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", inspect.formatannotation(one.annotation))
    return griffe.Parameter(one.name, annotation=hint, kind=kinds[one.kind], default=default)


def _exemplary(text: str) -> str:
    return re.sub(r"(?m)^( *)Example:$", r"\1Examples:", text)
