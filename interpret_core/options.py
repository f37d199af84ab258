"""Options: what a request can be asked with. Its fields hold defaults, choices, help and spelling, once.

A request is a frozen dataclass whose annotations say what a command line or a page needs to know:

    @dataclass(frozen=True)
    class CountRequest(Request):
        network: Network
        dataset: Data
        split: Annotated[str, Option("Images to count.", choices=Split)] = Split.VAL
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

from interpret_core.errors import ParameterError, unknown
from interpret_core.lists import split_names
from interpret_core.positions import Placing

ALL = "all"  # in place of names: every layer, every class
BATCH_SIZE = 32  # images per forward pass
TOP_SHARE = 0.05  # of a layer's units, that are compared as the most important ones
AGREEMENT_PERMUTATIONS = 10_000
PLACING = Placing.ANCHORED
DIGITS = 7  # of a number in a key: as many as tell single-precision numbers apart


class Split(StrEnum):
    """Images of a data set: those that rank units, those that are held back, or all."""

    TRAIN = "train"
    VAL = "val"
    ALL = "all"


class Method(StrEnum):
    """Path of integrated gradients: in the layer's own space, or in that of the input."""

    LAYER_IG = "layer-ig"
    CONDUCTANCE = "conductance"


class Baseline(StrEnum):
    """Reference input: 0 in pixel space, the mean colour that is subtracted, or the image, blurred."""

    BLACK = "black"
    MEAN = "mean"
    BLUR = "blur"


class Output(StrEnum):
    """F, what is attributed: the class's probability or its logit."""

    PROBABILITY = "probability"
    LOGIT = "logit"


class Value(StrEnum):
    """What silenced responses become: zero, or each unit's mean over the ranking images."""

    ZERO = "zero"
    MEAN = "mean"


@dataclass(frozen=True)
class Option:
    """What a field of a request says of itself.

    Attributes:
        help: one sentence.
        metavar: what stands for the value in a usage line.
        flags: on the command line; by default the field's name.
        url: name of the query parameter; by default the field's name.
        choices: the values there are.
        shown: the default in words, where its value says less.
        repeated: the flag may be given several times.
        reading: it says how a result is read and not what is computed: it is part of no key and of no job.
        argument: it has no flag on the command line, but a place.
    """

    help: str
    metavar: str = "NAME"
    flags: tuple[str, ...] = ()
    url: str = ""
    choices: type[StrEnum] | None = None
    shown: str = ""
    repeated: bool = False
    reading: bool = False
    argument: bool = False


Names = tuple[str, ...] | str

Network = Annotated[str, Option("A known name, or package.module:factory[@weights.safetensors].")]
Data = Annotated[
    str,
    Option(
        "A registered name, or a folder: in Broden's layout, or photographs, with or without classes.csv."
    ),
]
Layers = Annotated[Names, Option("Names separated by commas, or all.", "NAMES")]
Classes = Annotated[Names, Option("Classes, separated by commas, or all that the network knows.", "NAMES")]
BatchSize = Annotated[int, Option("Images per forward pass.", "COUNT")]
EvaluatedSplit = Annotated[str, Option("Images to evaluate: val (held back), train, or all.", choices=Split)]
Positions = Annotated[
    str,
    Option(
        "How a layer's grid lies over the picture: anchored at receptive fields, or stretched.",
        choices=Placing,
    ),
]
Permutations = Annotated[int, Option("Permutations for the chance level; 0 leaves it out.", "COUNT")]
Seed = Annotated[int, Option("Of the permutations.", "NUMBER")]


@dataclass(frozen=True)
class RequestField:
    """A field of a request, as whoever asks for it needs it.

    Attributes:
        name: of the field.
        kind: str, int, float, bool, `Names` for a list of names or all of them, or tuple[str, ...].
        optional: whether it may be None.
        default: MISSING where it has to be given.
        option: what it says of itself.
    """

    name: str
    kind: Any
    optional: bool
    default: Any
    option: Option

    @property
    def query(self) -> str:
        """Name of the query parameter that asks for it on a page."""
        return self.option.url or self.name

    @property
    def choices(self) -> list[str]:
        """The values there are, as texts; none where any will do."""
        return [] if self.option.choices is None else [one.value for one in self.option.choices]


def fields_of(request: type[Request]) -> tuple[RequestField, ...]:
    """The fields of a request, in their order."""
    return _fields(request)  # type: ignore[arg-type]  # a class can be hashed


@cache
def _fields(request: Any) -> tuple[RequestField, ...]:
    hints = get_type_hints(request, include_extras=True)
    return tuple(_field(one.name, hints[one.name], one.default) for one in fields(request))


def field_of(request: type[Request], name: str) -> RequestField:
    """One field of a request.

    Raises:
        KeyError: there is none of this name.
    """
    return {one.name: one for one in fields_of(request)}[name]


def _field(name: str, hint: Any, default: Any) -> RequestField:
    option = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Option)), None)
    if option is None:
        raise TypeError(f"Field {name} of a request has no Option in its annotation.")
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    parts = get_args(kind)
    optional = type(None) in parts
    if optional:
        rest = [part for part in parts if part is not type(None)]
        kind = rest[0] if len(rest) == 1 else Names
    plain = default.value if isinstance(default, StrEnum) else default  # Streamlit takes members for others
    return RequestField(name, kind, optional, plain, option)


@dataclass(frozen=True)
class Request:
    """What can be asked of an analysis: a frozen dataclass with an `Option` in every annotation.

    A list of names may be given as a text that separates them by commas (`lists`).
    """

    analysis: ClassVar[str] = ""  # name of the analysis that answers it

    def __post_init__(self) -> None:
        for one in fields_of(type(self)):
            value = getattr(self, one.name)
            if value is not None:
                object.__setattr__(self, one.name, _checked(one, value))

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists: what decides the result."""
        return {one.name: getattr(self, one.name) for one in fields_of(type(self)) if not one.option.reading}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; lists become tuples, and what it does not know is left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: _tuples(entry) for name, entry in value.items() if name in known})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _checked(field: RequestField, value: Any) -> Any:
    choices = field.option.choices
    if choices is not None:
        if value not in list(choices):
            raise ParameterError(unknown(field.name, value, [str(one) for one in choices]))
        return str(value)
    if field.kind == Names:
        return names_of(value, field.name)
    if field.kind == tuple[str, ...]:
        parts = split_names(value) if isinstance(value, str) else value
        return tuple(dict.fromkeys(name for part in parts if (name := part.strip())))
    return value


_ONE = {
    "layers": "layer",
    "classes": "class",
    "categories": "category",
    "networks": "network",
    "columns": "column",
}


def names_of(names: Sequence[str] | str, field: str) -> Names:
    """Names, each once, or ALL; a text lists them separated by commas, with quotation marks as in CSV.

    Args:
        names: as they were given, see `lists`.
        field: of the request, for the message.

    Raises:
        ParameterError: none is named.
    """
    if names == ALL or tuple(names) == (ALL,):
        return ALL
    parts = split_names(names) if isinstance(names, str) else tuple(names)
    parts = tuple(part for part in dict.fromkeys(parts) if part)
    if not parts:
        kind = _ONE.get(field, field)
        raise ParameterError(f"No {kind} is named, but expected {kind} names separated by commas, or {ALL}.")
    return parts


def one_spelling(value: float) -> float:
    """A number in a key: 0.005 and 1 − 0.995, 1 and 1.0, 0 and −0 are one; computed is what the key says."""
    return float(f"{value:.{DIGITS}g}") + 0.0


def at_least(name: str, value: object, least: int) -> None:
    """Raise ParameterError unless the value is a whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{name} is {value!r}, but expected a whole number of at least {least}.")
