"""What a check of a data set finds, for a screen, a page or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from interpret_core.concepts import is_predicted


@dataclass(frozen=True)
class Finding:
    """Something suspicious.

    Attributes:
        kind: "off by one", "duplicates" …: what tells findings apart.
        count: of what it was found in (pictures, masks, labels: `what` says).
        what: one sentence, what was found.
        remedy: one sentence, what to do.
        examples: the first few, by name.
    """

    kind: str
    count: int
    what: str
    remedy: str
    examples: Sequence[str] = ()

    def line(self, most: int | None = None) -> str:
        """What was found, the first examples, at most so many, and what to do."""
        shown = list(self.examples[:most])
        more = " …" if len(shown) < self.count else ""
        named = f" ({'; '.join(shown)}{more})" if shown else ""
        return f"{self.what}{named}. {self.remedy}"


@dataclass(frozen=True)
class ConceptCount:
    """A concept: its name among all, its category, the pictures and annotation pixels that hold it."""

    name: str
    category: str
    number: int
    images: int
    pixels: int


@dataclass(frozen=True)
class CategoryShare:
    """A category: pictures with a label of it, and the share of all annotation pixels without one."""

    category: str
    images: int
    unlabelled: float


@dataclass(frozen=True)
class DatasetCheck:
    """What a data set holds.

    Attributes:
        dataset: its name.
        digest: of its content.
        images: rows of its index.
        readable: those whose picture and masks can be read.
        concepts: in the reader's order.
        categories: in the reader's order.
        unlabelled: share of the readable pictures' annotation without a label, those
            of colours, scenes and textures aside where there are others; None without any.
        classes: class -> pictures.
        findings: the gravest kinds first.
    """

    dataset: str
    digest: str
    images: int
    readable: int
    concepts: Sequence[ConceptCount] = ()
    categories: Sequence[CategoryShare] = ()
    unlabelled: float | None = None
    classes: Mapping[str, int] = field(default_factory=dict)
    findings: Sequence[Finding] = ()

    @property
    def predicted(self) -> int:
        """How many of the concepts a model has labelled, and nobody has drawn."""
        return sum(is_predicted(one.name) for one in self.concepts)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts and lists."""
        return asdict(self)
