"""Origins: a request that changes something must come from a page of this server."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import Request

from geodata.errors import Fault, NotAllowed

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})


def check_origin(request: Request) -> None:
    """
    Refuse what another site makes a visitor's browser send. Raises NotAllowed.

    `Sec-Fetch-Site` cannot be set by a page; browsers that are too old for it, or reach us without
    encryption, send `Origin` with each POST. A client that sends neither is no browser and carries
    nobody's cookie by itself. Reading from other sites is left to links alone.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if request.method in SAFE:
        followed = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        allowed = site is None or site in _OWN or followed
    elif site is not None:
        allowed = site in _OWN
    else:
        origin = request.headers.get("Origin")
        allowed = origin is None or _is_own(origin, request)
    if not allowed:
        raise NotAllowed(Fault(key="other_site"))


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own(origin: str, request: Request) -> bool:
    """Tell whether an Origin names the host that was asked; "null" names none."""
    host: str = request.environ.get("HTTP_HOST", "")
    try:
        asked = urlsplit(f"//{host}")
        told = urlsplit(origin)
        if told.scheme not in ("http", "https") or not told.hostname:
            return False
        default = 443 if told.scheme == "https" else 80
        return (told.hostname, told.port or default) == (asked.hostname, asked.port or default)
    except ValueError:  # no host, no port
        return False
