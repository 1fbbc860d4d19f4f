"""The frame of every page: its HTML, its headers, its policy on what a browser may load."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from dash import Dash
from flask import Response

from geodata.city import City
from geodata.words import LANGS, say

# In the page itself: a file would be asked for again each time the address changes.
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%230b1220'/%3E"
    "%3Cpath d='M3 3h4v4H3zm6 0h4v4H9zM3 9h4v4H3z' fill='%234cc2ff'/%3E"
    "%3Cpath d='M9 9h4v4H9z' fill='%23ff6b6b'/%3E%3C/svg%3E"
)
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

_NOTHING = 204


def add_headers(screens: Sequence[Dash]) -> Callable[[Response], Response]:
    """Return what gives every answer the policy of these screens' scripts."""
    kept: dict[str, str] = {}

    def add(response: Response) -> Response:
        if not kept:
            hashes = {item.strip("'") for app in screens for item in app.csp_hashes()}
            scripts = " ".join(["'self'", *(f"'{item}'" for item in sorted(hashes))])
            policy = {**_POLICY, "script-src": scripts}
            kept["csp"] = "; ".join(f"{name} {value}" for name, value in policy.items())
        if response.status_code != _NOTHING:  # what a poll is told most of the time stays small
            response.headers["Content-Security-Policy"] = kept["csp"]
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return add


def draw_index(city: City) -> str:
    """Return a screen's frame: dark until told otherwise, its renderer named for old browsers."""
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
<link rel="icon" href="{ICON}">
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
