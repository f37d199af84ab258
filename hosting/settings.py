"""How an instance is served: what the command line says, checked."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_SERVERS = 64
_BASE = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_PATH = re.compile(r"[^\x00-\x1f\"'\\$;{}]+")  # what nginx reads as itself between quotes


class Unservable(Exception):
    """What is asked for cannot be served; one line with the remedy."""


@dataclass(frozen=True)
class Settings:
    """What is served where.

    Attributes:
        servers: Streamlit processes.
        address: where nginx listens: an IP address or "localhost".
        port: of nginx.
        base: path below which everything lies, with a leading slash and none at the end; empty for the root.
        certificate, key: PEM files where nginx ends TLS itself; None for plain HTTP.
        proxies: addresses or networks of proxies in front, whose word on visitor and scheme is taken.
        user_headers: those in which such a proxy says who somebody is; whoever else writes them is refused.
        state: folder for what has to outlast a restart.
        grace: seconds for what runs when all is stopped.
    """

    servers: int = 2
    address: str = "127.0.0.1"
    port: int = 8501
    base: str = ""
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    user_headers: tuple[str, ...] = ()
    state: Path = ROOT / ".hosting"
    grace: float = 20.0

    def __post_init__(self) -> None:
        checks = (
            (1 <= self.servers <= MOST_SERVERS, f"--servers has to be 1 to {MOST_SERVERS}."),
            (1 <= self.port <= 65535, "--port has to be 1 to 65535."),
            (bool(_BASE.fullmatch(self.base)), "--base has to be a path of plain letters, like /unitscope/."),
            ((self.certificate is None) == (self.key is None), "--certificate and --key belong together."),
            (
                all(_HEADER.fullmatch(name) for name in self.user_headers),
                "--user-header is a header's name, such as X-Auth-Email.",
            ),
            (1 <= self.grace <= 600, "--grace has to be 1 to 600 seconds."),
        )
        for holds, remedy in checks:
            if not holds:
                raise Unservable(remedy)
        for file in filter(None, (self.certificate, self.key)):
            if not _PATH.fullmatch(str(file)) or not file.is_file():
                raise Unservable(f"{file} is no file that nginx can read; --certificate and --key name two.")
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise Unservable(f"--proxy {proxy}: expected an address or a network. {error}.") from None
        if self.address != "localhost":
            try:
                ipaddress.ip_address(self.address)
            except ValueError:
                raise Unservable(f"--address {self.address}: expected an IP address or localhost.") from None

    @property
    def private(self) -> bool:
        """Whether only this machine can reach it, and no proxy passes on what others ask."""
        if self.proxies:
            return False
        return self.address == "localhost" or ipaddress.ip_address(self.address).is_loopback

    @property
    def listen(self) -> str:
        """Where nginx listens, as it writes it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address to ask from this machine, without a slash at its end."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        host = everywhere.get(self.address, self.address)
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}{self.base}"


def read(arguments: Sequence[str] | None = None) -> Settings:
    """The settings that a command line states.

    Raises:
        Unservable: one that cannot be followed.
    """
    standard = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m hosting", description="Several servers of Unitscope behind nginx, on one cache."
    )
    add = parser.add_argument
    add("--servers", type=int, default=standard.servers, help="Streamlit processes, default %(default)s")
    add("--address", default=standard.address, help="where nginx listens, default %(default)s")
    add("--port", type=int, default=standard.port, help="default %(default)s")
    add("--base", default="", help="path below which everything lies, such as /unitscope/")
    add("--certificate", type=_path, help="PEM file, with --key: nginx ends TLS itself")
    add("--key", type=_path, help="PEM file of the certificate's key")
    add("--proxy", default="", help="addresses or networks of proxies in front, separated by commas")
    named = os.environ.get("INTERPRET_USER_HEADER", "").strip()
    secret = "X-Unitscope-Proxy" if os.environ.get("INTERPRET_PROXY_SECRET", "").strip() else ""
    header = ",".join(filter(None, (named, secret)))
    add("--user-header", default=header, help="headers in which such a proxy says who somebody is")
    add("--state", type=Path, default=standard.state, help="folder for the key of cookies")
    add("--grace", type=float, default=standard.grace, help="seconds for what runs when it is stopped")
    given = parser.parse_args(arguments)
    parts = [part for part in given.base.split("/") if part]
    if given.user_header and not given.proxy:
        raise Unservable(
            f"The login is a header ({given.user_header}), and no proxy is named that may write it: nobody "
            "could log in. Name its address, PROXY=127.0.0.1 with make serve, or --proxy."
        )
    return Settings(
        given.servers,
        given.address,
        given.port,
        "".join(f"/{part}" for part in parts),
        given.certificate,
        given.key,
        _listed(given.proxy),
        _listed(given.user_header),
        given.state.absolute(),
        given.grace,
    )


def _path(text: str) -> Path | None:
    """A file; an empty word counts as none, so that a Makefile can pass what is not set."""
    return Path(text).absolute() if text else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))
