"""Proxies: only listed ones may say for whom they ask; from all others such words are removed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from geodata.access.accounts import plain_address

FORWARDED = "getu.forwarded"  # in the environment of a request that came by a proxy
_HEADERS = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_BY",
    "HTTP_X_REAL_IP", "HTTP_FORWARDED",
)  # fmt: skip
_SIGNS = (*_HEADERS, "HTTP_VIA")
_HOST = re.compile(r"[\w.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?", re.ASCII)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Forwarding:
    """
    A WSGI application behind proxies: the listed ones are believed, the others are not heard.

    A believed proxy's client becomes the request's own address, scheme and host. Anything that a
    stranger says of itself is removed before the application sees it.
    """

    def __init__(self, app: App, trusted: Sequence[str]) -> None:
        self._app = app
        self._trusted = tuple(ipaddress.ip_network(text) for text in trusted)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request as the one behind the proxy asked it."""
        said = {name: environ.pop(name) for name in _HEADERS if name in environ}
        peer = plain_address(environ.get("REMOTE_ADDR", ""))
        if said or "HTTP_VIA" in environ:
            environ[FORWARDED] = True
        if self.trusts(peer):
            environ[FORWARDED] = True
            self._believe(environ, said)
        return self._app(environ, start_response)

    def trusts(self, address: str) -> bool:
        """Tell whether an address is that of a listed proxy."""
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._trusted)

    def _believe(self, environ: dict[str, Any], said: dict[str, str]) -> None:
        hops = [hop.strip() for hop in said.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        # From the nearest outward: the first that is no proxy of ours is the client; what stands
        # before it the client may have made up.
        for hop in reversed([_address(hop) for hop in hops if hop]):
            environ["REMOTE_ADDR"] = hop
            if not self.trusts(hop):
                break
        scheme = _last(said, "HTTP_X_FORWARDED_PROTO").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = _last(said, "HTTP_X_FORWARDED_HOST")
        if host and _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host


def _last(said: dict[str, str], name: str) -> str:
    """Return what the nearest proxy said, the last of a list."""
    return said.get(name, "").rpartition(",")[2].strip()


def _address(hop: str) -> str:
    """Return the address of one hop without a port: 1.2.3.4:80, [::1]:80."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    return plain_address(hop)
