"""nginx's configuration, made of the settings; the pattern is `nginx.conf` beside this file."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hosting import headers
from hosting.settings import Settings, Unservable

PATTERN = Path(__file__).with_name("nginx.conf")
PLACES = ("/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx")  # not in everybody's PATH
CONNECTIONS = 4096  # of nginx, to visitors and servers
PER_ADDRESS = 1024  # connections of one address: a whole office may have one
UPLOAD = "1100m"  # a network's weights: 1 GB a file
FAILED = "max_fails=1 fail_timeout=2s"  # a dead one is asked again after two seconds
# uvicorn closes an idle connection after 5 s; nginx has to be first, or would take that for a failure.
IDLE = "keepalive 32;\n    keepalive_timeout 3s;"


def program() -> str:
    """nginx's path.

    Raises:
        Unservable: it is not installed.
    """
    found = shutil.which("nginx") or next(filter(os.path.exists, PLACES), None)
    if found is None:
        raise Unservable("nginx is not installed: on Debian and Ubuntu, apt-get install nginx-light.")
    return found


def write(settings: Settings, ports: Sequence[int], folder: Path) -> tuple[str, ...]:
    """Write the configuration and have nginx check it; the command that runs nginx.

    Args:
        settings: of the instance.
        ports: of the servers, on 127.0.0.1.
        folder: for configuration and temporary files, of nobody else.

    Raises:
        Unservable: nginx refuses it.
    """
    (folder / "headers.conf").write_text(headers.directives(settings.user_headers))
    path = folder / "nginx.conf"
    path.write_text(text(settings, ports, folder))
    command = (program(), "-p", str(folder), "-c", str(path), "-e", "stderr")
    checked = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True)
    if checked.returncode:
        raise Unservable(f"nginx refuses its configuration: {checked.stderr.strip()}")
    return command


def text(settings: Settings, ports: Sequence[int], folder: Path) -> str:
    """The whole configuration."""
    values = {
        # Started by root, nginx would give its workers to a user who may not enter the folder.
        "USER": f"user {_name()};" if os.geteuid() == 0 else "",
        "RUN": str(folder),
        "CLOSING": f"{max(1, round(settings.grace / 4))}",
        "CONNECTIONS": str(_connections()),
        "TRUSTED": " ".join(f"{one} 1;" for one in settings.proxies),
        "REAL_ADDRESS": _real_address(settings.proxies),
        "FORGERIES": headers.forgeries(settings.user_headers),
        "UPSTREAMS": _upstreams(ports),
        "GROUPS": " ".join(f"{at} server{at};" for at in range(1, len(ports) + 1)),
        "ANSWERED": " ".join(f"~:{port}$ {at};" for at, port in enumerate(ports, 1)),
        "PER_ADDRESS": str(PER_ADDRESS),
        "LISTEN": f"{settings.listen}{' ssl' if settings.certificate else ''}",
        "TLS": _tls(settings),
        "OUTSIDE": _outside(settings.base),
        "UPLOAD": UPLOAD,
        "BASE": settings.base,
    }
    made = PATTERN.read_text()
    for name, value in values.items():
        made = made.replace(f"@{name}@", value)
    return made


def _name() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _connections() -> int:
    """As many as there may be open files, of which a visitor takes two."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(CONNECTIONS, soft - 64))


def _upstreams(ports: Sequence[int]) -> str:
    """All servers together, and each with the one that stands in for it."""
    every = "\n".join(f"    server 127.0.0.1:{port} {FAILED};" for port in ports)
    groups = [f"upstream servers {{\n    zone servers 64k;\n{every}\n    {IDLE}\n  }}"]
    asked = "\n".join(f"    server 127.0.0.1:{port} max_fails=0;" for port in ports)
    groups.append(f"upstream readiness {{\n{asked}\n  }}")
    for at, port in enumerate(ports, 1):
        lines = [f"    server 127.0.0.1:{port} {FAILED};"]
        if len(ports) > 1:
            lines.append(f"    server 127.0.0.1:{ports[at % len(ports)]} backup;")
        body = "\n".join(lines)
        groups.append(f"upstream server{at} {{\n{body}\n    {IDLE}\n  }}")
    return "\n  ".join(groups)


def _real_address(proxies: Sequence[str]) -> str:
    if not proxies:
        return ""
    trusted = "\n  ".join(f"set_real_ip_from {one};" for one in proxies)
    return f"{trusted}\n  real_ip_header X-Forwarded-For;\n  real_ip_recursive on;"


def _tls(settings: Settings) -> str:
    if settings.certificate is None:
        return ""
    return (
        f'ssl_certificate "{settings.certificate}";\n    ssl_certificate_key "{settings.key}";\n'
        "    ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_session_cache shared:tls:1m;\n"
        "    error_page 497 =301 https://$http_host$request_uri;  # asked for by http"
    )


def _outside(base: str) -> str:
    """What lies beside the base path."""
    if not base:
        return ""
    # The container's health asks here, and knows no base path.
    ready = f"location = /api/ready {{ rewrite ^ {base}/api/ready last; }}"
    bare = f"location = {base} {{ return 301 {base}/$is_args$args; }}"
    return f"{ready}\n    {bare}\n    location / {{ return 404; }}"
