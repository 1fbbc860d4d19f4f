"""Plain pages: forms and tables that need no script, drawn by the server from a template."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, render_template, request

from dashboard.frame import ICON
from dashboard.parts import numbers
from dashboard.parts.pages import list_pages
from dashboard.parts.who import role_of
from dashboard.services import Services
from dashboard.sessions import current_visit
from geodata.words import Lang, parse_lang, say

TEMPLATES = "templates"  # beside this module
PRIVATE = "private, no-store"


def install_plain_pages(server: Flask, services: Services) -> None:
    """Let templates speak our words and know the city; Jinja escapes every value it is given."""
    settings = services.city.settings
    server.jinja_env.globals.update(
        icon=ICON,
        base=services.base_path,
        city={"zh": settings.name_zh, "en": settings.name_en},
        list_pages=list_pages,
        moment=lambda at: numbers.moment(at, settings.timezone),
    )


def draw_plain(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a plain page, in the language and theme that its address or the browser asks for."""
    lang = find_page_lang()
    theme = "light" if request.args.get("theme") == "light" else "dark"

    def speak(key: str, **named: Any) -> str:
        return say(key, lang, **named)

    visit = current_visit()
    other: Lang = "en" if lang == "zh" else "zh"
    body = render_template(
        template,
        say=speak,
        visit=visit,
        role="" if visit is None else role_of(visit, lang),
        lang=lang,
        theme=theme,
        shown=urlencode({"lang": lang, "theme": theme}),  # for a link that keeps both
        swapped=urlencode({**request.args, "theme": theme, "lang": other}),
        **values,
    )
    response = Response(body, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = PRIVATE
    return response


def find_page_lang() -> Lang:
    """Return the language of a plain page: the address's, else the browser's."""
    return parse_lang(request.args.get("lang") or request.accept_languages.best)
