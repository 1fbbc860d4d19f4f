"""The wall: a screen that nobody sits at, read across a room."""

from __future__ import annotations

from typing import Any

from dash import Dash, html
from flask import has_request_context

from dashboard.gridmap import GridMap
from dashboard.guard import current_scope
from dashboard.services import Services
from dashboard.wall import news, stage
from geodata.wall.scenes import read_scenes
from geodata.words import LANGS, Lang, parse_lang, say
from layers.layer import Theme

PARTS = ("keys", "late", "steps", "today", "ticker")
SIDE = ("alarms", "top", "sources")
OWN_ASSETS = ("live.js", "wall.css", "wall.js")


def add_page(app: Dash, services: Services) -> None:
    """Give the application the wall; its script asks for what is new."""
    first = parse_lang(services.city.settings.lang)
    news.add_news(app.server, services)
    stage.add_marks(app.server, lambda: services.city.crs, base_path=services.base_path)

    def layout() -> html.Div:
        # Dash also asks once at start-up, for nobody.
        scope = current_scope() if has_request_context() else None
        facts = services.pictures.newest(scope) if scope and scope.has("read.rows") else None
        given: dict[str, Any] = stage.draw_ground(facts, first)
        if facts is not None:
            given |= stage.draw_scene(
                facts,
                read_scenes(services.city, first).scenes[0],
                now=services.now(),
                lang=first,
                theme="dark",
                sigma_px=services.city.settings.heat_sigma_px,
            )
        return draw_wall(services, given, first)

    app.layout = layout


def draw_wall(services: Services, given: dict[str, Any], lang: Lang) -> html.Div:
    """Return the wall without a figure: its script fills each part as it comes."""
    settings, base = services.city.settings, services.base_path
    names = {"zh": settings.name_zh, "en": settings.name_en}
    theme: Theme = "dark"
    spoken = {
        f"data-{name}-{one}": say(f"wall.{name}", one, **values)
        for one in LANGS
        for name, values in (
            ("title", {"city": names[one]}),
            ("city", {"city": names[one]}),
            ("lost", {"at": "{at}", "age": "{age}"}),
            ("held", {}),
            ("queue", {"n": "{n}", "of": "{of}"}),
        )
    }
    return html.Div(
        id="page",
        className="wall",
        **{"data-base": base, "data-zone": settings.timezone, "data-lang": lang, **spoken},
        children=[
            html.Header(
                id="wall-head",
                children=[
                    html.H1(names[lang], id="wall-city"),
                    html.Span(id="wall-scene", role="status"),
                    html.Div(id="part-head"),
                    html.Time(id="wall-clock"),
                ],
            ),
            html.Main(
                id="wall",
                children=[
                    html.Div(
                        id="map-box",
                        children=[
                            GridMap(
                                **given,
                                id="map",
                                basePath=f"{base}/",
                                theme=theme,
                                lang=lang,
                                interactive=False,
                                controls=False,
                            ),
                            html.Div(id="part-legend"),
                            html.Section(id="wall-card", hidden=True, role="alert"),
                        ],
                    ),
                    *(html.Section(id=f"part-{name}", className="part") for name in PARTS),
                    html.Div(
                        [html.Section(id=f"part-{name}", className="part") for name in SIDE],
                        id="wall-side",
                    ),
                ],
            ),
            html.Div(id="live-lost", role="alert", hidden=True),
            html.Div(id="wall-dim", hidden=True),
        ],
    )
