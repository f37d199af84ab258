"""What a stored result's network and data set are called by whoever asks for it now.

A record is kept under what decides its numbers. Names, titles and where the weights come from do not: the
same network may be a live module in one question and a file in the next. What a record holds of them are the
words of whoever asked first, so they are told anew whenever a record is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interpret_core.networks import NetworkSpec
from interpret_core.runtime.subjects import findings_of_digest
from interpret_core.store.store import Store


@dataclass(frozen=True)
class NamesNow:
    """Of a network and a data set, as they are asked for.

    Attributes:
        network, dataset: names.
        title, evidence, note: of the network; see `networks.Network`.
    """

    network: str
    title: str
    evidence: str
    note: str
    dataset: str

    @classmethod
    def of(cls, asked: tuple[str, str], spec: NetworkSpec, digest: str, store: Store) -> NamesNow:
        """Those of a network that is not built for it.

        Args:
            asked: names of network and data set, as they are to be told.
            spec: of the network.
            digest: of the network.
            store: where runs noted what they found out.

        Raises:
            NetworkError: its weights are gone.
        """
        network, dataset = asked
        weights = spec.weights(fetch=False)
        note = " ".join(filter(None, [weights.note, *findings_of_digest(digest, spec, store)]))
        return cls(network, spec.title, weights.evidence, note, dataset)

    def told(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """A record's metadata in these words; what decides numbers stays as it is."""
        network, dataset = metadata["network"], metadata["dataset"]
        words = {"title": self.title, "evidence": self.evidence, "note": self.note}
        mine = {name: word for name, word in words.items() if name in network}
        return {
            **metadata,
            "network": {**network, **mine, "name": self.network},
            "dataset": {**dataset, "name": self.dataset},
        }
