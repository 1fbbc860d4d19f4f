"""The planner: redraw the grids, see what it changes, and bring it into force."""

from __future__ import annotations

from dash import Dash, html

from dashboard.parts import who
from dashboard.parts.page_frame import draw_map_box, draw_page, draw_side
from dashboard.planner import routes
from dashboard.services import Services

OWN_ASSETS = (
    "planner.css",
    "planner.js",
    "planner_bench.js",
    "planner_exchange.js",
    "planner_forms.js",
    "planner_impact.js",
    "planner_line.js",
    "planner_past.js",
    "planner_side.js",
    "planner_signs.js",
)


def add_page(app: Dash, services: Services) -> None:
    """Give the application the planner; its script asks for the draft and posts each gesture."""
    routes.add_planner(app.server, services)
    who.add_who(app, base_path=services.base_path)
    app.layout = draw_page(
        services,
        name="planner",
        bar=[html.Div(id="plan-bar")],
        main=html.Main(
            id="bench",
            children=[
                html.Div(id="tools", role="toolbar"),
                draw_map_box(
                    services,
                    html.Div(id="tool-hint", role="status"),
                    html.Div(id="band-legend", role="region"),
                    sketch=True,
                ),
                draw_side(),
            ],
        ),
        over=[
            html.Div(id="planner-says", role="alert", hidden=True),
            html.Section(id="planner-sheet", hidden=True, role="dialog", tabIndex=-1),
        ],
    )
