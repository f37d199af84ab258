"""What a notebook gets: the result of an analysis with its table, its facts in words, and a few pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from interpret_core import config
from interpret_core.analyses.base import Analysis
from interpret_core.analyses.profile.outcome import Profiled
from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.analyses.registry import find
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.api import dashboard, frames, markup, plots
from interpret_core.api.registration import registered_dataset, registered_network
from interpret_core.datasets import Dataset
from interpret_core.datasets.rights import rights_of
from interpret_core.networks import Network
from interpret_core.options import Request, fields_of
from interpret_core.privacy import Discretion, pictures_leave
from interpret_core.runtime.disclosure import discretion_of, licences_of
from interpret_core.store import Store
from interpret_core.tables import Row, Table

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

SHOWN = 6  # pictures
# Pages that show an analysis, and options that they take from their address or that say which result it is.
_PAGES = {"profile": "units", "image-labels": "units", "relevance": "relevance", "agreement": "agreement"}
_PAGES |= {"ablate": "ablation", "evaluation": "ablation"}
_PLACES = ("network", "networks", "dataset", "layers", "classes", "cutoff", "min_images", "device")


class Result:
    """What an analysis found.

    Attributes:
        request: what was asked; its fields hold every option.
        found: the analysis' own result, with all that its pages show.
        dataset: the data set it is of.
        networks: what was asked about, as it was given.
        cache: folder that holds it.

    Example:
        >>> import interpret_core as ic
        >>> ic.evaluate("demo/alexnet", "demo")
        Result: demo/alexnet on demo, split val
    """

    def __init__(
        self,
        request: Request,
        found: Any,
        dataset: Dataset,
        networks: Sequence[Network | str] = (),
        cache: Path | None = None,
    ) -> None:
        self.request = request
        self.found = found
        self.dataset = dataset
        self.networks = tuple(networks)
        self.cache = cache or config.current().cache

    @cached_property
    def _analysis(self) -> Analysis[Any, Any]:
        return find(self.request.analysis).load()

    @cached_property
    def _report(self) -> tuple[str | Table, ...]:
        return tuple(map(self._discretion().told, self._analysis.report(self.found, False)))

    def _discretion(self, pictures: bool = True) -> Discretion:
        return discretion_of(self.request, self.dataset, pictures=pictures)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        return tuple(self._analysis.columns(self.found))

    @property
    def facts(self) -> tuple[str, ...]:
        """Sentences: what was asked, what it is evidence of, on which pictures, what was left out."""
        found: list[str] = []
        for one in self._report:
            if isinstance(one, Table):
                break
            found += [one] if one else []
        return tuple(found)

    @property
    def description(self) -> Row:
        """Everything beside the rows, as JSON takes it: digests, parameters, what was skipped.

        Of folders it names the last part, as files of `--out` do; see docs/privacy.md.
        """
        described = {**self._analysis.description(self.found), **licences_of(self.request, self.dataset)}
        return cast(Row, self._discretion().told(described))

    def rows(self) -> Iterator[Row]:
        """The table row by row, as `--out FILE.json` writes it; what is not known is None."""
        return map(self._discretion().told, self._analysis.rows(self.found))

    def to_frame(self) -> pandas.DataFrame:
        """The table: the columns of `--out`, in their order, a row as there; what is not known is missing.

        Raises:
            ParameterError: pandas is not installed.
        """
        return frames.frame_of(self.columns, self.rows())

    def to_xarray(self) -> xarray.Dataset:
        """The table as variables over the dimension `row`.

        Raises:
            ParameterError: xarray is not installed.
        """
        return frames.rows_of(self.to_frame())

    def plot(self, kind: str = "") -> plotly.graph_objects.Figure:
        """The dashboard's figure of it, for Plotly; its title says whose it is and what that is evidence of.

        Args:
            kind: which one; "" for the first of these. profile: "detectors" by layer and category, "distinct"
                concepts, "concepts" by detectors, mean "quality" (IoU), "colours" to objects over depth.
                relevance, layers × classes: "mass" (Σ |G|), "raw" (Σ R), "share" of a class, "unit" (mean).
                ablate: "curves" over several fractions, else "classes" (accuracy, in percent). agreement:
                "errors" by layer. evaluate: "classes". image_labels: "labels" by AUC.

        Raises:
            ParameterError: no such figure, nothing to draw, or Plotly is not installed.

        Example:
            >>> import interpret_core as ic
            >>> ic.evaluate("demo/alexnet", "demo").plot().layout.title.text
            'Accuracy by class · AlexNet (demo) on demo'
        """
        return plots.plotted(self.request.analysis, kind, self.found, self.description)

    def open(
        self,
        layer: str = "",
        unit: int | None = None,
        *,
        address: str | None = None,
        factory: str = "",
        browser: bool = True,
    ) -> dashboard.View:
        """The dashboard on this very result; a server is started where none answers, and ends with Python.

        A live network, or a data set without a name, is registered below INTERPRET_UPLOADS, under a name that
        ends in digits of what it is; it stays there until somebody removes it on the dashboard. Of several
        networks, the first is shown.

        Args:
            layer: to begin with, where its page has layers.
            unit: to begin with, by its number, from 0.
            address: of the server, on this machine or on another that reads the same cache; by default
                http://127.0.0.1:8501, or the next port where that is taken by something else.
            factory: who builds a live network's module in another process: `package.module:function`, or an
                architecture such as "torchvision/resnet18". By default its own class, where that is in a file
                and takes no arguments.
            browser: open it in a browser, where this machine has a screen.

        Returns:
            The view: `url`, `close()`, which ends a server that was started for it; a link in a notebook.

        Raises:
            NetworkError: nobody can build the live network elsewhere; the message says what to do.
            ParameterError: an address that is none, or of a server with another cache; nothing may be added.
            StoreError: the server does not start; the message names its log.
        """
        page = _PAGES.get(self.request.analysis, "")
        with Store(self.cache) as store:
            names = [registered_network(one, factory, store) for one in self.networks]
        query = {"network": names[0], "dataset": registered_dataset(self.dataset)}
        query |= {"layer": layer, "unit": "" if unit is None else str(unit), **self._seen()}
        shown = dashboard.view_of(page, query, address, self.cache, browser=browser)
        shown.note = self._unusual()
        return shown

    def _seen(self) -> dict[str, str]:
        """What the page's address says beside network, data set and place."""
        return {}

    def _unusual(self) -> str:
        """What pages show otherwise: they ask with the usual settings."""
        usual = {one.name: one.default for one in fields_of(type(self.request))}
        differ = [
            f"{name}={getattr(self.request, name)!r}"
            for name, value in usual.items()
            if name not in _PLACES and getattr(self.request, name) != value
        ]
        return (
            f"Asked with {', '.join(differ)}; pages show what is asked with their own settings, and say what "
            "is there besides."
            if differ
            else ""
        )

    def to_html(self, *, pictures: bool = True) -> str:
        """What a notebook shows: the facts, a table, a few pictures within the text itself.

        Args:
            pictures: show photographs of the data set; False for what is passed on without them, nor the
                names of their files. INTERPRET_PICTURES=0 means False, also in a notebook.

        Returns:
            HTML that loads nothing; a picture in it is small, and holds nothing but its pixels.
        """
        pictures = pictures_leave(pictures)
        told = self._discretion(pictures)
        tables = [told.told(one) for one in self._report if isinstance(one, Table)][:1]
        shown = self._shown() if pictures else iter(())
        facts = (*told.told(self.facts), *rights_of(self.dataset.root).lines())
        return markup.document(facts, tables, shown)

    def _shown(self) -> Iterator[markup.Picture]:
        """A few pictures of the data set."""
        return iter(())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        first = self.facts[:1]
        return f"{type(self).__name__}: {first[0] if first else self.request.analysis}"


class ProfileResult(Result):
    """What each unit detects.

    Example:
        >>> import interpret_core as ic
        >>> found = ic.profile("demo/alexnet", "demo", layers=["conv5"])
        >>> found
        ProfileResult: demo/alexnet on demo, quantile 0.005, anchored positions
        >>> best, layer = found.best["conv5"], found.layers["conv5"]
        >>> best.shape, bool((best[layer.detector] > 0.04).all())
        ((256,), True)
    """

    found: Profiled

    def _seen(self) -> dict[str, str]:
        settings = self.found.summaries[0].settings
        return {"cutoff": f"{settings.cutoff:g}", "min_images": str(settings.min_images)}

    @cached_property
    def layers(self) -> Mapping[str, LayerSummary]:
        """Layers by name, in forward order: U units each, with counts (`profile`) and what follows."""
        return {one.profile.layer: one for one in self.found.summaries}

    @property
    def iou(self) -> Mapping[str, NDArray[np.float64]]:
        """Layer -> (U, C) IoU with every concept, in [0, 1]; columns as `concepts`."""
        return {name: one.profile.iou for name, one in self.layers.items()}

    @property
    def best(self) -> Mapping[str, NDArray[np.float64]]:
        """Layer -> (U,) IoU with the best concept, 0 where none overlaps."""
        return {name: one.best_iou for name, one in self.layers.items()}

    @property
    def labels(self) -> Mapping[str, list[str]]:
        """Layer -> U names of the best concept; a dash where none overlaps. A label is no detector yet."""
        return {
            name: [one.concept_name(int(concept)) for concept in one.best_concept]
            for name, one in self.layers.items()
        }

    @property
    def concepts(self) -> tuple[str, ...]:
        """C names, no two alike, those in too few pictures included."""
        return self.found.summaries[0].profile.concept_names

    def to_xarray(self) -> xarray.Dataset:
        """`iou` and `intersection` over unit × concept, with layer and number of each unit; all layers.

        Raises:
            ParameterError: xarray is not installed.
        """
        summaries = list(self.layers.values())
        profiles = [one.profile for one in summaries]
        table = profiles[0].table
        unit = {
            "layer": [one.layer for one in profiles for _ in range(one.units)],
            "number": [unit for one in profiles for unit in range(one.units)],
        }
        both = {
            "iou": np.concatenate([one.iou for one in profiles]),
            "intersection": np.concatenate([one.arrays["intersection"] for one in profiles]),
        }
        single = {
            "threshold": np.concatenate([one.arrays["threshold"] for one in profiles]),
            "detector": np.concatenate([one.detector for one in summaries]),
        }
        concept = {
            "concept": list(self.concepts),
            "category": [table.categories[at] for at in profiles[0].concept_category],
        }
        variables = {name: (("unit", "concept"), one) for name, one in both.items()}
        return frames.arrays_of(
            {**variables, **{name: (("unit",), one) for name, one in single.items()}},
            {"unit": unit, "concept": concept},
        )

    def _shown(self) -> Iterator[markup.Picture]:
        """The strongest picture of the units with the best labels, lit where their mask lies."""
        every = [(one, unit) for one in self.layers.values() for unit in range(one.profile.units)]
        every.sort(key=lambda pair: -float(pair[0].best_iou[pair[1]]))
        for summary, unit in every[:SHOWN]:
            images = summary.profile.top_images(unit)
            if images:
                label = summary.concept_name(int(summary.best_concept[unit]))
                words = f"{summary.profile.layer} unit {unit}: {label}, IoU {summary.best_iou[unit]:.3f}"
                digest = str(summary.profile.metadata["dataset"]["digest"])
                mask = summary.profile.mask(unit, 0)
                yield markup.picture_of((self.dataset, digest), images[0], words, mask)


class RelevanceResult(Result):
    """Which classes each unit matters for.

    Example:
        >>> import interpret_core as ic
        >>> found = ic.relevance("demo/alexnet", "demo")
        >>> found.relevance("bed", "conv5").shape
        (256,)
    """

    found: Related

    @property
    def classes(self) -> Mapping[str, ClassRelevance]:
        """Classes by name, with every picture's relevance."""
        return self.found.classes

    def relevance(self, name: str, layer: str) -> NDArray[np.float64]:
        """(U,) relevance of a layer's units for a class; read `residual` with it.

        Raises:
            KeyError: a class or a layer that is not in the result.
        """
        return self.classes[name].layer(layer).relevance

    @property
    def residual(self) -> Mapping[str, NDArray[np.float64]]:
        """Class -> (n, L) share by which each picture's attributions miss the change of the output."""
        return {name: one.residual for name, one in self.classes.items()}

    def to_xarray(self) -> xarray.Dataset:
        """Every number of the table over unit × class, with layer and number of each unit.

        Raises:
            ParameterError: xarray is not installed.
        """
        frame = self.to_frame()
        names = list(self.classes)
        numbers = [name for name in self.columns if name not in ("layer", "unit", "class")]
        first = frame[frame["class"] == names[0]]
        variables = {}
        for number in numbers:
            columns = [frame.loc[frame["class"] == name, number].to_numpy(np.float64) for name in names]
            variables[number] = (("unit", "class"), np.stack(columns, 1))
        unit = {"layer": first["layer"].tolist(), "number": first["unit"].tolist()}
        return frames.arrays_of(variables, {"unit": unit, "class": {"class": names}})

    def _shown(self) -> Iterator[markup.Picture]:
        """A picture of each of the first classes."""
        for name, one in list(self.classes.items())[:SHOWN]:
            digest = str(cast(Mapping[str, Any], one.metadata["dataset"])["digest"])
            yield markup.picture_of((self.dataset, digest), int(one.images[0]), name)
