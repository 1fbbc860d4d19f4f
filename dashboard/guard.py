"""The guard: every route and callback declares the permission it needs, or nothing starts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from dash import Dash
from dash._callback import GLOBAL_CALLBACK_MAP
from flask import Flask, Request, current_app, g, redirect, request

from dashboard.limits import LIMITS, Limits
from dashboard.origins import check_origin
from dashboard.sessions import Sessions, address_of, current_visit, wants_page
from dashboard.trail import LOGGED, begin_trail, end_trail, note_refusal
from geodata.access.scope import Scope
from geodata.errors import Fault, NotAllowed, NotFound, NotSignedIn

Handler = TypeVar("Handler", bound=Callable[..., Any])
PERMISSION, ALSO, LOG = "__getu_permission__", "__getu_also__", "__getu_log__"
APPS = "getu_screens"  # where a server keeps its Dash applications
OPEN = "open"  # anyone who reaches the server: the page's own shell, styles and scripts
EXPORT = "export"
STRANGERS_BYTES = 16_000  # of a body before anybody is signed in

# Dash's own routes: what they carry is guarded at the callback, or is the page's shell.
_DASH_ASSETS = "_dash_assets.static"
UPDATE = "_dash-update-component"
_DASH_ROUTES = ("", "<path:path>", "_dash-layout", "_dash-dependencies", UPDATE)
_DASH_FILES = ("_dash-component-suites/", "_favicon.ico")
_DASH_PREFIXES = (*_DASH_FILES, "_reload-hash")


class UnguardedError(RuntimeError):
    """A route or callback declares no permission: a defect, found at start-up."""


def guarded(
    need: str, *, also: str = "", logs: str | None = None, writes: str | None = None
) -> Callable[[Handler], Handler]:
    """
    Declare the permission a route or callback needs, and what it leaves in the log.

    Accounts without the permission, and without what it needs `also`, are refused; the handler
    finds the account's scope in `current_scope()`. `logs` names the act that is noted before the
    answer leaves ("view.card"); the handler says with `trail.show` what it showed. `logs=""` is for
    what shows no row. `writes` names what the handler writes into the log itself, in the
    transaction of the act. Without either, whatever needs more than `read` is logged under the name
    of its permission.
    """
    act = logs if logs is not None else need if need in LOGGED and writes is None else ""

    def wrap(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def checked(*args: Any, **named: Any) -> Any:
            lacking = {need, also} - {OPEN, ""} - current_scope().permissions
            if lacking:
                note_refusal(current_scope())
                raise NotAllowed(Fault(key="not_allowed", values={"need": min(lacking)}))
            run = handler if need != EXPORT else _in_turn(handler)
            if not act:
                return run(*args, **named)
            begin_trail()
            try:
                answer = run(*args, **named)
            except (NotFound, NotAllowed):
                note_refusal(current_scope())
                raise
            end_trail(current_scope(), act)
            return answer

        setattr(checked, PERMISSION, need)
        setattr(checked, ALSO, also)
        setattr(checked, LOG, writes or logs)
        return checked  # type: ignore[return-value]

    return wrap


def _in_turn(handler: Handler) -> Handler:
    """Return a handler that waits for one of the places for making an export."""

    def exported(*args: Any, **named: Any) -> Any:
        limits: Limits = current_app.extensions[LIMITS]
        with limits.exporting():
            return handler(*args, **named)

    return exported  # type: ignore[return-value]


def current_scope() -> Scope:
    """Return the scope of the account behind this request; without one nothing is allowed."""
    scope: Scope | None = g.get("scope")
    return scope or Scope(account="", grids=frozenset(), permissions=frozenset())


def install_guard(
    server: Flask,
    *,
    account_of: Callable[[Request], Scope | None],
    sessions: Sessions,
    limits: Limits,
    base: str,
) -> None:
    """
    Give every request the scope of its account before anything else runs, within its limits.

    Without an account nothing answers but what is open: the health check, styles and scripts, the
    page to sign in. A browser that asks for a page is shown there, everything else is refused. What
    changes something must come from our own pages; the API has no cookie that could be misused.
    """
    server.extensions[LIMITS] = limits
    api = f"{base}/api/"

    @server.before_request
    def _identify() -> Any:
        if is_file(server, request.endpoint):
            return None
        by_token = request.path.startswith(api)
        if not by_token:
            check_origin(request)
        g.scope = account_of(request)
        if by_token:
            return None
        visit, is_open = current_visit(), _is_open(server, request.endpoint)
        if visit is None:
            limits.admit(f"address {address_of(request)}")
            request.max_content_length = STRANGERS_BYTES
            return None if is_open else _show_door(sessions, base)
        if visit.kind == "account":
            limits.admit(f"account {visit.scope.account}")
            limits.enter(visit.scope.account)
            g.entered = visit.scope.account
        if visit.password_due and not is_open:
            if request.method == "GET" and wants_page(request):
                return redirect(f"{base}/password")
            raise NotAllowed(Fault(key="password_due"))
        return None

    @server.teardown_request
    def _leave(_: BaseException | None) -> None:
        entered = g.pop("entered", None)
        if entered is not None:
            limits.leave(entered)


def _show_door(sessions: Sessions, base: str) -> Any:
    """Return what who is not signed in gets: the way to the door, or why there is none."""
    if not sessions.has_accounts():
        raise NotAllowed(Fault(key="no_account"))
    if request.method != "GET" or not wants_page(request):
        raise NotSignedIn(Fault(key="not_signed_in"))
    shown = {name: request.args[name] for name in ("lang", "theme") if name in request.args}
    next_page = request.full_path.rstrip("?")
    return redirect(f"{base}/sign-in?{urlencode({'next': next_page, **shown})}")


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


def is_file(server: Flask, endpoint: str | None) -> bool:
    """Tell whether an endpoint gives styles, scripts and signs: the same for everybody."""
    _, name = find_screen(server, endpoint)
    return name.startswith(_DASH_FILES) or name.endswith(_DASH_ASSETS)


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
    declared = getattr(server.view_functions.get(endpoint), PERMISSION, None)
    return declared == OPEN or is_file(server, endpoint)


def _of_dash(server: Flask, endpoint: str) -> bool:
    screen, name = find_screen(server, endpoint)
    known = name in _DASH_ROUTES or name.startswith(_DASH_PREFIXES)
    return (screen is not None and known) or endpoint.endswith(_DASH_ASSETS)
