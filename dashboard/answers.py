"""What the server says when it cannot do what was asked: plain sentences, hardly ever a page."""

from __future__ import annotations

from typing import Any

from dash.exceptions import DependencyException
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from dashboard.plain import draw_plain, find_page_lang
from dashboard.sessions import current_visit, wants_page
from geodata.access.accounts import ROLES
from geodata.errors import Busy, GetuError, NotFound, TooMany, http_status
from geodata.words import Lang, join, parse_lang, say

_FORBIDDEN, _SERVER_ERROR = 403, 500
_REDIRECTS = range(300, 400)
# No browser reads plain text as a page; the signs are blunted for whatever passes it on.
_BLUNT = str.maketrans("<>", "‹›")


def add_answers(server: Flask) -> None:
    """Answer every error in words: a user's own, Flask's, Dash's, and our defects."""
    server.register_error_handler(GetuError, answer_fault)
    server.register_error_handler(HTTPException, _answer_http)
    server.register_error_handler(DependencyException, _answer_missing)


def answer_fault(error: GetuError) -> Response:
    """Return an error as the sentence that says what, where and what to do; to people as a page."""
    if wants_page(request) and current_visit() is not None:
        if error.faults[0].key == "not_allowed":
            return _draw_refusal(str(error.faults[0].values["need"]))
        if isinstance(error, NotFound):
            said = error.sentence(find_page_lang())
            return draw_plain(
                "missing.html", status=http_status(error), said=said, path=request.path
            )
    answer = _plain(error.sentence(_lang()), http_status(error))
    seconds = error.faults[0].values.get("seconds")
    if isinstance(error, TooMany | Busy) and seconds:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def _draw_refusal(need: str) -> Response:
    """Return the page for an account that lacks a permission: whose role has it, where to go."""
    lang = find_page_lang()
    roles = [say(f"role.{name}", lang) for name, may in ROLES.items() if need in may]
    return draw_plain("refused.html", status=_FORBIDDEN, roles=join(roles, lang))


def _answer_http(error: HTTPException) -> Any:
    status = error.code or _SERVER_ERROR
    if status in _REDIRECTS:
        return error
    failed = status >= _SERVER_ERROR
    return _plain(say("page.failed" if failed else "page.refused", _lang(), status=status), status)


def _answer_missing(_: DependencyException) -> Response:
    return _plain(say("page.refused", _lang(), status=404), 404)


def _lang() -> Lang:
    return parse_lang(request.args.get("lang") or request.accept_languages.best)


def _plain(text: str, status: int) -> Response:
    return Response(text.translate(_BLUNT), status=status, mimetype="text/plain")
