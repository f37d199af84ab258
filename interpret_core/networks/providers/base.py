"""What a source of networks offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interpret_core.errors import WeightsError
from interpret_core.networks.spec import Made, NetworkSpec
from interpret_core.networks.weights import file_digest


class Provider(ABC):
    """Networks of one kind, told by their names.

    An installed package adds one by an entry point of the group `unitscope.networks` that names it.
    """

    def featured(self) -> tuple[str, ...]:
        """Names to show first; by default none."""
        return ()

    def known(self) -> tuple[str, ...]:
        """Names that can be listed, which are also those that pages take; by default the featured ones."""
        return self.featured()

    @abstractmethod
    def takes(self, name: str) -> bool:
        """Whether a name is one of this kind, known or not."""

    @abstractmethod
    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        """The spec of a name that `takes` is true of.

        Args:
            name: of the network.
            recent: an answer of a moment ago will do; pages ask often.
            since: seconds since the epoch; an answer from before is too old in any case.

        Raises:
            NetworkError: unknown; the message gives the nearest names.
            WeightsError: a file that has to be there is missing or damaged.
        """

    def make(self, name: str, *, fetch: bool = True) -> Made:
        """Build the network of a name.

        Raises:
            NetworkError, WeightsError: as `find` and `NetworkSpec.weights`; weights of another architecture,
                or that change while they are read.
        """
        spec = self.find(name)
        weights = spec.weights(fetch=fetch)
        with unchanged(weights.file):
            return Made(spec, weights, spec.build(weights))


@contextmanager
def unchanged(file: Path | None) -> Iterator[None]:
    """A recipe names a file's content, so what is read inside must be that content.

    Raises:
        WeightsError: it is another one at the end.
    """
    before = file_digest(file) if file is not None and file.is_file() else None
    yield
    if file is not None and before is not None and file_digest(file) != before:
        raise WeightsError(f"Weights file {file} changed while it was read, expected it at rest: try again.")
