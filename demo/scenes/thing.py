"""Things: named objects made of pieces, each a mesh of one part in one texture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from demo.scenes.mesh import ORIGIN, Array, Mesh, merge, turn
from demo.scenes.texture import Texture


@dataclass(frozen=True, eq=False)
class Piece:
    """One mesh with one label of each kind; `part` is empty where the object has no named parts."""

    object: str
    part: str
    texture: Texture
    mesh: Mesh


@dataclass
class Thing:
    """An object in its own frame: its middle at x = y = 0, its foot at z = 0, its front towards −y.

    Attributes:
        name: the object's label.
        pieces: what it is made of; a vase's flowers may carry another object's name.
        yaw: degrees either way that still show a recognisable side.
        elevation: lowest and highest angle from which it is looked at, in degrees.
    """

    name: str
    pieces: list[Piece] = field(default_factory=list)
    yaw: float = 180.0
    elevation: tuple[float, float] = (4.0, 20.0)

    def add(self, part: str, texture: Texture, meshes: Mesh | Sequence[Mesh]) -> None:
        """Add a part; several meshes become one piece."""
        whole = meshes if isinstance(meshes, Mesh) else merge(meshes)
        self.pieces.append(Piece(self.name, part, texture, whole))

    def hold(self, other: Thing) -> None:
        """Take in another thing's pieces under its own name."""
        self.pieces.extend(other.pieces)

    def placed(self, position: ArrayLike = ORIGIN, yaw: float = 0.0, scale: float = 1.0) -> Thing:
        """A copy scaled, turned about z by `yaw` degrees and moved."""
        rotation = turn("z", yaw)
        pieces = [replace(piece, mesh=piece.mesh.moved(position, rotation, scale)) for piece in self.pieces]
        return replace(self, pieces=pieces)

    def bounds(self, own: bool = True) -> tuple[Array, Array]:
        """Lowest and highest corner, (3,) each; of the pieces under its own name only, unless told."""
        return bounds(piece for piece in self.pieces if not own or piece.object == self.name)


def bounds(pieces: Iterable[Piece]) -> tuple[Array, Array]:
    """Lowest and highest corner of some pieces, (3,) each."""
    vertices = np.concatenate([piece.mesh.vertices for piece in pieces])
    return vertices.min(0), vertices.max(0)
