"""The way in for sources: `POST /api/events`, its tokens, and its description."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import flask
import orjson
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from dashboard.guard import OPEN, guarded
from dashboard.limits import LIMITS
from dashboard.openapi import describe_api
from dashboard.sessions import address_of
from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import Busy, Fault, GetuError, NotAllowed, TooMany, http_status
from geodata.events.feed import Feed
from geodata.events.inflow import Inflow
from geodata.loading.posted_events import read_posted
from geodata.store.tokens import find_token
from geodata.words import Lang, parse_lang

PERMISSION = "events.write"
JSON, LINES = "application/json", "application/x-ndjson"
ALL_METHODS = ("GET", "PUT", "PATCH", "DELETE")
RETRY_AFTER_S = 5
MEGABYTE = 1_000_000
_BEARER = "bearer"
_NOBODY = Scope(account="", grids=frozenset(), permissions=frozenset())

AccountOf = Callable[[flask.Request], Scope | None]
View = Callable[[], Response]


def account_by_token(city: City, local_account: AccountOf) -> AccountOf:
    """
    Return who is behind a request: a source by its token, else what `local_account` says.

    A token opens the API alone, and there nothing but posting: it sees no grid. Every answer of
    the API about a missing or wrong token is the route's own, so strangers pass to it as nobody.
    """
    api = f"{city.settings.base_path}/api/"

    def account_of(request: flask.Request) -> Scope | None:
        if request.path.startswith(api):
            return _scope_of_token(city, request) if "Authorization" in request.headers else _NOBODY
        # What a proxy of the city's own asks for besides is no token of ours.
        by_token = request.headers.get("Authorization", "").lower().startswith(f"{_BEARER} ")
        return None if by_token else local_account(request)

    return account_of


def _scope_of_token(city: City, request: flask.Request) -> Scope:
    scheme, _, secret = request.headers["Authorization"].partition(" ")
    if scheme.lower() != _BEARER:
        return _NOBODY
    with city.database.read() as connection:
        token = find_token(connection, secret.strip())
    if token is None:
        return _NOBODY
    g.token = token.token
    return Scope(account=token.source, grids=frozenset(), permissions=frozenset({PERMISSION}))


def add_events_api(
    server: Flask, city: City, feed: Feed, inflow: Inflow, *, now: Callable[[], int]
) -> None:
    """Add `/api/events` and `/api/openapi.json` below the base path."""
    settings = city.settings
    limit_bytes = settings.api_body_mb * MEGABYTE
    described = orjson.dumps(describe_api(settings))

    @answering
    @guarded(PERMISSION)
    def post_events() -> Response:
        if request.mimetype not in (JSON, LINES) or request.content_encoding:
            return refuse(415, [Fault(key="post_type")])
        source = g.scope.account
        with inflow.waiting(source):
            request.max_content_length = limit_bytes  # this route's own, not the server's
            try:
                body = request.get_data(cache=False)
            except RequestEntityTooLarge:
                fault = Fault(key="post_large", values={"limit": settings.api_body_mb})
                return refuse(413, [fault])
            rows = read_posted(
                body,
                lines=request.mimetype == LINES,
                city=city,
                source=source,
                now=now(),
                most=settings.api_events,
            )
            inflow.take(source, len(rows))
            receipt = feed.post(rows, token=g.token)
        return as_json(
            {
                "accepted": receipt.accepted,
                "new": receipt.new,
                "copies": receipt.copies,
                "revision": receipt.revision,
            }
        )

    @guarded(OPEN)
    def other_events() -> Response:
        response = refuse(405, [Fault(key="post_only")])
        response.headers["Allow"] = "POST"
        return response

    @guarded(OPEN)
    def openapi() -> Response:
        return Response(described, mimetype=JSON)

    base = f"{settings.base_path}/api"
    server.add_url_rule(
        f"{base}/events",
        "getu_events",
        post_events,
        methods=["POST"],
        provide_automatic_options=False,
    )
    server.add_url_rule(
        f"{base}/events", "getu_events_other", other_events, methods=[*ALL_METHODS, "OPTIONS"],
        provide_automatic_options=False,
    )  # fmt: skip
    server.add_url_rule(f"{base}/openapi.json", "getu_openapi", openapi)


def answering(view: View) -> View:
    """Answer a source's errors as JSON, in the language it asks for."""

    @functools.wraps(view)
    def answered() -> Response:
        try:
            admit_stranger()
            return view()
        except NotAllowed:
            given = "Authorization" in request.headers
            response = refuse(401, [Fault(key="token_wrong" if given else "token_needed")])
            response.headers["WWW-Authenticate"] = 'Bearer realm="events"'
            return response
        except GetuError as error:
            response = refuse(http_status(error), error.faults)
            if isinstance(error, Busy | TooMany):
                response.headers["Retry-After"] = str(wait_of(error))
            return response
        except HTTPException as error:  # a body that breaks off
            return refuse(error.code or 400, [Fault(key="post_broken")])

    return answered


def admit_stranger() -> None:
    """Count a request without a good token against its address. Raises TooMany."""
    if not g.scope.account:
        current_app.extensions[LIMITS].admit(f"address {address_of(request)}")


def wait_of(error: GetuError) -> int:
    """Return after how many seconds to come again, as an error's fault says."""
    return max(1, math.ceil(error.faults[0].values.get("seconds", RETRY_AFTER_S)))


def refuse(status: int, faults: Iterable[Fault]) -> Response:
    """Return what is wrong as JSON, in the language the source asks for."""
    lang = parse_lang(request.args.get("lang") or request.accept_languages.best)
    return as_json({"faults": [_plain(fault, lang) for fault in faults]}, status=status)


def _plain(fault: Fault, lang: Lang) -> dict[str, Any]:
    return {
        "index": None if fault.row is None else fault.row - 1,
        "field": fault.field,
        "key": fault.key,
        "cause": fault.cause(lang),
        "remedy": fault.remedy(lang),
    }


def as_json(plain: Any, *, status: int = 200) -> Response:
    """Return plain data as JSON that nobody keeps."""
    response = Response(orjson.dumps(plain), status=status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response
