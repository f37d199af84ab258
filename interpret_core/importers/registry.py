"""Which formats there are."""

from __future__ import annotations

from functools import cache

from interpret_core.importers.base import Importer
from interpret_core.importers.formats.ade20k import Ade20k
from interpret_core.importers.formats.camvid import CamVid
from interpret_core.importers.formats.cityscapes import Cityscapes
from interpret_core.importers.formats.coco_instances import CocoInstances
from interpret_core.importers.formats.coco_panoptic import CocoPanoptic
from interpret_core.importers.formats.folder import PictureFolder
from interpret_core.importers.formats.masks import MaskFolder
from interpret_core.importers.formats.voc import Voc
from interpret_core.packages import installed

GROUP = "unitscope.importers"


@cache
def importers() -> dict[str, type[Importer]]:
    """Name on the command line -> the format's options; built in, then those of installed packages."""
    own: list[type[Importer]] = [
        CocoPanoptic, CocoInstances, Ade20k, Voc, Cityscapes, CamVid, MaskFolder, PictureFolder,
    ]  # fmt: skip
    found = {one.called: one for one in own}
    for _, one in installed(GROUP, type):
        if issubclass(one, Importer) and one.called:
            found.setdefault(one.called, one)
    return found
