"""`python -m hosting.check [PORT]`: whether the instance on this machine is ready; says why not."""

from __future__ import annotations

import ssl
import sys
import urllib.error
import urllib.request

PATIENCE = 4.0  # seconds


def main() -> int:
    """0 where it is ready, else 1."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8501
    trusting = ssl._create_unverified_context()  # the certificate bears the public name
    for scheme in ("http", "https"):
        address = f"{scheme}://127.0.0.1:{port}/api/ready"
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE, context=trusting) as answer:
                print(answer.read(1000).decode(errors="replace"))
                return 0
        except urllib.error.HTTPError as error:
            told = error.read(1000).decode(errors="replace").strip()
            print(told)
            if error.code == 503:
                return 1
        except OSError as error:
            print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main())
