"""The door's pages: signing in and out, and changing one's own password."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request

from dashboard.guard import OPEN, guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.sessions import (
    COOKIE,
    DAY_S,
    Sessions,
    Visit,
    current_visit,
    give_cookie,
    take_cookie,
)
from geodata.errors import (
    Fault,
    GetuError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    http_status,
)
from geodata.words import say

FORM_BYTES = 8_000
View = Callable[[], Response]
_BROWSERS_OWN = ("\\", "\t", "\n", "\r", "\0")


def add_sign_in(server: Flask, sessions: Sessions, services: Services) -> None:
    """Add `/sign-in`, `/sign-out` and `/password` below the base path."""
    base, settings = services.base_path, services.city.settings

    @guarded(OPEN)
    def show_sign_in() -> Response:
        if current_visit() is not None:
            return _go(find_next(base))
        _check_accounts(sessions)
        return draw_plain("sign_in.html", next=request.args.get("next", ""), name="", fault="")

    @guarded(OPEN)
    def sign_in() -> Response:
        _check_accounts(sessions)
        request.max_content_length = FORM_BYTES
        name = request.form.get("name", "")
        target = request.form.get("next") or request.args.get("next", "")
        try:
            secret, account = sessions.sign_in(
                name, request.form.get("password", ""), request=request
            )
        except (NotSignedIn, TooMany) as error:
            return _again("sign_in.html", error, next=target, name=name)
        response = _go(f"{base}/password" if account.one_time else find_next(base, target))
        days = settings.device_session_days * DAY_S if account.device else None
        give_cookie(response, COOKIE, secret, base=base, max_age_s=days)
        return response

    @guarded(OPEN)
    def sign_out() -> Response:
        _check_accounts(sessions)
        visit = current_visit()
        if visit is not None:
            sessions.sign_out(visit)
        response = _go(f"{base}/sign-in")
        take_cookie(response, COOKIE, base=base)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    _add(server, f"{base}/sign-in", "getu_sign_in", show_sign_in, sign_in)
    _add(server, f"{base}/sign-out", "getu_sign_out", None, sign_out)
    _add_password(server, sessions, services)


def _add_password(server: Flask, sessions: Sessions, services: Services) -> None:
    base, settings = services.base_path, services.city.settings

    @guarded(OPEN)
    def show_password() -> Response:
        _visit_of_account(sessions)
        return draw_plain("password.html", fault="", least=settings.password_least, done=False)

    @guarded(OPEN)
    def change_password() -> Response:
        request.max_content_length = FORM_BYTES
        visit, form = _visit_of_account(sessions), request.form
        known = {"least": settings.password_least, "done": False}
        new = form.get("new", "")
        try:
            if new != form.get("again", ""):
                raise NotAllowed(Fault(key="password_differs"))
            secret = sessions.change_password(visit, form.get("old", ""), new, request=request)
        except (NotAllowed, TooMany) as error:
            return _again("password.html", error, **known)
        response = draw_plain("password.html", fault="", **{**known, "done": True})
        give_cookie(response, COOKIE, secret, base=base, max_age_s=None)
        return response

    _add(server, f"{base}/password", "getu_password", show_password, change_password)


def _add(server: Flask, place: str, name: str, get: View | None, post: View) -> None:
    if get is not None:
        server.add_url_rule(place, name, get, methods=["GET"], provide_automatic_options=False)
    server.add_url_rule(
        place, f"{name}_posted", post, methods=["POST"], provide_automatic_options=False
    )


def find_next(base: str, target: str | None = None) -> str:
    """
    Return where to go after signing in: a page of this server and no other, else the map.

    What a browser would read as another host is no page of ours.
    """
    asked = request.args.get("next", "") if target is None else target
    if any(sign in asked for sign in _BROWSERS_OWN) or not asked.startswith(f"{base}/"):
        return f"{base}/"
    try:
        parts = urlsplit(asked)
    except ValueError:
        return f"{base}/"
    outside = parts.scheme or parts.netloc or asked.startswith("//")
    own = parts.path.removeprefix(base).strip("/").split("/")[0]
    return f"{base}/" if outside or own in ("sign-in", "sign-out", "password") else asked


def _check_accounts(sessions: Sessions) -> None:
    """Refuse a stranger to a city without accounts: there is nothing to sign in to."""
    if not sessions.has_accounts():
        raise NotAllowed(Fault(key="no_account"))


def _visit_of_account(sessions: Sessions) -> Visit:
    """Return who is signed in with a password of their own; raises NotSignedIn or NotFound."""
    _check_accounts(sessions)
    visit = current_visit()
    if visit is None:
        raise NotSignedIn(Fault(key="not_signed_in"))
    if visit.account is None or visit.account.device:
        raise NotFound(Fault(key="password_not_here"))
    return visit


def _again(template: str, error: GetuError, **values: object) -> Response:
    """Return a form again, with what was wrong; what was typed into a password stays out."""
    lang = find_page_lang()
    fault = error.faults[0]
    text = say("report.fault", lang, cause=fault.cause(lang), remedy=fault.remedy(lang))
    response = draw_plain(template, status=http_status(error), fault=text, **values)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(fault.values["seconds"])
    return response


def _go(address: str) -> Response:
    response: Response = redirect(address, code=303)  # type: ignore[assignment]
    return response
