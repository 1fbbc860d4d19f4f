"""The guard: every route and callback declares the permission it needs, or nothing starts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from dash import Dash
from dash._callback import GLOBAL_CALLBACK_MAP
from flask import Flask, g, request

from dashboard.trail import LOGGED, begin_trail, end_trail, note_refusal
from geodata.errors import Fault, NotAllowed, NotFound
from geodata.scope import Scope

Handler = TypeVar("Handler", bound=Callable[..., Any])
PERMISSION, LOG = "__getu_permission__", "__getu_log__"
APPS = "getu_screens"  # where a server keeps its Dash applications
OPEN = "open"  # anyone who reaches the server: the page's own shell, styles and scripts

# Dash's own routes: what they carry is guarded at the callback, or is the page's shell.
_DASH_ASSETS = "_dash_assets.static"
UPDATE = "_dash-update-component"
_DASH_ROUTES = ("", "<path:path>", "_dash-layout", "_dash-dependencies", UPDATE)
_DASH_FILES = ("_dash-component-suites/", "_favicon.ico")
_DASH_PREFIXES = (*_DASH_FILES, "_reload-hash")


class UnguardedError(RuntimeError):
    """A route or callback declares no permission: a defect, found at start-up."""


def guarded(
    need: str, *, logs: str | None = None, writes: str | None = None
) -> Callable[[Handler], Handler]:
    """
    Declare the permission a route or callback needs, and what it leaves in the log.

    Accounts without the permission are refused; the handler finds the account's scope in
    `current_scope()`. `logs` names the act that is noted before the answer leaves ("view.card");
    the handler says with `trail.show` what it showed. `logs=""` is for what shows no row. `writes`
    names what the handler writes into the log itself, in the transaction of the act. Without
    either, whatever needs more than `read` is logged under the name of its permission.
    """
    act = logs if logs is not None else need if need in LOGGED and writes is None else ""

    def wrap(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def checked(*args: Any, **named: Any) -> Any:
            if need != OPEN and need not in current_scope().permissions:
                note_refusal(current_scope())
                raise NotAllowed(Fault(key="not_allowed", values={"need": need}))
            if not act:
                return handler(*args, **named)
            begin_trail()
            try:
                answer = handler(*args, **named)
            except (NotFound, NotAllowed):
                note_refusal(current_scope())
                raise
            end_trail(current_scope(), act)
            return answer

        setattr(checked, PERMISSION, need)
        setattr(checked, LOG, writes or logs)
        return checked  # type: ignore[return-value]

    return wrap


def current_scope() -> Scope:
    """Return the scope of the account behind this request; without one nothing is allowed."""
    scope: Scope | None = g.get("scope")
    return scope or Scope(account="", grids=frozenset(), permissions=frozenset())


def install_guard(server: Flask, *, account_of: Callable[[Any], Scope | None]) -> None:
    """
    Give every request the scope of its account before anything else runs.

    Without an account nothing answers but what is open: the health check, styles and scripts.
    """

    @server.before_request
    def _identify() -> None:
        g.scope = account_of(request)
        if g.scope is None and not _is_open(server, request.endpoint):
            raise NotAllowed(Fault(key="no_account"))


def check_guards(server: Flask) -> None:
    """
    Refuse to start while a route or a callback of any screen declares no permission.

    Raises UnguardedError naming each one.
    """
    routes = [
        rule.rule
        for rule in server.url_map.iter_rules()
        if not hasattr(server.view_functions[rule.endpoint], PERMISSION)
        and not _of_dash(server, rule.endpoint)
    ]
    screens: tuple[Dash, ...] = server.extensions.get(APPS, ())
    # Those of `dash.callback` join a screen's own at its first request.
    declared = [GLOBAL_CALLBACK_MAP, *(screen.callback_map for screen in screens)]
    callbacks = [
        name
        for callback_map in declared
        for name, entry in callback_map.items()
        if "callback" in entry and _permission_of(entry["callback"]) is None
    ]
    if routes or callbacks:
        raise UnguardedError(f"no permission declared: {', '.join([*routes, *callbacks])}")


def find_screen(server: Flask, endpoint: str | None) -> tuple[Dash | None, str]:
    """Return the screen whose Dash made this endpoint, and the endpoint's name within it."""
    screens: tuple[Dash, ...] = server.extensions.get(APPS, ())
    if endpoint is not None:
        # The longest prefix first: the map's own is the start of every other.
        for screen in sorted(screens, key=lambda app: -len(app.config.routes_pathname_prefix)):
            prefix = screen.config.routes_pathname_prefix
            if endpoint.startswith(prefix):
                return screen, endpoint.removeprefix(prefix)
    return None, endpoint or ""


def _permission_of(handler: Any) -> str | None:
    while handler is not None:
        permission: str | None = getattr(handler, PERMISSION, None)
        if permission:
            return permission
        handler = getattr(handler, "__wrapped__", None)
    return None


def _is_open(server: Flask, endpoint: str | None) -> bool:
    if endpoint is None:
        return False
    _, name = find_screen(server, endpoint)
    declared = getattr(server.view_functions.get(endpoint), PERMISSION, None)
    return declared == OPEN or name.startswith(_DASH_FILES) or endpoint.endswith(_DASH_ASSETS)


def _of_dash(server: Flask, endpoint: str) -> bool:
    screen, name = find_screen(server, endpoint)
    known = name in _DASH_ROUTES or name.startswith(_DASH_PREFIXES)
    return (screen is not None and known) or endpoint.endswith(_DASH_ASSETS)
