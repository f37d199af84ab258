"""Living room, kitchen, bedroom and depot: a floor, a wall behind and one at the left, the front open."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from demo.scenes import texture
from demo.scenes.mesh import Mesh, box, cylinder, panel, plane, sheet
from demo.scenes.palette import bright, neutral, pale
from demo.scenes.props import room as furniture
from demo.scenes.props import small
from demo.scenes.sky import sky, weather
from demo.scenes.stage import Stage, roomlight
from demo.scenes.texture import Texture
from demo.scenes.thing import Thing

Rng = np.random.Generator
RIGHT = 7.0


class _Room:
    """Walls with an opening for a window or a door; `left` and `back` are where the inner faces are."""

    def __init__(
        self, rng: Rng, name: str, floor: Texture, wall: Texture, size: tuple[float, float, float]
    ) -> None:
        self.left, self.back, self.height = size
        kind = weather(rng)
        self.stage = Stage(name, [sky(rng, kind)], roomlight(rng), wall=self.back)
        ground = Thing("floor")
        ground.add("", floor, plane(30, 22, (0, self.back - 11, 0)))
        self.stage.put(ground)
        self.wall, self.trim = (
            wall,
            texture.painted_wood(rng, pale(rng)) if rng.random() < 0.7 else texture.wood(rng),
        )

    def walls(self, opening: tuple[float, float, float, float] | None) -> None:
        """Both walls; `opening` is left, right, foot, top of a hole in the one behind."""
        far, high = RIGHT + 6, self.height
        rest = [(self.left, far, 0.0, high)]
        if opening is not None:
            a, b, low, top = opening
            rest = [(self.left, a, 0.0, high), (b, far, 0.0, high), (a, b, 0.0, low), (a, b, top, high)]
        meshes = [self._piece(*area) for area in rest if area[1] > area[0] and area[3] > area[2]]
        side = box((0.12, 14, high), (self.left - 0.06, self.back - 7, high / 2), radius=0.002)
        meshes.append(side.mapped(side.vertices[:, [1, 2]]))
        walls = Thing("wall")
        walls.add("", self.wall, meshes)
        length = far - self.left
        boards = [
            box((length, 0.02, 0.11), (self.left + length / 2, self.back - 0.01, 0.055)),
            box((0.02, 14, 0.11), (self.left + 0.01, self.back - 7, 0.055)),
        ]
        walls.add("baseboard", self.trim, boards)
        self.stage.put(walls)

    def _piece(self, a: float, b: float, low: float, top: float) -> Mesh:
        mesh = box((b - a, 0.12, top - low), ((a + b) / 2, self.back + 0.06, (low + top) / 2), radius=0.002)
        return mesh.mapped(mesh.vertices[:, [0, 2]])

    def hang(self, thing: Thing, x: float, z: float) -> None:
        """On the wall behind."""
        self.stage.put(thing, (x, self.back, z))

    def lean(self, thing: Thing, x: float) -> Thing | None:
        """Against the wall behind, where there is room."""
        depth = thing.bounds(own=False)[1][1]
        return self.stage.try_put(thing, (x, self.back - 0.03 - depth, 0.0))


def _window(rng: Rng, room: _Room, x: float, width: float) -> tuple[float, float, float, float]:
    """A window with its frame, the view behind it, and often curtains; returns its opening."""
    low, top, back = 0.95, 2.2, room.back
    window = Thing("window")
    middle = (low + top) / 2
    bars = [box((width + 0.14, 0.16, 0.08), (x, back + 0.02, z)) for z in (low, top)]
    bars += [box((0.08, 0.16, top - low), (x + s * width / 2, back + 0.02, middle)) for s in (-1, 1)]
    bars += [
        box((0.05, 0.06, top - low), (x, back + 0.05, middle)),
        box((width, 0.06, 0.04), (x, back + 0.05, middle)),
    ]
    window.add("frame", room.trim, bars)
    window.add("sill", room.trim, box((width + 0.3, 0.24, 0.05), (x, back - 0.03, low - 0.04)))
    view = room.stage.pieces[0].texture.pixels[60:230].copy()
    land = texture.foliage(rng).pixels[: 256 - len(view)]
    outside = Texture("glass", np.concatenate([view, land]), 1.0, 0, 0.2, 0.6)
    window.add("pane", outside, panel(width, top - low, (x, back + 0.1, middle)))
    room.stage.put(window)
    if rng.random() < 0.65:
        _curtains(rng, room, x, width)
    return x - width / 2, x + width / 2, low, top


def _curtains(rng: Rng, room: _Room, x: float, width: float) -> None:
    cloth = texture.fabric(rng, bright(rng) if rng.random() < 0.6 else pale(rng))
    curtain, back = Thing("curtain"), room.back
    for side in (-1, 1):
        across = np.linspace(0, rng.uniform(0.3, 0.5), 40)
        folds = np.stack(
            [
                x + side * (width / 2 + 0.22 - across),
                back - 0.07 + 0.03 * np.sin(across * 75),
                0 * across + 0.12,
            ],
            1,
        )
        curtain.add("cloth", cloth, sheet(folds, (0, 0, 2.28)))
    curtain.add(
        "rod",
        texture.metal(rng),
        cylinder((x - width / 2 - 0.4, back - 0.07, 2.42), (x + width / 2 + 0.4, back - 0.07, 2.42), 0.016),
    )
    room.stage.put(curtain)


def _door(rng: Rng, room: _Room, x: float) -> None:
    door, back = Thing("door"), room.back
    leaf = (
        texture.wood(rng)
        if rng.random() < 0.5
        else texture.painted_wood(rng, bright(rng) if rng.random() < 0.5 else pale(rng))
    )
    door.add(
        "frame",
        room.trim,
        [box((0.1, 0.08, 2.12), (x + s * 0.48, back - 0.02, 1.06)) for s in (-1, 1)]
        + [box((1.06, 0.08, 0.1), (x, back - 0.02, 2.13))],
    )
    panels = [box((0.62, 0.02, 0.72), (x, back - 0.065, z)) for z in (0.55, 1.5)]
    door.add("leaf", leaf, [box((0.86, 0.05, 2.06), (x, back - 0.03, 1.04)), *panels])
    door.add(
        "handle",
        texture.metal(rng),
        [
            cylinder((x + 0.34, back - 0.06, 1.02), (x + 0.34, back - 0.12, 1.02), 0.014),
            cylinder((x + 0.34, back - 0.12, 1.02), (x + 0.22, back - 0.12, 1.02), 0.012),
        ],
    )
    room.stage.put(door)


def _decorate(rng: Rng, room: _Room, busy: tuple[float, float] | None) -> None:
    """Pictures, mirrors and clocks beside the window."""
    hung: list[tuple[float, float]] = [busy] if busy else []
    for _ in range(int(rng.integers(1, 5))):
        maker = (furniture.picture, furniture.picture, furniture.mirror, furniture.clock)[rng.integers(4)]
        thing = maker(rng)
        low, high = thing.bounds(own=False)
        x, z = rng.uniform(room.left + 0.6, 2.6), rng.uniform(1.35, 1.8)
        span = (x + low[0] - 0.12, x + high[0] + 0.12)
        if all(span[1] < a or span[0] > b for a, b in hung):
            room.hang(thing, x, z)
            hung.append(span)


def _furnish(
    rng: Rng, room: _Room, makers: tuple[Callable[[Rng], Thing], ...], number: tuple[int, int]
) -> None:
    """Furniture along the wall, what stands on it included."""
    for _ in range(int(rng.integers(*number))):
        thing = makers[rng.integers(len(makers))](rng)
        stood = room.lean(thing, float(rng.uniform(room.left + 0.6, 2.8)))
        if stood is not None and stood.name in ("cabinet", "table"):
            _top(rng, room, stood)


ON_TOP = (
    small.bowl,
    small.teapot,
    small.cup,
    furniture.books,
    small.basket,
    furniture.television,
    small.carton,
)


def _top(rng: Rng, room: _Room, stood: Thing) -> None:
    low, high = stood.bounds()
    x = low[0] + 0.15
    while x < high[0] - 0.15 and rng.random() < 0.75:
        thing = ON_TOP[rng.integers(len(ON_TOP))](rng)
        a, b = thing.bounds(own=False)
        if x + b[0] - a[0] < high[0]:
            room.stage.put(thing, (x - a[0], (low[1] + high[1]) / 2, high[2] + 0.001))
        x += b[0] - a[0] + rng.uniform(0.05, 0.2)


def _finish(
    rng: Rng, room: _Room, reach: tuple[float, float, float, float], away: tuple[float, float]
) -> Stage:
    stage = room.stage
    stage.spot = (0.0, room.back - float(rng.uniform(*away)), 0.0)
    stage.reach, stage.azimuth = reach, (-8.0, 26.0)
    return stage


def _walls(rng: Rng) -> Texture:
    kind = rng.random()
    if kind < 0.5:
        return texture.plaster(rng, pale(rng) if rng.random() < 0.75 else bright(rng))
    if kind < 0.75:
        return texture.wallpaper(rng, pale(rng) if rng.random() < 0.7 else bright(rng))
    return texture.brick(rng) if kind < 0.88 else texture.planks(rng)


def _floor(rng: Rng) -> Texture:
    kind = rng.random()
    if kind < 0.45:
        return texture.planks(rng)
    if kind < 0.7:
        return texture.tiles(rng, pale(rng), None if rng.random() < 0.5 else pale(rng))
    return (
        texture.fabric(rng, pale(rng) if rng.random() < 0.7 else bright(rng), 0)
        if kind < 0.85
        else texture.concrete(rng)
    )


def _room(rng: Rng, name: str, floor: Texture, wall: Texture) -> _Room:
    room = _Room(rng, name, floor, wall, (-float(rng.uniform(1.6, 3.2)), float(rng.uniform(1.0, 1.8)), 2.7))
    opening = None
    if rng.random() < 0.65:
        width = float(rng.uniform(1.0, 1.7))
        opening = _window(rng, room, float(rng.uniform(-0.6, 1.4)), width)
    room.walls(opening)
    busy = (opening[0] - 0.4, opening[1] + 0.4) if opening else None
    if rng.random() < 0.3:
        x = 2.6 if busy else float(rng.uniform(-1, 2.2))
        _door(rng, room, x)
        busy = busy or (x - 0.6, x + 0.6)
    _decorate(rng, room, busy)
    return room


def living_room(rng: Rng) -> Stage:
    """A living room."""
    room = _room(rng, "living_room", _floor(rng), _walls(rng))
    _furnish(
        rng,
        room,
        (furniture.sofa, furniture.shelf, furniture.cabinet, furniture.radiator, furniture.table),
        (1, 4),
    )
    if rng.random() < 0.55:
        room.stage.put(furniture.rug(rng), (rng.uniform(-0.4, 0.4), room.back - 1.2, 0))
    return _finish(rng, room, (2.2, 2.4, 1.2, 1.2), (0.9, 1.5))


def kitchen(rng: Rng) -> Stage:
    """A kitchen."""
    wall = texture.tiles(rng, pale(rng)) if rng.random() < 0.4 else _walls(rng)
    floor = (
        texture.tiles(rng, pale(rng), pale(rng) if rng.random() < 0.5 else None)
        if rng.random() < 0.6
        else _floor(rng)
    )
    room = _room(rng, "kitchen", floor, wall)
    counter = (
        furniture.stove,
        lambda r: furniture.cabinet(r, 0.86),
        lambda r: furniture.cabinet(r, 0.86),
        furniture.table,
        furniture.shelf,
    )
    _furnish(rng, room, counter, (2, 5))
    return _finish(rng, room, (2.2, 2.4, 1.2, 1.2), (0.9, 1.5))


def bedroom(rng: Rng) -> Stage:
    """A bedroom, its bed left to the composition."""
    room = _room(rng, "bedroom", _floor(rng), _walls(rng))
    _furnish(rng, room, (furniture.cabinet, furniture.shelf, furniture.radiator, furniture.cabinet), (1, 4))
    if rng.random() < 0.6:
        room.stage.put(furniture.rug(rng), (rng.uniform(-0.4, 0.4), room.back - 1.2, 0))
    return _finish(rng, room, (2.2, 2.4, 1.2, 1.2), (0.9, 1.5))


def depot(rng: Rng) -> Stage:
    """A hall or garage with a big roller door, large enough for a bus."""
    kind = rng.random()
    wall = texture.brick(rng) if kind < 0.45 else texture.concrete(rng, neutral(rng, (0.62, 0.61, 0.58)))
    if kind > 0.8:
        wall = texture.plaster(rng, pale(rng))
    room = _Room(
        rng,
        "depot",
        texture.concrete(rng, neutral(rng, (0.50, 0.49, 0.47))),
        wall,
        (-float(rng.uniform(7, 9)), float(rng.uniform(2.0, 3.0)), 6.0),
    )
    room.walls(None)
    gate = Thing("door")
    steel, x = texture.enamel(rng, bright(rng)), float(rng.uniform(-2.5, 2.5))
    gate.add(
        "leaf", steel, [box((4.2, 0.06, 0.3), (x, room.back - 0.03, 0.17 + 0.32 * i)) for i in range(12)]
    )
    gate.add(
        "frame", room.trim, [box((0.2, 0.12, 3.95), (x + s * 2.2, room.back - 0.04, 1.97)) for s in (-1, 1)]
    )
    room.stage.put(gate)
    for z in (1.6, 4.4):
        pipe = Thing("pipe")
        pipe.add(
            "",
            texture.metal(rng),
            cylinder((-12, room.back - 0.12, z + 1.0), (12, room.back - 0.12, z + 1.0), 0.06),
        )
        if rng.random() < 0.5:
            room.stage.put(pipe)
    for side in (-1, 1):
        for _ in range(int(rng.integers(0, 3))):
            maker = (small.carton, furniture.shelf, furniture.cabinet, furniture.radiator)[rng.integers(4)]
            room.lean(maker(rng), float(x + side * rng.uniform(2.6, 4.5)))
    stage = _finish(rng, room, (4, 4, 1.6, 1.4), (1.1, 1.8))
    stage.azimuth = (-20.0, 26.0)
    return stage
