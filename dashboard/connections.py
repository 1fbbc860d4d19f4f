"""Connections: waitress with patience for slow clients that no one else pays for."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

from dashboard.forwarding import Forwarding
from geodata.access.accounts import plain_address
from geodata.settings import Settings

SILENT_S = 30  # without a byte, a connection is let go
REQUEST_S = 60  # for all of one request to arrive: who sends a byte a second is let go too
SLOWEST_BYTES_S = 500_000  # and so much longer for a large file, by what of it has arrived
SWEEP_S = 5
_FILES_A_CONNECTION = 2  # a large body waits in a file
_OTHER_FILES = 256


def make_server(
    app: Any, settings: Settings, *, host: str, port: int, threads: int, largest_body: int
) -> Any:
    """
    Return a waitress server that is bound and runs by its `run()`.

    It reads whole requests before a thread sees them. One address has at most half of the
    connections (listed proxies all), and a request that does not arrive in time is let go.
    """
    raise_file_limit(settings.connections)
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        host=host,
        port=port,
        threads=threads,
        connection_limit=settings.connections,
        channel_timeout=SILENT_S,
        cleanup_interval=SWEEP_S,
        max_request_body_size=largest_body,
        asyncore_use_poll=True,  # select() ends at 1024 files
        clear_untrusted_proxy_headers=False,  # `Forwarding` knows whom to believe
        ident=None,
    )
    made = make_channel(settings.connections // 2, settings.trusted_proxies)
    for part in list(sockets.values()):
        if isinstance(part, BaseWSGIServer):
            part.channel_class = made
            part.maintenance = sweep_after(part.maintenance, part.active_channels)
    return server


def make_channel(most: int, trusted: Sequence[str]) -> type[HTTPChannel]:
    """Return the class of connections of which one address may have so many."""
    proxies = Forwarding(lambda *_: (), trusted)

    class Channel(HTTPChannel):  # type: ignore[misc]
        """A connection that knows since when its request has been arriving."""

        begun_at: float | None = None

        def __init__(self, server: Any, sock: Any, addr: Any, *args: Any, **named: Any) -> None:
            super().__init__(server, sock, addr, *args, **named)
            same = sum(other.addr[0] == addr[0] for other in server.active_channels.values())
            if same > most and not proxies.trusts(plain_address(addr[0])):
                self.will_close = True

        def received(self, data: bytes) -> bool:
            """Take what came in, and note when the request that it belongs to began."""
            taken: bool = super().received(data)
            if self.request is None:
                self.begun_at = None
            elif self.begun_at is None:
                self.begun_at = time.monotonic()
            return taken

    return Channel


def sweep_after(
    maintenance: Callable[[float], None], channels: dict[int, Any]
) -> Callable[[float], None]:
    """Return waitress's own sweep, which lets silent connections go, with ours after it."""

    def sweep(now: float) -> None:
        maintenance(now)
        at = time.monotonic()
        for channel in list(channels.values()):
            if channel.begun_at is None:
                continue
            # By what has come, not by the length it declares: words alone keep no connection.
            arrived = 0 if channel.request is None else channel.request.body_bytes_received
            if at - channel.begun_at > REQUEST_S + arrived / SLOWEST_BYTES_S:
                channel.will_close = True

    return sweep


def raise_file_limit(connections: int) -> None:
    """Let this process open as many files as its connections need, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = connections * _FILES_A_CONNECTION + _OTHER_FILES
    most = need if hard == resource.RLIM_INFINITY else min(need, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def close_all(server: Any) -> None:
    """Close a server with all its connections; to be called in the thread that runs it."""
    wasyncore.close_all(server._map, ignore_all=True)
