"""Asks the servers, beside the supervisor's own loop, whether they answer and whether they do so in time."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Sequence

EVERY = 10.0  # seconds between two looks
PATIENCE = 10.0  # seconds for one answer


def asked(port: int, path: str, patience: float = PATIENCE) -> tuple[int, str]:
    """Status and text of what a server on this machine answers; status 0 where it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(2000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


class Watch:
    """Looks at all servers in turn, in a thread of its own.

    Args:
        ports: of the servers.
        base: path below which they answer.
        say: takes a line.
    """

    def __init__(self, ports: Sequence[int], base: str, say: Callable[[str], None]) -> None:
        self._ports, self._base, self._say = tuple(ports), base, say
        self._answered = dict.fromkeys(ports, 0.0)
        self._slow: dict[int, bool] = dict.fromkeys(ports, False)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End it, after the look that is under way."""
        self._stopped.set()
        self._thread.join()

    def silent(self, port: int, since: float) -> float:
        """Seconds since a server that was started at `since` (time.monotonic()) last answered."""
        return time.monotonic() - max(since, self._answered[port])

    def _look(self) -> None:
        while not self._stopped.is_set():
            for number, port in enumerate(self._ports, 1):
                if asked(port, f"{self._base}/_stcore/health")[0] == 200:
                    self._answered[port] = time.monotonic()
                    self._tell(number, port)
            self._stopped.wait(EVERY)

    def _tell(self, number: int, port: int) -> None:
        """Say when a server gets slow, and when that is over."""
        status, why = asked(port, f"{self._base}/api/ready")
        slow = status == 503
        if status in (200, 503) and slow is not self._slow[port]:
            self._slow[port] = slow
            reason = why.removeprefix("Not ready: ").rstrip(".")
            self._say(
                f"Server {number} is not ready: {reason}." if slow else f"Server {number} is ready again."
            )
