"""`python -m interpret_core`: the command line."""

import os
import sys

from interpret_core import threads

if __name__ == "__main__":
    threads.wait_briefly(os.environ)
    try:
        from interpret_core.cli import main  # here, so that Ctrl-C in the meantime is no traceback either
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())
