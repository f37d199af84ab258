"""Networks that were added on a page: a folder of one's own for each, with its weights and what is stated.

    <folder>/<name>/network.toml            what `[networks.<name>]` in unitscope.toml would say
    <folder>/<name>/birds.safetensors       its weights, never anything else
    <folder>/.staged/<token>/…              a file that is being examined
    <folder>/.removed/<time>~<name>/…       what was removed, for a day

A network appears, goes and comes back by one renaming of its folder: whoever reads meanwhile, in this process
or another, sees it whole or not at all.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from interpret_core.errors import ParameterError
from interpret_core.network_tables import NetworkTable, network_table
from interpret_core.uploads import places
from interpret_core.uploads.additions import Additions
from interpret_core.uploads.datasets import DATASETS
from interpret_core.uploads.names import normal
from interpret_core.uploads.places import MOST_STAGED, RESERVE

SUFFIX = ".safetensors"
_TABLE = "network.toml"
_STAGED = ".staged"
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors")


class AddedNetworks(Additions[NetworkTable]):
    """The folder of all of them; it need not exist.

    Args:
        folder: absolute.
    """

    what = "network"
    anew = "upload it again"
    waits_in = ".removed"

    def _table(self, own: str) -> Path:
        return self.folder / own / _TABLE

    def _stated(self, file: Path, own: str) -> NetworkTable:
        return network_table(file, own, tomllib.loads(file.read_text(encoding="utf-8")))

    def stage(self, content: bytes | memoryview, file_name: str) -> Path:
        """Write an uploaded file to where it can be examined.

        Args:
            content: its bytes.
            file_name: as its owner calls it; kept where it is harmless.

        Returns:
            The file, in a folder of its own.

        Raises:
            StoreError: it cannot be written, or too many wait; nothing of it is left.
        """
        self._sweep()
        if len(places.children(self.folder / _STAGED)) >= MOST_STAGED:
            raise places.waiting_already("files")
        folder = self.folder / _STAGED / uuid.uuid4().hex
        file = folder / (file_name if _FILE.fullmatch(file_name) else f"weights{SUFFIX}")
        try:
            folder.mkdir(parents=True)
            if shutil.disk_usage(folder).free < len(content) + RESERVE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            places.write(file, content)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise self._unwritable(error) from error
        return file

    def discard(self, staged: Path) -> None:
        """Delete a staged file; one that is gone is no error."""
        if staged.parent.parent == self.folder / _STAGED:
            shutil.rmtree(staged.parent, ignore_errors=True)

    def register(self, staged: Path, name: str, entry: Mapping[str, Any]) -> None:
        """Make a staged file a network.

        Args:
            staged: from `stage`.
            name: of the network; whether it is free among the others is for the caller to ask.
            entry: as in `unitscope.toml`, weights apart.

        Raises:
            ParameterError: the name is none, or taken by another that was added meanwhile; the staged file
                is gone.
            StoreError: the folder cannot be written.
        """
        name = normal(name)
        if not staged.is_file():
            raise ParameterError("The uploaded file has been cleared away meanwhile: upload it again.")
        table = staged.with_name(_TABLE)
        whole = {**entry, "weights": staged.name}
        network_table(table, name, whole)  # what could not be read again is not written
        try:
            places.write(table, tomli_w.dumps(whole).encode())
        except UnicodeEncodeError as error:
            raise ParameterError(f"A name holds what is no text ({error.reason}): write it anew.") from error
        except OSError as error:
            raise self._unwritable(error) from error
        with self._alone():
            self._require_free(name, [DATASETS])
            self._move(staged.parent, self._entry(name), name)

    def _names(self) -> list[str]:
        names = (folder.name for folder in places.children(self.folder))
        return [name for name in names if not name.startswith(".") and name != DATASETS]

    def _sweep(self) -> None:
        kept = {one.place for one in self.removed()}
        gone = [folder for folder in places.children(self.folder / self.waits_in) if folder not in kept]
        gone += [folder for folder in places.children(self.folder / _STAGED) if places.old(folder)]
        for folder in gone:
            shutil.rmtree(folder, ignore_errors=True)
