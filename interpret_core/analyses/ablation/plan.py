"""What an ablation amounts to: images, rankings and the units they silence, without running the network."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from interpret_core import datasets
from interpret_core.analyses.ablation.ranking import NotRanked, Scores, ranked_profiles, relevance_scores
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.profile.plan import resolved
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.plan import RelevancePlan, plan_from
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.classes.known import OBJECT, class_plan
from interpret_core.concepts import ConceptTable
from interpret_core.datasets.classes import spelling
from interpret_core.errors import LayerError, ParameterError
from interpret_core.measures.ablation.selection import Selection, allot, count, ranked, shuffled, united
from interpret_core.measures.ablation.settings import ALL_LAYERS, HAND, INNER, RANDOM, RELEVANCE, Setting
from interpret_core.networks import Layer, Network
from interpret_core.runtime.evaluated import EvaluatedImages, evaluated_images
from interpret_core.runtime.silenced import SilencedImages
from interpret_core.runtime.subjects import Subject
from interpret_core.runtime.survey import known_survey
from interpret_core.store.store import Store


@dataclass(frozen=True, eq=False)
class AblationPlan(EvaluatedImages):
    """Images, classes and rankings of a request.

    Attributes:
        request: as asked; the store holds the rankings.
        ranking: the relevance that ranks, of all classes.
    """

    request: AblationRequest
    ranking: RelevancePlan
    _relevance: dict[str, ClassRelevance] = field(default_factory=dict, repr=False)
    _iou: dict[str, Scores] = field(default_factory=dict, repr=False)

    def number(self, name: str) -> int:
        """The number of a class that is evaluated.

        Raises:
            ParameterError: unknown, or without an image in the split.
        """
        known = self.ranking.class_plan.find(name)
        if known.name in self.without_image:
            raise ParameterError(
                f"Class {known.name!r} has no image in split {self.request.split!r} of {self.dataset.name}, "
                f"expected at least one: choose another class or another split."
            )
        return [one.name for one in self.classes].index(known.name)

    def relevance(self, name: str) -> ClassRelevance:
        """The relevance of a class.

        Raises:
            NotRanked: not in the store.
            ParameterError: no such class, or it has no image to rank with.
        """
        known = self.ranking.class_plan.find(name).name
        if known not in self.ranking.keys:
            raise ParameterError(
                f"Class {known!r} has no image in split {self.request.ranked_on!r} of {self.dataset.name}, "
                "expected at least one to rank the units with: choose another class or another split."
            )
        if known not in self._relevance:
            record, why = self.store.get(self.ranking.keys[known]), self.unusable(known)
            if record is None and why is not None:
                raise ParameterError(f"Class {known!r} cannot rank the units: {why}. Choose another class.")
            if record is None:
                raise NotRanked(RELEVANCE, known, "compute the relevance of this class first.")
            self._relevance[known] = self.ranking.named(record, self.store)
        return self._relevance[known]

    def unusable(self, name: str) -> str | None:
        """Why no image of a class can be used to rank; None as far as that is known."""
        return self.ranking.unusable(self.store, name) if name in self.ranking.keys else None

    def unranked(self) -> tuple[str, ...]:
        """Classes whose relevance has yet to be computed."""
        return self.ranking.missing(self.store)

    def held_out(self, name: str) -> bool:
        """Whether no image of the class both ranks and is evaluated."""
        return not np.isin(self.relevance(name).images, self.images).any()

    def rankable(self, name: str) -> bool:
        """Whether a class can be ranked for all evaluated images: not by the one image that is evaluated too.

        Where its relevance is known, the images that could be used for it count.
        """
        if self.unusable(name) is not None:
            return False
        images = self.ranking.images[name]
        if not np.isin(images, self.images).any():
            return True
        with contextlib.suppress(NotRanked):
            images = self.relevance(name).images
        return len(images) > 1 or not np.isin(images, self.images).any()

    def has_rankings(self, name: str) -> bool:
        """The same by the images that are asked for alone: nothing is looked up."""
        images = self.ranking.images.get(name, np.empty(0, np.int64))
        return len(images) > 1 or (len(images) == 1 and images[0] not in self.images)

    def selection(self, setting: Setting) -> Selection:
        """The units a setting silences, by a ranking on all ranking images.

        Raises:
            NotRanked: the relevance, or the profile, that ranks is not there.
            ParameterError, LayerError: a class, concept, layer or unit that is not there, more units in all
                than there are.
        """
        return self._selected(setting, self._scores(setting))

    def parts(self, setting: Setting) -> list[SilencedImages]:
        """The same for the evaluated images: no image meets a ranking that has seen it.

        Returns:
            One part, or, where images of the class both rank and are evaluated, one more for each of them
            (leave one out, method §5).

        Raises:
            NotRanked, ParameterError, LayerError: as `selection`; also a class of a single image, which
                leaves none to rank with (see `rankable`).
        """
        everything = np.arange(len(self.images))
        if setting.by != RELEVANCE or not setting.ranking:
            return [SilencedImages(everything, self.selection(setting))]
        found = self.relevance(setting.of)
        both = np.flatnonzero(np.isin(self.images, found.images))
        rest = np.setdiff1d(everything, both)
        parts = [SilencedImages(rest, self.selection(setting))] if len(rest) else []
        for row in both:
            kept = found.images != self.images[row]
            if not kept.any():
                raise ParameterError(
                    f"Class {found.name!r} has a single ranking image, which cannot be evaluated as well; "
                    "expected at least two: choose another class, more ranking images, or units by IoU or at "
                    "random."
                )
            selection = self._selected(setting, relevance_scores(self.relevance(setting.of), kept))
            parts.append(SilencedImages(np.array([row]), selection))
        return parts

    def _selected(self, setting: Setting, scores: Scores | None) -> Selection:
        picked = self._picked(setting)
        if not setting.ranking:
            return picked
        layers = self.silenced_layers(setting)
        if setting.total is None:
            counts = [count(setting.fraction, layer.units) for layer in layers]
        else:
            counts = self._allotted(setting.total, layers)
        chosen = {}
        for layer, k in zip(layers, counts, strict=True):
            if scores is None:
                order = shuffled(layer.units, setting.seed, layer.index)
            else:
                order = ranked(scores[layer.name], setting.direction)
            chosen[layer.name] = tuple(sorted(order[:k].tolist()))
        return united(chosen, picked)

    def silenced_layers(self, setting: Setting) -> tuple[Layer, ...]:
        """Where the ranking silences, in the network's order.

        Raises:
            LayerError: an unknown layer.
        """
        if setting.layers == ALL_LAYERS:
            return self.layers
        names = (
            self.inner if setting.layers == INNER else [self.network.layer(n).name for n in setting.layers]
        )
        return tuple(layer for layer in self.every if layer.name in names)

    def _allotted(self, total: int, layers: Sequence[Layer]) -> list[int]:
        widths = [layer.units for layer in layers]
        if total > sum(widths):
            raise ParameterError(
                f"{total:,} units are to be silenced, but the {len(layers)} layers chosen have only "
                f"{sum(widths):,}: choose fewer units or more layers."
            )
        return allot(total, widths)

    def _picked(self, setting: Setting) -> Selection:
        by_layer: dict[str, list[int]] = {}
        for name, unit in setting.units:
            layer = self.network.layer(name)
            if not 0 <= unit < layer.units:
                raise LayerError(
                    f"Unit {unit} of layer {name}, expected 0 to {layer.units - 1}: choose one in that range."
                )
            by_layer.setdefault(layer.name, []).append(unit)
        return {name: tuple(sorted(units)) for name, units in by_layer.items()}

    def _scores(self, setting: Setting) -> Scores | None:
        if setting.by in (RANDOM, HAND) or not setting.ranking:
            return None
        unranked = [layer.name for layer in self.silenced_layers(setting) if layer not in self.layers]
        if unranked:
            raise LayerError(
                f"Units of {unranked[0]} cannot be ranked by {setting.by}, which is known of convolutions "
                "only: silence them at random, or by number."
            )
        if setting.by == RELEVANCE:
            return relevance_scores(self.relevance(setting.of))
        if setting.of not in self._iou:
            asked = ProfileRequest(self.request.network, self.request.dataset)
            # Of this data set and network, whatever bears their names by now.
            keys = resolved(asked, self.store, Subject.of(self.network), self.dataset.digest)
            found = ranked_profiles(keys, setting.of, self.store)
            concepts = self._concepts(setting.of, next(iter(found.values())).table)
            self._iou[setting.of] = {name: one.iou_with(concepts) for name, one in found.items()}
        return self._iou[setting.of]

    def _concepts(self, name: str, table: ConceptTable) -> tuple[int, ...]:
        """Concepts of a profile whose IoU ranks for a name: one, or all labels of a class's object.

        Raises:
            ParameterError: no such concept; several, and none of the classes has this name; labels of which
                an IoU taken together is not known.
        """
        found = table.named(name)
        if len(found) != 1:
            classes = self.ranking.class_plan.classes
            found = next((one.concepts for one in classes if spelling(one.name) == spelling(name)), ())
        if len(found) > 1 and not self.dataset.apart(OBJECT):
            raise ParameterError(
                f"The labels {', '.join(table.names[at] for at in found)} of {name!r} may share pixels, so "
                "their IoU taken together is not known: name one of them."
            )
        return found or (table.find(name),)


def ablation_plan(request: AblationRequest, store: Store, network: Network) -> AblationPlan:
    """What a request amounts to, from names, tables and results made before.

    Args:
        request: what is asked for.
        store: holds survey, relevance and profiles.
        network: the request's.

    Raises:
        NeedsSurvey: what the images show has to be counted first; profiling once does it.
        UserError: unknown names, or no class that has an image.
    """
    network.require_classes()
    dataset = datasets.open_dataset(request.dataset)
    known = class_plan(dataset, network.spec, known_survey(dataset, store))
    ranking = plan_from(request.relevance(), dataset, Subject.of(network), known)
    images = evaluated_images(network, dataset, store, known, request.split)
    given = {one.name: getattr(images, one.name) for one in fields(EvaluatedImages)}
    return AblationPlan(**given, request=request, ranking=ranking)
