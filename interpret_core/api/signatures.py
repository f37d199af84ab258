"""Signatures made from requests: the options of a function are the fields of what it asks."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING
from typing import Any, TypeVar

from interpret_core.errors import ParameterError, unknown
from interpret_core.lists import joined_names
from interpret_core.options import Names, Request, RequestField, fields_of

PLACE = "{options}"  # in a docstring, where its options are described
SUBJECTS = ("network", "networks", "dataset")  # fields that are given as objects, before the options
_WIDTH = 100
F = TypeVar("F", bound=Callable[..., Any])


def takes(request: type[Request]) -> Callable[[F], F]:
    """Give a function the options of a request, in its signature and in its docstring.

    Args:
        request: whose fields become keyword arguments, with the same defaults.
    """

    def described(function: F) -> F:
        own = [
            one
            for one in inspect.signature(function, eval_str=True).parameters.values()
            if one.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        first = [one for one in own if one.kind is not inspect.Parameter.KEYWORD_ONLY]
        last = [one for one in own if one.kind is inspect.Parameter.KEYWORD_ONLY]
        asked = options_of(request)
        returned = inspect.signature(function, eval_str=True).return_annotation
        parameters = [*first, *(_parameter(one) for one in asked), *last]
        function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            parameters, return_annotation=returned
        )
        lines = "\n".join(line for one in asked for line in _lines(one))
        function.__doc__ = inspect.getdoc(function).replace(PLACE, lines)  # type: ignore[union-attr]
        return function

    return described


def options_of(request: type[Request]) -> tuple[RequestField, ...]:
    """The fields of a request that are options."""
    return tuple(one for one in fields_of(request) if one.name not in SUBJECTS)


def request_of(request: type[Request], subjects: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The request of what was given.

    Args:
        request: its type.
        subjects: names of network and data set.
        options: as they were given; lists may stand for texts that list.

    Raises:
        ParameterError: an option that there is none of, or a value that has no meaning.
    """
    fields = {one.name: one for one in options_of(request)}
    for name in options:
        if name not in fields:
            raise ParameterError(unknown(f"option of {request.analysis}", name, fields))
    return request(**subjects, **{name: _value(fields[name], value) for name, value in options.items()})


def _value(field: RequestField, value: Any) -> Any:
    """A value as the field takes it: a list where it wants a text that lists, one name for a list of one."""
    if value is None:
        return _missing(field)
    if field.kind is str:
        return _text(field, value)
    if field.kind is bool or not isinstance(field.kind, type):
        return _names(field, value) if field.kind is not bool else _exactly(field, value, bool)
    if isinstance(value, bool | str | bytes):
        raise _wrong(field, value)
    try:
        plain = field.kind(value)
    except (TypeError, ValueError):
        raise _wrong(field, value) from None
    if plain != value:
        raise _wrong(field, value)
    return plain


def _missing(field: RequestField) -> None:
    if not field.optional:
        raise _wrong(field, None)


def _exactly(field: RequestField, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise _wrong(field, value)
    return value


def _names(field: RequestField, value: Any) -> Any:
    """Names as a text, or a sequence of texts."""
    if isinstance(value, str):
        return value
    try:
        names = tuple(value)
    except TypeError:
        raise _wrong(field, value) from None
    wrong = [one for one in names if not isinstance(one, str)]
    if wrong:
        raise _wrong(field, value)
    return names


def _text(field: RequestField, value: Any) -> str:
    """A text; of a list its members joined, of layer -> units each `layer:unit`, of a number its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = [f"{layer}:{unit}" for layer, units in value.items() for unit in units]
    several = value if isinstance(value, Sequence) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in several):
        raise _wrong(field, value)
    return joined_names(one if isinstance(one, str) else repr(one) for one in several)


def _wrong(field: RequestField, value: Any) -> ParameterError:
    return ParameterError(f"{field.name} is {value!r}, but expected {_kind(field)}: {_sentence(field)}")


def _kind(field: RequestField) -> str:
    names = {str: "a text or a list", int: "a whole number", float: "a number", bool: "True or False"}
    return names.get(field.kind, "a name, a list of names, or 'all'")


def _parameter(field: RequestField) -> inspect.Parameter:
    kind = Sequence[str] | str if field.kind in (Names, tuple[str, ...]) else field.kind
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    annotation = kind | None if field.optional else kind
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _lines(field: RequestField) -> list[str]:
    """What a docstring says of an option, at the place of `PLACE`."""
    default = "" if field.default is MISSING else f" Default: {field.option.shown or repr(field.default)}."
    told = f"{field.name}: {_sentence(field)}{_choices(field)}{default}"
    return textwrap.wrap(told, _WIDTH, initial_indent="    ", subsequent_indent=" " * 8)


def _sentence(field: RequestField) -> str:
    """Its help; a flag of the command line is none here."""
    return field.option.help.rstrip(".") + "."


def _choices(field: RequestField) -> str:
    return f" One of {', '.join(field.choices)}." if field.choices else ""
