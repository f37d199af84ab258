"""The observations of all pictures, added up, and what their sums say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.inspection.duplicates import SHOWN
from interpret_core.datasets.inspection.findings import CategoryShare, ConceptCount, Finding
from interpret_core.datasets.inspection.observations import Observation
from interpret_core.datasets.inspection.patterns import Look
from interpret_core.numbers import known, share
from interpret_core.tables import many

VOID = (255, 65535)
MOSTLY = 0.95  # of the annotation that is unlabelled, from which on it is told
_FEW = 3  # labels from which on a missing last one says something


@dataclass
class Totals:
    """Sums over the pictures that were observed."""

    dataset: Dataset
    table: ConceptTable
    readable: int = 0
    problems: list[str] = field(default_factory=list)
    pixels: Counter[int] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    category_images: Counter[str] = field(default_factory=Counter)
    anywhere: int = 0
    blank: list[str] = field(default_factory=list)
    single: list[tuple[str, int]] = field(default_factory=list)
    foreign: Counter[tuple[str, int]] = field(default_factory=Counter)
    numbers: Counter[int] = field(default_factory=Counter)
    zeros: int = 0
    looks: dict[Look, list[str]] = field(default_factory=dict)
    rich: list[tuple[int, str]] = field(default_factory=list)

    def add(self, one: Observation) -> None:
        """One picture more."""
        image = self.dataset.records[one.index].image
        self.numbers.update(dict.fromkeys(one.numbers, 1))
        self.zeros += one.zeros
        for mask, look in one.looks:
            self.looks.setdefault(look, []).append(mask)
        self.rich += [(one.index, mask) for mask in one.rich]
        if one.problem:
            self.problems.append(one.problem)
            return
        self.readable += 1
        self.pixels.update(one.pixels)
        self.images.update(dict.fromkeys(one.pixels, 1))
        self.labelled.update(one.labelled)
        self.category_images.update({category for category, pixels in one.labelled.items() if pixels})
        self.anywhere += one.anywhere
        if self.table.concepts and not one.anywhere:
            self.blank.append(image)
        self.single += [(image, concept) for concept in one.single]
        self.foreign.update(one.foreign)

    @property
    def area(self) -> int:
        """Annotation pixels of the readable pictures."""
        height, width = self.dataset.annotation_size
        return self.readable * height * width

    @property
    def unlabelled(self) -> float | None:
        """Share of them without any label, see `Observation.anywhere`."""
        return known(share(self.area - self.anywhere, self.area)) if self.table.concepts else None

    def concepts(self) -> list[ConceptCount]:
        """Pictures and pixels of each concept."""
        return [
            ConceptCount(name, one.category, one.number, self.images[index], self.pixels[index])
            for index, (name, one) in enumerate(zip(self.table.names, self.table.concepts, strict=True))
        ]

    def categories(self) -> list[CategoryShare]:
        """Pictures and unlabelled share of each category."""
        return [
            CategoryShare(
                category,
                self.category_images[category],
                float(share(self.area - self.labelled[category], self.area, 1.0)),
            )
            for category in self.table.categories
        ]

    def findings(self) -> Iterator[Finding]:
        """What looks like a mistake."""
        if self.problems:
            yield Finding(
                "cannot be read",
                len(self.problems),
                f"{many(len(self.problems), 'picture', 'pictures')}, or masks of them, cannot be read and "
                "count nowhere",
                "Mend the files as each line says, or remove their rows from the index.",
                tuple(self.problems[:SHOWN]),
            )
        yield from self._off_by_one()
        yield from self._strange_numbers()
        yield from self._looks()
        yield from self._empty()
        yield from self._small()

    def _off_by_one(self) -> Iterator[Finding]:
        listed = sorted(number for number, label in self.dataset.labels.items() if label.categories)
        if not listed or not self.numbers:
            return
        strange = {number for number in self.numbers if number not in self.dataset.labels} - set(VOID)
        first, last = listed[0], listed[-1]
        if strange == {last + 1} and not self.numbers[first]:
            yield Finding(
                "off by one",
                self.numbers[last + 1],
                f"Masks hold number {last + 1}, which label.csv does not list, and never {first}, its "
                "first: every "
                "label may be one too high",
                "Compare one picture with its labels, and renumber label.csv or the masks.",
            )
        rest = len(listed) >= _FEW and all(self.numbers[number] for number in listed[:-1])
        if rest and not strange and not self.numbers[last] and self.zeros:
            yield Finding(
                "off by one",
                1,
                f"Number {last} ({self.dataset.labels[last].name}), the last of label.csv, is in no "
                "mask, and all "
                "others are: if the masks count from 0, every label is one too low and the first is lost",
                "Compare one picture with its labels, and add 1 to the masks where it is so.",
            )

    def _strange_numbers(self) -> Iterator[Finding]:
        listed = self.dataset.labels
        strange = {number: images for number, images in self.numbers.items() if number not in listed}
        if void := [number for number in VOID if number in strange]:
            yield Finding(
                "void",
                sum(strange[number] for number in void),
                f"{sum(strange[number] for number in void):,} pictures have masks with number "
                f"{' and '.join(map(str, void))}, which label.csv does not list, so that they are left out",
                f"Add a row {void[0]},void, without a category to label.csv, and it counts as unlabelled.",
            )
        others = sorted(set(strange) - set(VOID))
        if others:
            yield Finding(
                "not in label.csv",
                len(others),
                f"Masks hold {len(others):,} numbers that label.csv does not list, so that their pictures "
                "are left out",
                "Add them to label.csv, or correct the masks.",
                tuple(f"number {number} in {strange[number]:,} pictures" for number in others[:SHOWN]),
            )
        if self.foreign:
            labels = self.dataset.labels
            shown = [
                f"{number} {labels[number].name} in {category}: {pixels:,} pixels"
                for (category, number), pixels in self.foreign.most_common(SHOWN)
            ]
            yield Finding(
                "other category",
                len(self.foreign),
                f"Masks hold {len(self.foreign):,} labels that label.csv lists in other categories only; "
                f"{self.foreign.total():,} pixels count as unlabelled",
                "Add the category to the label's row in label.csv where the masks are right.",
                tuple(shown),
            )

    def _looks(self) -> Iterator[Finding]:
        if photographs := self.looks.get(Look.PHOTOGRAPH):
            yield Finding(
                "photographs as masks",
                len(photographs),
                f"{many(len(photographs), 'mask looks like a photograph', 'masks look like photographs')}: "
                "many "
                "values, and neighbours that differ",
                "Check the columns of the index: a picture may stand where its mask should.",
                tuple(photographs[:SHOWN]),
            )
        if smoothed := self.looks.get(Look.SMOOTHED):
            yield Finding(
                "smoothed edges",
                len(smoothed),
                f"{many(len(smoothed), 'mask has', 'masks have')} values between two labels along their "
                "edges, as smoothing and JPEG leave them",
                "Make them anew without smoothing: scale masks by nearest, and do not save them as JPEG.",
                tuple(smoothed[:SHOWN]),
            )

    def _empty(self) -> Iterator[Finding]:
        columns = [one for one in self.dataset.categories if not self.category_images[one]]
        if columns and self.dataset.annotated:
            yield Finding(
                "empty categories",
                len(columns),
                f"{many(len(columns), 'category has', 'categories have')} no labelled pixel in any "
                f"picture: {', '.join(columns)}",
                "Remove their columns from the index, or fill them.",
            )
        if stray := self.dataset.without_column:
            labels = sum(map(len, stray.values()))
            yield Finding(
                "categories without a column",
                labels,
                f"{many(labels, 'label is', 'labels are')} listed in {', '.join(stray)}, for which the "
                "index has no column",
                "Write one name in label.csv and in the index.",
            )
        absent = [name for index, name in enumerate(self.table.names) if not self.images[index]]
        if absent:
            yield Finding(
                "labels without a picture",
                len(absent),
                f"Of {len(self.table):,} labels, {many(len(absent), 'is', 'are')} in no picture that can "
                "be read",
                "Remove them from label.csv, unless their pictures are still to come.",
                tuple(absent[:SHOWN]),
            )

    def _small(self) -> Iterator[Finding]:
        if self.unlabelled is not None and self.unlabelled > MOSTLY:
            yield Finding(
                "hardly labelled",
                1,
                f"{self.unlabelled:.1%} of the annotation is unlabelled",
                "Check that the masks hold label numbers and are not nearly black by mistake.",
            )
        if self.blank:
            yield Finding(
                "unlabelled pictures",
                len(self.blank),
                f"{many(len(self.blank), 'picture has', 'pictures have')} no labelled pixel",
                "Keep them if nothing is to be seen in them; otherwise their masks are missing or empty.",
                tuple(self.blank[:SHOWN]),
            )
        if self.single:
            yield Finding(
                "one pixel",
                len(self.single),
                f"{many(len(self.single), 'label', 'labels')} of a single picture with one pixel of the "
                "annotation",
                "Look at some of them: stray clicks make such labels, and so does a grid that is too coarse.",
                tuple(f"{self.table.names[concept]} in {image}" for image, concept in self.single[:SHOWN]),
            )
