"""The wall: a screen that nobody sits at, read across a room."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dash import Dash, html
from flask import has_request_context, request

from dashboard.gridmap import GridMap
from dashboard.guard import current_scope
from dashboard.services import Services
from dashboard.wall import news, stage
from geodata.words import LANGS, Lang, parse_lang, say
from layers.layer import Theme

PARTS = ("keys", "late", "steps", "today", "film", "ticker")
SIDE = ("alarms", "kinds", "top", "sources")
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
        if facts is None:
            return draw_wall(services, stage.draw_ground(facts, first), first)
        # The page's own address says which language, theme and scene it will ask for.
        query = dict(parse_qsl(urlsplit(request.referrer or "").query))
        asked = news.read_asked({"lang": first} | query)
        begun = news.begin_map(services, facts, asked, now=services.now())
        return draw_wall(services, begun["props"], asked.lang, theme=asked.theme, begun=begun)

    app.layout = layout


def draw_wall(
    services: Services,
    given: dict[str, Any],
    lang: Lang,
    *,
    theme: Theme = "dark",
    begun: dict[str, Any] | None = None,
) -> html.Div:
    """Return the wall without a figure: its script fills each part as it comes."""
    settings, base = services.city.settings, services.base_path
    names = {"zh": settings.name_zh, "en": settings.name_en}
    spoken = {
        f"data-{name}-{one}": say(f"wall.{name}", one, **values)
        for one in LANGS
        for name, values in (
            ("title", {"city": names[one]}),
            ("city", {"city": names[one]}),
            ("lost", {"at": "{at}", "age": "{age}"}),
            ("behind", {"at": "{at}", "age": "{age}"}),
            ("held", {}),
            ("over", {}),
            ("queue", {"n": "{n}", "of": "{of}"}),
        )
    }
    if begun is not None:
        spoken["data-place"] = str(begun["place"])
        spoken |= {f"data-{name}": mark for name, mark in begun["marks"].items()}
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
