"""`python -m interpret_core`: the command line."""

import sys

from interpret_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
