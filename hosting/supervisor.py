"""The whole life of an instance: servers and nginx are started, kept running and ended together."""

from __future__ import annotations

import os
import resource
import signal
import socket
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from hosting import nginx
from hosting.child import Child
from hosting.secret import VARIABLE, cookie_secret
from hosting.settings import ROOT, Settings, Unservable
from hosting.watch import Watch, asked

PATIENCE = 180.0  # seconds until all have to answer after a start
SILENT = 90.0  # seconds without an answer after which a server counts as dead
LOOK = 0.1  # seconds between two looks at the processes
FILES = 16384  # open files, as far as the system allows
ADDRESS, NICE = "INTERPRET_ADDRESS", "INTERPRET_NICE"


class Supervisor:
    """Runs an instance. Use as `Supervisor(settings).run()`, in the main thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ports = free_ports(settings.servers)
        environment = server_environment(settings, os.environ)
        self.servers = [
            Child(f"Server {number}", command(settings, port), environment)
            for number, port in enumerate(self._ports, 1)
        ]
        self._watch = Watch(self._ports, settings.base, say)
        self._stopping = 0

    def run(self) -> None:
        """Until a signal comes.

        Raises:
            Unservable: it could not be started.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        more_files()
        with tempfile.TemporaryDirectory(prefix="unitscope-") as folder:
            proxy = Child("nginx", nginx.write(self._settings, self._ports, Path(folder)), os.environ)
            try:
                self._start(proxy)
                self._keep(proxy)
            finally:
                self._end(proxy)

    @property
    def _counted(self) -> str:
        return f"{len(self.servers)} server{'s' if len(self.servers) > 1 else ''}"

    def _stop(self, *_: object) -> None:
        self._stopping += 1

    def _start(self, proxy: Child) -> None:
        """The servers first: nginx opens the door when somebody is there."""
        self._free_address()
        say(f"Starting {self._counted} …")
        for server in self.servers:
            server.start()
        health = f"{self._settings.base}/_stcore/health"
        for server, port in zip(self.servers, self._ports, strict=True):
            self._await(server, partial(_answers, port, health))
        if not self._stopping:
            proxy.start()
            self._await(proxy, self._open)
        if not self._stopping:
            self._watch.start()
            say(f"Unitscope is ready: {self._settings.url}/ ({self._counted})")

    def _await(self, child: Child, answers: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not self._stopping and not answers():
            if not child.alive:
                raise Unservable(f"{child.name} ended while it was starting; the reason stands above.")
            if time.monotonic() > end:
                raise Unservable(f"{child.name} did not answer within {PATIENCE:.0f} s.")
            time.sleep(LOOK)

    def _open(self) -> bool:
        """Whether nginx answers."""
        trusting = ssl._create_unverified_context()  # the certificate bears the public name
        try:
            with urllib.request.urlopen(f"{self._settings.url}/_stcore/health", timeout=2, context=trusting):
                return True
        except urllib.error.HTTPError as error:
            return error.code in (400, 401, 403)  # of a server that answers to other names, or not to all
        except OSError:
            return False

    def _free_address(self) -> None:
        """Say at once, and plainly, where nginx could not listen."""
        family = socket.AF_INET6 if ":" in self._settings.address else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._settings.address, self._settings.port))
            except OSError as error:
                raise Unservable(
                    f"{self._settings.listen} cannot be listened at ({error.strerror}): choose another "
                    "--port or --address, or end what listens there."
                ) from None

    def _keep(self, proxy: Child) -> None:
        while not self._stopping:
            for server, port in zip(self.servers, self._ports, strict=True):
                if server.alive and self._watch.silent(port, server.started) > SILENT:
                    say(f"{server.name} has not answered for {SILENT:.0f} s; it is ended.")
                    server.kill()
                say(server.kept_alive())
            say(proxy.kept_alive())
            time.sleep(LOOK)

    def _end(self, proxy: Child) -> None:
        """No new visitors, then time for what runs, then none; a second signal shortens it."""
        say("Stopping …" if self._stopping else "")
        asked_before, end = self._stopping, time.monotonic() + self._settings.grace
        proxy.tell(signal.SIGQUIT)
        while not proxy.wait(LOOK) and time.monotonic() < end and self._stopping <= max(1, asked_before):
            pass
        for server in self.servers:
            server.tell(signal.SIGTERM)
        for server in self.servers:
            while not server.wait(LOOK) and time.monotonic() < end and self._stopping <= max(1, asked_before):
                pass
        for child in (proxy, *self.servers):
            if child.alive:
                say(f"{child.name} is ended.")
                child.kill()


def command(settings: Settings, port: int) -> Sequence[str]:
    """Streamlit's, of one server: on loopback alone, since it believes what nginx says in headers."""
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": "true",
        "server.baseUrlPath": settings.base.strip("/"),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return (sys.executable, "-m", "streamlit", "run", str(ROOT / "serve.py"), *words)


def server_environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Of every server.

    Raises:
        Unservable: there is no key for the cookies.
    """
    made = {NICE: "19", **environment, VARIABLE: cookie_secret(settings.state, environment)}
    # Each server listens to its own machine alone, and would take every visitor for its owner.
    if not settings.private:
        made[ADDRESS] = settings.address if not settings.proxies else "proxy"
    return made


def free_ports(count: int) -> tuple[int, ...]:
    """Ports on 127.0.0.1 that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return tuple(int(probe.getsockname()[1]) for probe in probes)
    finally:
        for probe in probes:
            probe.close()


def more_files() -> None:
    """Raise the limit of open files: a visitor takes two of nginx's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _answers(port: int, path: str) -> bool:
    return asked(port, path, 2.0)[0] == 200


def say(line: str) -> None:
    """Onto the standard error output, where all that is said goes."""
    if line:
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}", file=sys.stderr, flush=True)
