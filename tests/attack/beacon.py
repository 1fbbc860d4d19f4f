"""A listener on the loopback that hostile files point to: whoever comes has followed a link."""

from __future__ import annotations

import socket
from functools import cache


@cache
def listener() -> socket.socket:
    """Return the listening socket; the first call opens it, on a free port."""
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    return server


def beacon() -> str:
    """Return its address, for the inside of hostile files."""
    return f"http://127.0.0.1:{listener().getsockname()[1]}/x"


def visitors() -> int:
    """Return how many have come since the last time this was asked."""
    count = 0
    while True:
        try:
            connection, _ = listener().accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1
