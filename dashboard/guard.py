"""The guard: every route and callback declares the permission it needs, or nothing starts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from dash import Dash
from dash._callback import GLOBAL_CALLBACK_MAP
from flask import Flask, g, request

from geodata.errors import Fault, NotAllowed
from geodata.scope import Scope

Handler = TypeVar("Handler", bound=Callable[..., Any])
PERMISSION = "__getu_permission__"
OPEN = "open"  # anyone who reaches the server: the page's own shell, styles and scripts

# Dash's own routes: what they carry is guarded at the callback, or is the page's shell.
_DASH_ASSETS = "_dash_assets.static"
_DASH_ROUTES = ("", "<path:path>", "_dash-layout", "_dash-dependencies", "_dash-update-component")
_DASH_FILES = ("_dash-component-suites/", "_favicon.ico")
_DASH_PREFIXES = (*_DASH_FILES, "_reload-hash")


class UnguardedError(RuntimeError):
    """A route or callback declares no permission: a defect, found at start-up."""


def guarded(need: str) -> Callable[[Handler], Handler]:
    """
    Declare the permission a route or callback needs; refuse accounts without it.

    The handler finds the account's scope in `current_scope()`.
    """

    def wrap(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def checked(*args: Any, **named: Any) -> Any:
            if need != OPEN and need not in current_scope().permissions:
                raise NotAllowed(Fault(key="not_allowed", values={"need": need}))
            return handler(*args, **named)

        setattr(checked, PERMISSION, need)
        return checked  # type: ignore[return-value]

    return wrap


def current_scope() -> Scope:
    """Return the scope of the account behind this request; without one nothing is allowed."""
    scope: Scope | None = g.get("scope")
    return scope or Scope(account="", grids=frozenset(), permissions=frozenset())


def install_guard(app: Dash, *, account_of: Callable[[Any], Scope | None]) -> None:
    """
    Give every request the scope of its account before anything else runs.

    Without an account nothing answers but what is open: the health check, styles and scripts.
    """
    server: Flask = app.server

    @server.before_request
    def _identify() -> None:
        g.scope = account_of(request)
        if g.scope is None and not _is_open(app, request.endpoint):
            raise NotAllowed(Fault(key="no_account"))


def check_guards(app: Dash) -> None:
    """
    Refuse to start while a route or a callback declares no permission.

    Raises UnguardedError naming each one.
    """
    server: Flask = app.server
    routes = [
        rule.rule
        for rule in server.url_map.iter_rules()
        if not hasattr(server.view_functions[rule.endpoint], PERMISSION)
        and not _of_dash(app, rule.endpoint)
    ]
    callbacks = [
        name
        # Those of `dash.callback` join the app's own at its first request.
        for name, entry in {**GLOBAL_CALLBACK_MAP, **app.callback_map}.items()
        if "callback" in entry and _permission_of(entry["callback"]) is None
    ]
    if routes or callbacks:
        raise UnguardedError(f"no permission declared: {', '.join([*routes, *callbacks])}")


def _permission_of(handler: Any) -> str | None:
    while handler is not None:
        permission: str | None = getattr(handler, PERMISSION, None)
        if permission:
            return permission
        handler = getattr(handler, "__wrapped__", None)
    return None


def _is_open(app: Dash, endpoint: str | None) -> bool:
    if endpoint is None:
        return False
    name = endpoint.removeprefix(app.config.routes_pathname_prefix)
    declared = getattr(app.server.view_functions.get(endpoint), PERMISSION, None)
    return declared == OPEN or name.startswith(_DASH_FILES) or endpoint.endswith(_DASH_ASSETS)


def _of_dash(app: Dash, endpoint: str) -> bool:
    name = endpoint.removeprefix(app.config.routes_pathname_prefix)
    known = name in _DASH_ROUTES or name.startswith(_DASH_PREFIXES)
    return known or endpoint.endswith(_DASH_ASSETS)
