"""`python -m hosting`: serve until a signal comes."""

from __future__ import annotations

import sys

from hosting import settings
from hosting.settings import Unservable
from hosting.supervisor import Supervisor


def main() -> int:
    """The exit status."""
    try:
        Supervisor(settings.read()).run()
    except Unservable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
