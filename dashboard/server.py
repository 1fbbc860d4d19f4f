"""The server: Flask and Dash made from a city, with its routes, headers and error pages."""

from __future__ import annotations

import html
import ipaddress
import logging
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import flask
from dash import Dash
from flask import Flask, Response
from flask_compress import Compress

from dashboard import map_page
from dashboard.answers import add_answers
from dashboard.calls import check_calls
from dashboard.events_api import MEGABYTE, account_by_token, add_events_api
from dashboard.guard import check_guards, install_guard
from dashboard.routes import Pictures, add_routes
from geodata.city import City
from geodata.errors import BadSetting, Busy, Fault
from geodata.facts import FactsKeeper
from geodata.feed import Feed
from geodata.scope import Scope
from geodata.words import LANGS, say
from layers.registry import LAYERS
from layers.tile_cache import TileCache

MAX_BODY_BYTES = 2_000_000  # of a callback; uploads will have a route of their own
FEED, LARGEST_BODY = "getu_feed", "LARGEST_BODY_BYTES"  # where the server keeps them
SLOW_CLIENT_S = 30  # a client that sends half a request is let go after this
# In the page itself: a file would be asked for again each time the address changes.
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%230b1220'/%3E"
    "%3Cpath d='M3 3h4v4H3zm6 0h4v4H9zM3 9h4v4H3z' fill='%234cc2ff'/%3E"
    "%3Cpath d='M9 9h4v4H9z' fill='%23ff6b6b'/%3E%3C/svg%3E"
)
_LOCAL_PERMISSIONS = ("read",)

# Measured on Dash 4: its own scripts are allowed by hash, its components style inline.
_POLICY = {
    "default-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "frame-ancestors": "'self'",
    "form-action": "'self'",
}


def make_app(city: City, *, now: Callable[[], int] = lambda: int(time.time())) -> Dash:
    """
    Return the Dash application of one city, every route and callback guarded.

    Raises UnguardedError when one declares no permission.
    """
    settings = city.settings
    base = settings.base_path
    server = Flask("getu", static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    server.config[LARGEST_BODY] = max(MAX_BODY_BYTES, settings.api_body_mb * MEGABYTE)
    server.config["COMPRESS_MIMETYPES"] = [
        "text/html", "text/css", "application/json", "application/javascript", "text/javascript",
    ]  # fmt: skip
    Compress(server)
    app = Dash(
        "getu",
        server=server,
        requests_pathname_prefix=f"{base}/",
        routes_pathname_prefix=f"{base}/",
        assets_folder=str(map_page.ASSETS),
        title=say("product.mark", "zh"),
        update_title="",
        index_string=_index(city),
    )
    pictures = Pictures(
        keeper=FactsKeeper(city),
        cache=TileCache(limit_bytes=settings.tile_cache_mb * 1_000_000),
        now=now,
    )
    feed = Feed(city, now=now)
    server.extensions[FEED] = feed
    install_guard(app, account_of=account_by_token(city, _local_account))
    check_calls(app)
    map_page.add_page(app, pictures)
    add_routes(server, pictures, base_path=base)
    add_events_api(server, city, feed, now=now)
    add_answers(server)
    server.after_request(_headers_for(app))
    check_guards(app)
    return app


def rehearse(app: Dash) -> None:
    """
    Read the city and draw what every page asks first, so that no viewer waits for it.

    Asks as a browser would, for the answers to be kept under the same key.
    """
    client = app.server.test_client()
    base = app.config.requests_pathname_prefix
    for layer in LAYERS:
        for source in (layer.source, *layer.more_sources):
            if not source.tiled:
                client.get(f"{base}{source.url('0')}", headers={"Accept-Encoding": "gzip, br"})


def serve(app: Dash, *, host: str, port: int, threads: int) -> None:
    """
    Answer requests until the process ends.

    Waitress, because it reads a whole request before it gives a thread to it: slow clients stop
    nobody. Raises BadSetting for a host other machines can reach while no account exists.
    """
    from waitress import serve as run  # noqa: PLC0415 - only the server needs it

    check_host(host)
    logging.getLogger("waitress").setLevel(logging.ERROR)
    try:
        run(
            app.server,
            host=host,
            port=port,
            threads=threads,
            channel_timeout=SLOW_CLIENT_S,
            max_request_body_size=app.server.config[LARGEST_BODY],  # Flask cuts it by route
            ident=None,
        )
    finally:
        app.server.extensions[FEED].close()


def check_port(host: str, port: int) -> None:
    """Refuse a port that another program has, before anything is loaded for it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Busy(Fault(key="port_taken", values={"port": port})) from error


def check_host(host: str) -> None:
    """Refuse a host that other machines can reach: there are no accounts yet."""
    if not _is_local(host):
        raise BadSetting(Fault(key="host_not_local", values={"host": host}))


def _local_account(request: flask.Request) -> Scope | None:
    """
    Return the account of this machine's own user: who reaches the loopback may see it all.

    The host must be local too: a page of another site can have its own name point at the loopback
    (DNS rebinding) and would read the city through its visitor's browser.
    """
    try:
        host = urlsplit(f"//{request.environ.get('HTTP_HOST', 'localhost')}").hostname or ""
    except ValueError:  # no host at all
        return None
    local = _is_local(request.remote_addr or "") and _is_local(host)
    return Scope.whole_city("local", _LOCAL_PERMISSIONS) if local else None


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _headers_for(app: Dash) -> Callable[[Response], Response]:
    kept: dict[str, str] = {}

    def add_headers(response: Response) -> Response:
        if not kept:
            scripts = " ".join(
                ["'self'", *(f"'{item.strip(chr(39))}'" for item in app.csp_hashes())]
            )
            policy = {**_POLICY, "script-src": scripts}
            kept["csp"] = "; ".join(f"{name} {value}" for name, value in policy.items())
        response.headers["Content-Security-Policy"] = kept["csp"]
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return add_headers


def _index(city: City) -> str:
    """Return the page's frame: dark until told otherwise, its renderer named for old browsers."""
    name = _escape(city.settings.name_zh)
    banner = " ".join(
        f'data-{part}="{_escape(text)}"'
        for part, text in (
            ("zone", city.settings.timezone),
            *((lang, say("page.unreachable", lang, at="{at}")) for lang in LANGS),
        )
    )
    return f"""<!DOCTYPE html>
<html lang="zh" data-theme="dark" data-map="loading">
<head>
{{%metas%}}
<meta name="renderer" content="webkit">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#0b1220">
<title>{name} · 格图 Getu</title>
<link rel="icon" href="{_ICON}">
{{%css%}}
</head>
<body>
<div id="boot" role="status">{say("page.loading", "zh")} · {say("page.loading", "en")}</div>
<div id="banner" role="alert" {banner} hidden></div>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


def _escape(text: str) -> str:
    """Return text that is neither markup nor a placeholder of the page's frame."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")
