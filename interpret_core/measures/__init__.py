"""What is computed, arrays in and arrays out: no store, no files."""

import os

from interpret_core.measures import compiled_code

compiled_code.keep(os.environ)  # before a module below imports numba
