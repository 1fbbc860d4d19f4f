"""The frame of a screen that its own script fills: the bar, a box for the map, a side, dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboard.gridmap import GridMap
from dashboard.parts import who
from dashboard.services import Services
from geodata.words import parse_lang, say


def draw_page(
    services: Services, *, name: str, bar: Sequence[Any], main: html.Main, over: Sequence[Any]
) -> html.Div:
    """
    Return a screen without a figure: `bar` stands between the mark and who is there.

    The script reads the base path, the language and the time zone from the page's own data.
    """
    settings, base = services.city.settings, services.base_path
    lang = parse_lang(settings.lang)
    return html.Div(
        id="page",
        className=name,
        **{"data-base": base, "data-lang": lang, "data-zone": settings.timezone},
        children=[
            dcc.Store(id="lang"),
            html.Header(
                id="bar",
                children=[
                    html.A(say("product.mark", lang), href=f"{base}/", className="mark"),
                    *bar,
                    who.draw(),
                    html.A("中 / EN", id="lang-switch", className="tool", href="?"),
                    html.Button("◐", id="theme-switch", className="tool"),
                ],
            ),
            main,
            *over,
        ],
    )


def draw_map_box(services: Services, *over: Any, **options: Any) -> html.Div:
    """Return the box with the map and what lies over it; `options` are the map's own."""
    lang = parse_lang(services.city.settings.lang)
    shown = GridMap(id="map", basePath=f"{services.base_path}/", theme="dark", lang=lang, **options)
    return html.Div(id="map-box", children=[shown, *over])


def draw_side() -> html.Aside:
    """Return the side, still empty; it takes the focus, for it scrolls."""
    return html.Aside(id="side", role="region", tabIndex=0)
