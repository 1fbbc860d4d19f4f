"""The street: from the city by clicks to a grid and its oldest case; every step is a link."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from dashboard.gridmap import GridMap
from dashboard.parts import who
from dashboard.services import Services
from dashboard.street import asked_routes, export_routes, playback, routes
from geodata.words import parse_lang, say

OWN_ASSETS = (
    "street.css",
    "street.js",
    "street_ask.js",
    "street_find.js",
    "street_play.js",
    "street_table.js",
    "street_words.js",
)


def add_page(app: Dash, services: Services) -> None:
    """Give the application the street; its script asks for each step."""
    settings = services.city.settings
    lang = parse_lang(settings.lang)
    for add in (
        routes.add_routes,
        asked_routes.add_routes,
        export_routes.add_routes,
        playback.add_routes,
    ):
        add(app.server, services)
    app.layout = _draw(services, GridMap, lang)
    who.add_who(app, base_path=services.base_path)
    app.clientside_callback(
        ClientsideFunction("street", "follow_map"),
        Output("page", "className"),
        *(Input("map", name) for name in ("clicked", "viewport", "status")),
    )


def _draw(services: Services, draw_map: type[GridMap], lang: str) -> html.Div:
    """Return the page without a figure: its script fills each part as it comes."""
    base = services.city.settings.base_path
    spoken = parse_lang(lang)
    return html.Div(
        id="page",
        className="street",
        **{"data-base": base, "data-lang": spoken},
        children=[
            dcc.Store(id="lang"),
            html.Header(
                id="bar",
                children=[
                    html.A(say("product.mark", spoken), href=f"{base}/", className="mark"),
                    html.Nav(id="crumbs"),
                    html.Div(id="street-controls"),
                    who.draw(),
                    html.A("中 / EN", id="lang-switch", className="tool link", href="?"),
                    html.Button("◐", id="theme-switch", className="tool"),
                ],
            ),
            html.Main(
                id="stage",
                children=[
                    html.Div(
                        id="map-box",
                        children=[
                            draw_map(
                                id="map",
                                basePath=f"{base}/",
                                theme="dark",
                                lang=spoken,
                                covered={"top": 52, "bottom": 60},
                            ),
                            html.Div(id="street-tools"),
                            html.Div(id="street-legend", role="region"),
                            html.Div(id="street-play"),
                        ],
                    ),
                    html.Aside(id="side", role="region", tabIndex=0),
                ],
            ),
            html.Div(id="street-popover"),
        ],
    )
