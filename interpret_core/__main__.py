"""`python -m interpret_core`: the command line."""

import sys

if __name__ == "__main__":
    try:
        from interpret_core.cli import main  # here, so that Ctrl-C in the meantime is no traceback either
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())
