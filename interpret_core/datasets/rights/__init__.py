"""Under which licences a data set's pictures may be passed on, as far as its own files say it."""

from interpret_core.datasets.rights.licences import (
    COLUMNS,
    FOLDER,
    TABLE,
    LicenceCount,
    Rights,
    licence_files,
    rights_of,
)

__all__ = ["COLUMNS", "FOLDER", "TABLE", "LicenceCount", "Rights", "licence_files", "rights_of"]
