"""What a layout on disk offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from interpret_core.datasets.tables import Tables


class Layout(ABC):
    """One way in which data sets lie on disk.

    An installed package adds one by an entry point of the group `unitscope.datasets` that names it.

    Attributes:
        expects: the file or folder that it is told by, and what else, in words.
        version: of how it reads, part of every digest: raise it where the same files become other numbers.
    """

    expects: ClassVar[str]
    version: ClassVar[str] = ""

    @abstractmethod
    def recognises(self, root: Path) -> bool:
        """Whether a folder, which is there, is one of these; reads no picture."""

    @abstractmethod
    def read(self, root: Path) -> Tables:
        """The tables of a folder that is recognised.

        Raises:
            DatasetError: a value that contradicts the layout; file and line, the value, what was expected.
        """
