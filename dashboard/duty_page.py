"""The duty desk: alarms in the order to take them, what to do about one, and the wall it steers."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from flask import has_request_context

from dashboard.duty import news, trial
from dashboard.gridmap import GridMap
from dashboard.guard import current_scope
from dashboard.parts import who
from dashboard.services import Services
from geodata.words import LANGS, Lang, parse_lang, say

OWN_ASSETS = ("live.js", "duty.css", "duty.js")
_ACT = "act"
_SPOKEN = (
    *("title", "queue", "sound_armed", "sound_blocked", "sound_test", "shift", "wall", "held"),
    *("release", "hold_scene", "none_open", "failed", "done", "trial"),
)


def add_page(app: Dash, services: Services) -> None:
    """Give the application the duty desk; its script asks for what is new."""
    first = parse_lang(services.city.settings.lang)
    news.add_news(app.server, services)
    trial.add_trial(app.server, services)

    def layout() -> html.Div:
        # Dash also asks once at start-up, for nobody.
        scope = current_scope() if has_request_context() else None
        if scope is not None and not scope.has(_ACT):
            return _refuse(services)
        facts = services.pictures.newest(scope) if scope else None
        tries = services.city.settings.demo and facts is not None and trial.is_possible(facts)
        return _draw(services, news.draw_ground(facts, first), first, tries=tries)

    app.layout = layout
    who.add_who(app, base_path=services.base_path)
    app.clientside_callback(
        ClientsideFunction("duty", "take_click"),
        Output("duty-map", "className"),
        Input("map", "clicked"),
        prevent_initial_call=True,
    )


def _refuse(services: Services) -> html.Div:
    """Return what an account without the permission to act is told."""
    return html.Div(
        id="page",
        className="duty-refused",
        children=[
            *(html.P(say("duty.refused", lang), lang=lang) for lang in LANGS),
            html.A(say("page.map", "zh"), href=f"{services.base_path}/", className="tool"),
            html.A(say("page.map", "en"), href=f"{services.base_path}/?lang=en", className="tool"),
        ],
    )


def _draw(services: Services, given: dict[str, Any], lang: Lang, *, tries: bool) -> html.Div:
    settings, base = services.city.settings, services.base_path
    names = {"zh": settings.name_zh, "en": settings.name_en}
    spoken = {
        f"data-{name.replace('_', '-')}-{one}": say(f"duty.{name}", one, what="{what}", why="{why}")
        for one in LANGS
        for name in _SPOKEN
    }
    spoken |= {f"data-lost-{one}": say("wall.lost", one, at="{at}", age="{age}") for one in LANGS}
    spoken |= {f"data-city-{one}": names[one] for one in LANGS}
    return html.Div(
        id="page",
        className="duty",
        **{"data-base": base, "data-zone": settings.timezone, "data-lang": lang, **spoken},
        children=[
            html.Header(
                id="bar",
                children=[
                    html.Div(
                        id="bar-words",
                        children=[
                            html.A(say("product.mark", lang), className="mark", href=f"{base}/"),
                            html.H1(id="duty-city"),
                            html.Span(id="duty-title", className="quiet"),
                        ],
                    ),
                    html.Div(id="duty-hold", role="group"),
                    html.Span(id="duty-lamp", role="status"),
                    html.Button(id="duty-test", className="tool"),
                    # Beside the desk, whose sound must go on.
                    *(
                        html.A(
                            id=name, className="tool link", href=f"{base}{path}", target="_blank"
                        )
                        for name, path in (("duty-shift", "/duty/log"), ("duty-wall", "/wall/"))
                    ),
                    html.Time(id="duty-clock"),
                    who.draw(),
                    html.A("中 / EN", id="lang-switch", className="tool link", href="?"),
                ],
            ),
            html.Main(
                id="duty",
                children=[
                    html.Div(
                        id="duty-queue",
                        children=[
                            html.Nav(id="part-queue"),
                            *([html.Button(id="duty-trial", className="tool")] if tries else ()),
                        ],
                    ),
                    html.Div(
                        id="duty-map",
                        children=[
                            GridMap(**given, id="map", basePath=f"{base}/", theme="dark", lang=lang)
                        ],
                    ),
                    html.Aside(
                        id="duty-side",
                        children=[
                            html.Div(id="duty-card", tabIndex=-1),
                            html.Div(id="duty-acts"),
                            html.P(id="duty-said", role="status"),
                        ],
                    ),
                ],
            ),
            html.Div(id="live-lost", role="alert", hidden=True),
            dcc.Store(id="lang"),
        ],
    )
