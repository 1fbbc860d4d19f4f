"""The duty desk: cases without a place, disputed, or near a line, and what posts decide on them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard import trail
from dashboard.desk import act_form, acting, case_panel, desk_map, tray_list, wiring
from dashboard.desk.ground import DeskGround, read_desk_ground
from dashboard.desk.readings import read_lang, read_number, read_text
from dashboard.gridmap import GridMap, map_words
from dashboard.guard import current_scope, guarded
from dashboard.parts import bar, who
from dashboard.services import Services
from dashboard.view import View, parse_address
from geodata.desk.trays import (
    TRAYS,
    Lying,
    TrayName,
    count_trays,
    find_seen,
    open_lying,
    read_tray,
)
from geodata.errors import GetuError
from geodata.store.database import read_revision
from geodata.store.decisions import read_decisions
from geodata.store.desk_rows import list_sources
from geodata.words import parse_lang, say

OWN_ASSETS = ("getu.js", "desk.css", "desk.js")
POLL_MS = 10_000
STORES = ("view", "lang", "theme", "case", "pin", "seen", "revision", "marks", "saved", "labels")
LABELS = ("trays", "tray", "source", "closed", "theme-switch", "list", "what", "reason", "code")


def add_page(app: Dash, services: Services) -> None:
    """Give the application the desk and its callbacks."""
    city = services.city
    start = View(lang=parse_lang(city.settings.lang))
    app.layout = _layout(start, base_path=city.settings.base_path)
    wiring.add_browser_callbacks(app)
    who.add_who(app, base_path=services.base_path)
    desk_map.add_marks(app.server, base_path=city.settings.base_path)
    _add_reading(app, services, start)
    acting.add_callbacks(app, services)


def _add_reading(app: Dash, services: Services, start: View) -> None:
    city = services.city

    @app.callback(
        Output("view", "data"),
        Output("tray", "value"),
        Output("case", "data"),
        Input("address", "search"),
    )
    @guarded("read.rows", logs="")
    def read_address(search: Any) -> tuple[Any, ...]:
        text = read_text(search, 2000)
        view = parse_address(text, start=start)
        asked = {name: values[-1] for name, values in parse_qs(text.lstrip("?")).items()}
        tray = asked.get("tray")
        with city.database.read() as connection:
            inc = find_seen(
                connection, current_scope(), asked.get("source", ""), asked.get("id", "")
            )
        plain = {"lang": view.lang, "theme": view.theme}
        return plain, tray if tray in TRAYS else TRAYS[0], inc

    @app.callback(
        Output("map", "layers"),
        Output("map", "words"),
        Output("map", "bounds"),
        Output("map", "values"),
        Output("map", "revision"),
        Input("lang", "data"),
        Input("marks", "data"),
        prevent_initial_call=True,
    )
    @guarded("read.rows", logs="")
    def draw_map(lang: Any, marks: Any) -> tuple[Any, ...]:
        facts, spoken = services.pictures.newest(current_scope()), read_lang(lang)
        if facts is None:
            return [], map_words(spoken), None, {}, no_update
        return (
            desk_map.describe(facts, spoken, marks=desk_map.read_marks(marks)),
            map_words(spoken),
            list(facts.bounds),
            desk_map.values(facts),
            facts.revision,
        )

    @app.callback(
        Output("bar-words", "children"),
        Output("labels", "data"),
        Output("closed", "options"),
        Output("source", "placeholder"),
        Output("form-title", "children"),
        Output("code-title", "children"),
        Output("reason-title", "children"),
        Output("reason", "placeholder"),
        Output("save", "children"),
        Output("to-map", "children"),
        Input("lang", "data"),
        prevent_initial_call=True,
    )
    @guarded("read")
    def name_parts(lang: Any) -> tuple[Any, ...]:
        spoken = read_lang(lang)
        name = city.settings.name_zh if spoken == "zh" else city.settings.name_en
        facts = services.pictures.newest(current_scope())
        mark, heading, _, *scope = bar.title(city.settings, spoken, facts=facts)
        return (
            [mark, heading, html.Span(say("desk.title", spoken), className="quiet"), *scope],
            {
                "title": f"{say('desk.title', spoken)} · {name} · {say('product.mark', spoken)}",
                **{part: say(f"desk.label_{part}", spoken) for part in LABELS},
            },
            [{"value": "closed", "label": say("desk.with_closed", spoken)}],
            say("desk.all_sources", spoken),
            say("desk.decide", spoken),
            say("desk.code", spoken),
            say("desk.reason", spoken),
            say("desk.reason_hint", spoken),
            say("desk.save", spoken),
            say("page.map", spoken),
        )

    @app.callback(
        Output("list", "children"),
        Output("tray", "options"),
        Output("source", "options"),
        Output("count", "children"),
        Output("closed", "className"),
        Input("tray", "value"),
        Input("source", "value"),
        Input("closed", "value"),
        Input("lang", "data"),
        Input("revision", "data"),
        Input("saved", "data"),
        prevent_initial_call=True,
    )
    @guarded("read.rows", logs="view.desk")
    def list_tray(tray: Any, source: Any, closed: Any, lang: Any, *_moved: Any) -> Any:
        scope, spoken = current_scope(), read_lang(lang)
        name: TrayName = tray if tray in TRAYS else TRAYS[0]
        with city.database.read() as connection:
            ground = read_desk_ground(connection, city, lang=spoken, now=services.now())
            sources = list_sources(connection)
            found = read_tray(
                connection,
                scope,
                name,
                source=source if source in sources else None,
                closed=closed == ["closed"],
            )
            counts = count_trays(connection, scope)
        trail.show(target=name, n=len(found.rows))
        return (
            tray_list.draw(found, ground, scope=scope),
            tray_list.options(counts, spoken),
            [{"value": one, "label": one} for one in sources],
            tray_list.count_of(found, spoken),
            "switches gone" if name == "near" else "switches",  # only what is open waits there
        )

    @app.callback(
        Output("panel", "children"),
        Output("seen", "data"),
        Output("what", "options"),
        Output("what", "value"),
        Output("form", "hidden"),
        Output("map", "view"),
        Input("case", "data"),
        Input("lang", "data"),
        Input("saved", "data"),
        State("what", "value"),
        prevent_initial_call=True,
    )
    @guarded("read.rows", logs="view.case")
    def show_case(case: Any, lang: Any, _saved: Any, what: Any) -> tuple[Any, ...]:
        scope, spoken = current_scope(), read_lang(lang)
        with city.database.read() as connection:
            ground = read_desk_ground(connection, city, lang=spoken, now=services.now())
            revision = read_revision(connection)
            try:
                inc = read_number(case)
                lying = None if inc is None else open_lying(connection, scope, inc)
            except GetuError as error:
                trail.show(n=0)
                said = html.Div(html.P(error.sentence(spoken)), className="card desk-card")
                return said, None, [], None, True, no_update
            if lying is None:
                trail.show(n=0)
                return case_panel.draw_nothing(ground), None, [], None, True, no_update
            decisions = read_decisions(connection, only=[lying.head.inc])
        head = lying.head
        trail.show(target=f"{head.source}/{head.incident_id}", grid=max(head.owner, 0) or None)
        acts = act_form.list_acts(lying, scope)
        kept = what in acts and ctx.triggered_id == "lang"
        return (
            case_panel.draw(lying, decisions, ground),
            _seen_of(lying, revision, ground),
            act_form.options(acts, spoken),
            what if kept else (acts[0] if acts else None),
            not acts,
            desk_map.look_at(lying, ground, bounds=_bounds(services))
            if ctx.triggered_id == "case"
            else no_update,
        )

    @app.callback(
        Output("revision", "data"), Input("pulse", "n_intervals"), State("revision", "data")
    )
    @guarded("read")
    def follow(_n: Any, seen: Any) -> Any:
        revision = city.database.revision()
        return no_update if revision == seen else revision


def _bounds(services: Services) -> desk_map.Bounds | None:
    facts = services.pictures.newest(current_scope())
    return None if facts is None else facts.bounds


def _seen_of(lying: Lying, revision: int, ground: DeskGround) -> dict[str, Any]:
    """Return what the page knows of the case it shows: what a decision will be checked against."""
    head = lying.head
    return {
        "inc": head.inc,
        "source": head.source,
        "id": head.incident_id,
        "revision": revision,
        "place": ground.lonlat(head),
    }


def _layout(start: View, *, base_path: str) -> html.Div:
    """Return the desk without a word or a row: the callbacks fill both in."""
    return html.Div(
        id="page",
        className="desk",
        children=[
            dcc.Location(id="address", refresh=False),
            *(dcc.Store(id=name) for name in STORES),
            dcc.Interval(id="pulse", interval=POLL_MS),
            _bar(base_path),
            html.Main(
                id="desk",
                children=[
                    _trays(),
                    html.Div(
                        id="map-box",
                        children=[
                            GridMap(
                                id="map",
                                basePath=f"{base_path}/",
                                theme=start.theme,
                                lang=start.lang,
                            )
                        ],
                    ),
                    html.Aside(id="case-side", children=[html.Div(id="panel"), act_form.draw()]),
                ],
            ),
        ],
    )


def _bar(base_path: str) -> html.Header:
    return html.Header(
        id="bar",
        children=[
            html.Div(id="bar-words"),
            html.Div(id="filters"),
            html.Div(id="count", role="status", className="figure"),
            html.A(id="to-map", href=f"{base_path}/", className="tool link"),
            who.draw(),
            html.Button("中 / EN", id="lang-switch", className="tool", title="中文 / English"),
            html.Button("◐", id="theme-switch", className="tool"),
        ],
    )


def _trays() -> html.Aside:
    return html.Aside(
        id="trays",
        children=[
            dcc.RadioItems(id="tray", className="segments", value=TRAYS[0]),
            html.Div(
                id="sift",
                children=[
                    dcc.Dropdown(id="source", className="pick", options=[], clearable=True),
                    dcc.Checklist(id="closed", className="switches", value=[]),
                ],
            ),
            html.Div(id="list", role="region", tabIndex=-1),
        ],
    )
