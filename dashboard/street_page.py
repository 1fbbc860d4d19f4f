"""The street: from the city by clicks to a grid and its oldest case; every step is a link."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output, html

from dashboard.gridmap import map_words
from dashboard.parts import page_frame, who
from dashboard.services import Services
from dashboard.street import asked_routes, export_routes, playback, routes
from geodata.words import parse_lang

OWN_ASSETS = (
    "street.css",
    "street.js",
    "street_ask.js",
    "street_filters.js",
    "street_find.js",
    "street_play.js",
    "street_table.js",
    "street_tree.js",
    "street_whose.js",
    "street_words.js",
)
_COVERED_PX = {"top": 52, "bottom": 60}


def add_page(app: Dash, services: Services) -> None:
    """Give the application the street; its script asks for each step."""
    for add in (
        routes.add_routes,
        asked_routes.add_routes,
        export_routes.add_routes,
        playback.add_routes,
    ):
        add(app.server, services)
    app.layout = _draw(services)
    who.add_who(app, base_path=services.base_path)
    app.clientside_callback(
        ClientsideFunction("street", "follow_map"),
        Output("page", "className"),
        *(Input("map", name) for name in ("clicked", "viewport", "status")),
    )


def _draw(services: Services) -> html.Div:
    """Return the page without a figure: its script fills each part as it comes."""
    lang = parse_lang(services.city.settings.lang)
    over_map = (
        html.Div(id="street-tools"),
        html.Div(id="street-legend", role="region"),
        html.Div(id="street-play"),
    )
    return page_frame.draw_page(
        services,
        name="street",
        bar=[html.Nav(id="crumbs"), html.Div(id="street-controls")],
        main=html.Main(
            id="stage",
            children=[
                page_frame.draw_map_box(
                    services, *over_map, covered=_COVERED_PX, words=map_words(lang)
                ),
                page_frame.draw_side(),
            ],
        ),
        over=[html.Div(id="street-popover")],
    )
