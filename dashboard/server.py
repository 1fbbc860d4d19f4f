"""The server: Flask and Dash made from a city, with its routes, headers and error pages."""

from __future__ import annotations

import gc
import logging
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import flask
from dash import Dash
from flask import Flask
from flask_compress import Compress

from dashboard.accounts_page import add_accounts_page
from dashboard.addresses_page import add_addresses_page
from dashboard.answers import add_answers
from dashboard.api import add_api
from dashboard.audit_page import add_audit_page
from dashboard.briefing_page import add_briefing_page
from dashboard.calls import check_calls
from dashboard.case_page import add_case_page
from dashboard.codes_page import add_codes_page
from dashboard.connections import make_server
from dashboard.data_page import add_data_page
from dashboard.demo_roles import LOCAL, add_demo_roles, machine_of
from dashboard.duty.shift_page import add_shift_page
from dashboard.events_api import MEGABYTE, account_by_token
from dashboard.fit_page import add_fit_page
from dashboard.forwarding import Forwarding
from dashboard.frame import add_headers
from dashboard.guard import check_guards, install_guard
from dashboard.limits import Limits
from dashboard.origins import is_loopback
from dashboard.picture_page import add_picture_page
from dashboard.pictures import Pictures
from dashboard.plain import TEMPLATES, install_plain_pages
from dashboard.quality_page import add_quality_page
from dashboard.rehearsal import Rehearsal
from dashboard.routes import add_routes
from dashboard.scenes_page import add_scenes_page
from dashboard.screens import add_screens
from dashboard.services import Services
from dashboard.sessions import SESSIONS, Sessions
from dashboard.sign_in import add_sign_in
from dashboard.tables_page import add_tables_page
from dashboard.trail import BOOK, install_book
from geodata.access.scope import Scope
from geodata.allocator import settle_allocator
from geodata.audit.book import AuditBook
from geodata.city import City
from geodata.errors import BadSetting, Busy, Fault
from geodata.events.feed import Feed
from geodata.snapshots.facts import FactsKeeper
from layers.tile_cache import TileCache

_REHEARSED = "getu_rehearsed"
MAX_BODY_BYTES = 2_000_000  # of a callback; uploads will have a route of their own
FEED, INTAKE, LARGEST_BODY = (
    "getu_feed",
    "getu_intake",
    "LARGEST_BODY_BYTES",
)  # where the server keeps them
_LOCAL_PERMISSIONS = ("read", "read.rows", "export", "load")


def make_app(city: City, *, now: Callable[[], int] = lambda: int(time.time())) -> Dash:
    """
    Return the map's Dash application of one city, on a server with every screen, all guarded.

    The other screens' are in `server.extensions[guard.APPS]`.

    Raises UnguardedError when one declares no permission.
    """
    settings = city.settings
    base = settings.base_path
    server = Flask("dashboard", static_folder=None, template_folder=TEMPLATES)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    server.config[LARGEST_BODY] = max(
        MAX_BODY_BYTES, settings.api_body_mb * MEGABYTE, (settings.upload_mb + 1) * MEGABYTE
    )
    server.config["COMPRESS_MIMETYPES"] = [
        "text/html", "text/css", "application/json", "application/javascript", "text/javascript",
    ]  # fmt: skip
    Compress(server)
    services = Services(
        city=city,
        pictures=Pictures(
            keeper=FactsKeeper(city),
            cache=TileCache(limit_bytes=settings.tile_cache_mb * 1_000_000),
            now=now,
        ),
        feed=Feed(city, now=now),
        audit=AuditBook(city.database, now=now),
        now=now,
    )
    server.extensions[FEED] = services.feed
    install_book(server, services.audit)
    limits = Limits(settings, clock=time.monotonic)
    sessions = Sessions(
        city,
        limits,
        grids=services.grids,
        machine=machine_of(city, _local_account, grids=services.grids),
        now=now,
    )
    server.extensions[SESSIONS] = sessions
    server.wsgi_app = Forwarding(server.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    install_guard(
        server,
        account_of=account_by_token(city, sessions.scope_of),
        sessions=sessions,
        limits=limits,
        base=base,
    )
    check_calls(server)
    install_plain_pages(server, services)
    screens = add_screens(server, services)
    add_routes(server, services.pictures, base_path=base)
    add_api(server, services)
    add_audit_page(server, services)
    add_case_page(server, services)
    add_briefing_page(server, services)
    add_scenes_page(server, services)
    add_shift_page(server, services)
    server.extensions[INTAKE] = jobs = add_data_page(server, services)
    add_tables_page(server, services, jobs)
    add_codes_page(server, services)
    add_quality_page(server, services)
    add_addresses_page(server, services)
    add_accounts_page(server, services)
    add_picture_page(server, services)
    add_fit_page(server, services)
    add_sign_in(server, sessions, services)
    add_demo_roles(server, services)
    add_answers(server)
    server.after_request(add_headers(screens))
    check_guards(server)
    return screens[0]


def rehearse(app: Dash) -> None:
    """
    Read the city and ask for the map's page, then draw its layers aside: no viewer waits for them.

    A page answers once this has returned; what is drawn aside ends with `serve`.
    """
    app.server.extensions[_REHEARSED] = rehearsal = Rehearsal(app)
    rehearsal.begin()


def serve(app: Dash, *, host: str, port: int, threads: int) -> None:
    """
    Answer requests until the process ends.

    Waitress, because it reads a whole request before it gives a thread to it: slow clients stop
    nobody. Raises BadSetting for a host other machines can reach while no account exists.
    """
    sessions: Sessions = app.server.extensions[SESSIONS]
    check_host(host, has_accounts=sessions.has_accounts())
    logging.getLogger("waitress").setLevel(logging.ERROR)
    settle_allocator()
    server = make_server(
        app.server,
        sessions.settings,
        host=host,
        port=port,
        threads=threads,
        largest_body=app.server.config[LARGEST_BODY],  # Flask cuts it by route
    )
    # What was loaded by now stays: the collector would walk it all in the middle of a request.
    gc.collect()
    gc.freeze()
    try:
        server.run()
    finally:
        if _REHEARSED in app.server.extensions:
            app.server.extensions[_REHEARSED].end()
        app.server.extensions[FEED].close()
        app.server.extensions[INTAKE].close()
        app.server.extensions[BOOK].close()
        sessions.flush()


def check_port(host: str, port: int) -> None:
    """Refuse a port that another program has, before anything is loaded for it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Busy(Fault(key="port_taken", values={"port": port})) from error


def check_host(host: str, *, has_accounts: bool = False) -> None:
    """Refuse a host that other machines can reach while the city has no account."""
    if not has_accounts and not is_loopback(host):
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
    local = is_loopback(request.remote_addr or "") and is_loopback(host)
    return Scope.whole_city(LOCAL, _LOCAL_PERMISSIONS, role=LOCAL) if local else None
