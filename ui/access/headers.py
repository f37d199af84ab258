"""What every answer tells the browser: what a page may load, who may frame it, what it gives away."""

from __future__ import annotations

from collections.abc import Iterable

Raw = list[tuple[bytes, bytes]]

# Everything from this server. The exceptions:
_POLICY = {
    "default-src": "'self'",
    # Streamlit runs each component's loader from a blob, and its index.html has one inline script (a flag for
    # search engines): by its digest.
    "script-src": "'self' blob: {scripts}",
    # Emotion (Streamlit's styles), Plotly and our components write style elements and attributes.
    "style-src": "'self' 'unsafe-inline'",
    # Pictures that a page draws itself (masks, charts that are saved).
    "img-src": "'self' data: blob:",
    # Streamlit's icons and mathematics come as data.
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    # Streamlit reads a blob that it has just made (downloads).
    "connect-src": "'self' blob: data:",
    "worker-src": "'self' blob:",
    "frame-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def policy(scripts: Iterable[str] = ()) -> str:
    """The content-security policy.

    Args:
        scripts: digests of inline scripts that may run, as `'sha256-…'`.
    """
    listed = " ".join(scripts)
    return "; ".join(f"{name} {sources.format(scripts=listed).strip()}" for name, sources in _POLICY.items())


def plain(content_policy: str) -> Raw:
    """What every answer carries."""
    return [
        (b"content-security-policy", content_policy.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ]


def completed(given: Iterable[tuple[bytes, bytes]], added: Raw, https: bool) -> Raw:
    """Headers of an answer with ours; what it has of them stays, and cookies are Secure behind HTTPS."""
    found = [
        (name, secure(value) if https and name.lower() == b"set-cookie" else value) for name, value in given
    ]
    names = {name.lower() for name, _ in found}
    found += [(name, value) for name, value in added if name not in names]
    if https and b"strict-transport-security" not in names:
        found.append((b"strict-transport-security", b"max-age=31536000"))
    return found


def secure(cookie: bytes) -> bytes:
    """A `Set-Cookie` that no plain connection carries."""
    attributes = (part.strip().lower() for part in cookie.split(b";")[1:])
    return cookie if b"secure" in attributes else cookie + b"; Secure"
