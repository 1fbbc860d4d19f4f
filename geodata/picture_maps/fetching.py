"""The only way out of this program: one picture from a server that the settings name."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from urllib.parse import urlsplit

from geodata.errors import Busy, Fault, GetuError, NotAllowed

TIMEOUT_S = 8.0
LONGEST_BYTES = 2_000_000
AT_ONCE = 4  # a server that hangs holds no more threads than these
_PORTS = {"http": 80, "https": 443}
_OK, _EMPTY = 200, (204, 404)
_AGENT = "Getu"


class PictureFailed(GetuError):
    """The server of a picture map gave no picture."""


class Fetcher:
    """
    Fetches pictures, a few at a time.

    No redirect is followed, no cookie kept, nothing but the picture taken; a name that leads into a
    private network is refused unless the settings allow it.
    """

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._context = ssl.create_default_context()

    def fetch(self, address: str) -> bytes | None:
        """
        Return the bytes behind an address, None where the server has no such tile.

        Raises Busy where too many are being fetched, NotAllowed for a private address, and
        PictureFailed, whose words never hold the address: a key may stand in it.
        """
        if not self._places.acquire(blocking=False):
            raise Busy(Fault(key="picture_map_busy"))
        try:
            return self._fetch(address)
        except (OSError, http.client.HTTPException) as error:
            reason = type(error).__name__
            raise PictureFailed(Fault(key="picture_map_failed", values={"why": reason})) from None
        finally:
            self._places.release()

    def _fetch(self, address: str) -> bytes | None:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)) as line:
            line.sock = self._connect(host, port, secure=parts.scheme == "https")
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            line.request("GET", path, headers={"User-Agent": _AGENT, "Accept": "image/*"})
            answer = line.getresponse()
            if answer.status in _EMPTY:
                return None
            if answer.status != _OK:
                why = f"HTTP {answer.status}"
                raise PictureFailed(Fault(key="picture_map_failed", values={"why": why}))
            body = answer.read(LONGEST_BYTES + 1)
        if len(body) > LONGEST_BYTES:
            raise PictureFailed(Fault(key="picture_map_large"))
        return body

    def _connect(self, host: str, port: int, *, secure: bool) -> socket.socket:
        """Return a connection to exactly the address that was looked at."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        place = found[0][4][0]
        if not self._private and not ipaddress.ip_address(str(place)).is_global:
            raise NotAllowed(Fault(key="picture_map_private"))
        plain = socket.create_connection((str(place), port), timeout=TIMEOUT_S)
        if not secure:
            return plain
        with contextlib.ExitStack() as undo:
            undo.callback(plain.close)
            wrapped = self._context.wrap_socket(plain, server_hostname=host)
            undo.pop_all()
        return wrapped
