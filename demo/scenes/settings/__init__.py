"""Where a scene takes place; every maker returns a `Stage` that has room for the target in its middle."""

from demo.scenes.settings.indoors import bedroom, depot, kitchen, living_room
from demo.scenes.settings.outdoors import beach, lake, park, street, yard

SETTINGS = {
    make.__name__: make for make in (street, park, lake, beach, yard, living_room, kitchen, bedroom, depot)
}

__all__ = ["SETTINGS"]
