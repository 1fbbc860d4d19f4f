"""The planner: redraw the grids, see what it changes, and bring it into force."""

from __future__ import annotations

from dash import Dash, dcc, html

from dashboard.gridmap import GridMap
from dashboard.parts import who
from dashboard.planner import routes
from dashboard.services import Services
from geodata.words import parse_lang, say

OWN_ASSETS = (
    "planner.css",
    "planner.js",
    "planner_bench.js",
    "planner_past.js",
    "planner_side.js",
)


def add_page(app: Dash, services: Services) -> None:
    """Give the application the planner; its script asks for the draft and posts each gesture."""
    settings = services.city.settings
    base, lang = settings.base_path, parse_lang(settings.lang)
    routes.add_planner(app.server, services)
    who.add_who(app, base_path=base)
    app.layout = html.Div(
        id="page",
        className="planner",
        **{"data-base": base, "data-lang": lang, "data-zone": settings.timezone},
        children=[
            dcc.Store(id="lang"),
            html.Header(
                id="bar",
                children=[
                    html.A(say("product.mark", lang), href=f"{base}/", className="mark"),
                    html.Div(id="plan-bar"),
                    who.draw(),
                    html.A("中 / EN", id="lang-switch", className="tool", href="?"),
                    html.Button("◐", id="theme-switch", className="tool"),
                ],
            ),
            html.Main(
                id="bench",
                children=[
                    html.Div(id="tools", role="toolbar"),
                    html.Div(
                        id="map-box",
                        children=[
                            GridMap(
                                id="map",
                                basePath=f"{base}/",
                                theme="dark",
                                lang=lang,
                                sketch=True,
                            ),
                            html.Div(id="tool-hint", role="status"),
                            html.Div(id="band-legend", role="region"),
                        ],
                    ),
                    html.Aside(id="side", role="region", tabIndex=0),
                ],
            ),
            html.Div(id="planner-says", role="alert", hidden=True),
            html.Section(id="planner-sheet", hidden=True, role="dialog", tabIndex=-1),
        ],
    )
