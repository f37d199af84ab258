"""Who plays where: the ten classes, the settings that can hold each, and what else stands about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from demo.scenes.objects.bed import bed
from demo.scenes.objects.bench import bench
from demo.scenes.objects.bottle import bottle
from demo.scenes.objects.bus import bus
from demo.scenes.objects.car import car
from demo.scenes.objects.cat import cat
from demo.scenes.objects.chair import chair
from demo.scenes.objects.lamp import desk_lamp, floor_lamp, street_lamp, table_lamp
from demo.scenes.objects.refrigerator import refrigerator
from demo.scenes.objects.vase import vase
from demo.scenes.props import nature, room, small, street
from demo.scenes.thing import Thing

Rng = np.random.Generator
Maker = Callable[[Rng], Thing]
OUTDOORS = ("street", "park", "lake", "beach", "yard")
INDOORS = ("living_room", "kitchen", "bedroom", "depot")


class Role(NamedTuple):
    """How a class appears as the target.

    Attributes:
        maker: of the thing, told whether it stands indoors.
        settings: weight of each setting that can hold it.
        raised: chance that it stands on a table, a cabinet or a box.
        toy: chance that it is a toy, where it stands indoors.
    """

    maker: Callable[[Rng, bool], Thing]
    settings: Mapping[str, float]
    raised: float = 0.0
    toy: float = 0.0


def _lamp(rng: Rng, indoors: bool) -> Thing:
    if not indoors:
        return street_lamp(rng)
    return (floor_lamp, table_lamp, desk_lamp)[rng.integers(3)](rng)


def _any(maker: Maker) -> Callable[[Rng, bool], Thing]:
    return lambda rng, _indoors: maker(rng)


_EVERYWHERE = dict.fromkeys((*OUTDOORS, *INDOORS), 1.0)
CLASSES: Mapping[str, Role] = {
    "bed": Role(_any(bed), {"bedroom": 3, "living_room": 2, "depot": 2, "yard": 1, "park": 1, "beach": 1}),
    "bench": Role(_any(bench), {**_EVERYWHERE, "kitchen": 0.5, "bedroom": 0.5, "park": 1.5, "street": 1.5}),
    "bottle": Role(_any(bottle), _EVERYWHERE, raised=0.85),
    "bus": Role(
        _any(bus),
        {
            "street": 4,
            "park": 1,
            "lake": 1,
            "beach": 1,
            "depot": 3,
            "living_room": 1,
            "bedroom": 1,
            "kitchen": 0.5,
        },
    ),
    "car": Role(
        _any(car),
        {
            "street": 3,
            "park": 1,
            "lake": 1,
            "beach": 1,
            "yard": 1.5,
            "depot": 2,
            "living_room": 1,
            "bedroom": 1,
            "kitchen": 0.5,
        },
    ),
    "cat": Role(_any(cat), _EVERYWHERE, raised=0.3),
    "chair": Role(_any(chair), _EVERYWHERE),
    "lamp": Role(
        _lamp,
        {
            "street": 1.5,
            "park": 1.5,
            "lake": 1,
            "beach": 0.5,
            "yard": 0.5,
            "living_room": 2,
            "kitchen": 1,
            "bedroom": 2,
            "depot": 0.7,
        },
    ),
    "refrigerator": Role(
        _any(refrigerator),
        {
            "kitchen": 3,
            "living_room": 1.5,
            "bedroom": 0.7,
            "depot": 2,
            "yard": 1.5,
            "street": 1.5,
            "park": 0.5,
            "beach": 0.5,
        },
    ),
    "vase": Role(_any(vase), _EVERYWHERE, raised=0.85),
}
GROUND_OUT: tuple[Maker, ...] = (
    street.trash_can,
    street.hydrant,
    street.road_sign,
    street.mailbox,
    street.bicycle,
    street.cone,
    street.traffic_light,
    nature.bush,
    nature.flowers,
    nature.rocks,
    nature.potted_plant,
    room.stool,
    room.table,
    small.suitcase,
    small.carton,
    street.bucket,
    street.ball_toy,
    street.parasol,
    small.basket,
    bench,
    chair,
    street_lamp,
    cat,
)
GROUND_IN: tuple[Maker, ...] = (
    room.cabinet,
    room.shelf,
    room.stool,
    room.stool,
    room.sofa,
    room.table,
    nature.potted_plant,
    nature.potted_plant,
    small.basket,
    small.carton,
    small.suitcase,
    street.bucket,
    street.ball_toy,
    small.blocks,
    chair,
    floor_lamp,
    cat,
    street.trash_can,
    refrigerator,
    room.stove,
)
ON_TABLE: tuple[Maker, ...] = (
    small.bowl,
    small.plate,
    small.cup,
    small.teapot,
    room.books,
    small.basket,
    small.blocks,
    small.fruit,
    bottle,
    vase,
    table_lamp,
)
