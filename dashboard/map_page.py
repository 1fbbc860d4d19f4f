"""The map page: the city's grids with their incidents, filters, legend and the card of a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, Patch, State, dcc, html, no_update
from flask import has_request_context

from dashboard import trail
from dashboard.gridmap import GridMap, map_words
from dashboard.guard import current_scope, guarded
from dashboard.parts import bar, grid_card, layer_panel, overview, source_badge, who
from dashboard.services import Services
from dashboard.view import View, parse_address, parse_view, read_query
from geodata.access.sight import Sight
from geodata.settings import Settings
from geodata.words import Lang, join, parse_lang, say
from layers.layer import Picture
from layers.registry import LAYERS

ASSETS = Path(__file__).parent / "assets"
OWN_ASSETS = ("getu.js",)
POLL_MS = 2_500  # an event is on every screen within three seconds
CONTROLS = ("days", "state", "shown", "legend", "side", "theme-switch")
MINUTE_MS = 60_000  # time alone makes cases late and data old
STORES = ("view", "lang", "theme", "grid", "revision", "labels")


def add_page(app: Dash, services: Services) -> None:
    """Give the application the map page and its callbacks."""
    city, pictures = services.city, services.pictures
    start = View(lang=parse_lang(city.settings.lang))

    def layout() -> html.Div:
        # What the map needs first comes with the page: it fetches while callbacks are on their way.
        # Dash also asks once at start-up, for nobody.
        scope = current_scope() if has_request_context() else None
        facts = pictures.newest(scope) if scope and scope.has("read") else None
        return _layout(start, base_path=city.settings.base_path, facts=facts)

    app.layout = layout
    _add_browser_callbacks(app)
    who.add_who(app, base_path=services.base_path)

    @app.callback(
        Output("view", "data"),
        Output("days", "value"),
        Output("state", "value"),
        Output("category", "value"),
        Output("shown", "value"),
        Input("address", "search"),
    )
    @guarded("read")
    def read_address(search: Any) -> tuple[Any, ...]:
        view = parse_address(search if isinstance(search, str) else "", start=start)
        known = {layer.id for layer in _allowed()}
        default = [layer.id for layer in _allowed() if layer.visible]
        shown = default if view.shown is None else [item for item in view.shown if item in known]
        plain = {"lang": view.lang, "theme": view.theme, "grid": view.grid}
        return plain, view.days, view.state, view.category, shown

    @app.callback(
        Output("map", "layers"),
        Output("map", "words"),
        Output("map", "bounds"),
        Output("bar-words", "children"),
        Output("days", "options"),
        Output("state", "options"),
        Output("category", "options"),
        Output("category", "placeholder"),
        Output("category", "labels"),
        Output("shown", "options"),
        Output("layer-title", "children"),
        Output("labels", "data"),
        Output("dropped", "children"),
        Input("lang", "data"),
        Input("revision", "data"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    @guarded("read")
    def describe(lang: Any, _revision: Any, search: Any) -> tuple[Any, ...]:
        facts = pictures.newest(current_scope())
        view = parse_view({"lang": lang}, start=start)
        now_shown = describe_map(facts, view.lang)
        return (
            now_shown["layers"],
            now_shown["words"],
            now_shown["bounds"],
            bar.title(city.settings, view.lang, facts=facts),
            bar.period_options(view.lang),
            bar.state_options(view.lang),
            bar.category_options(facts, view.lang),
            bar.category_hint(view.lang),
            bar.category_labels(view.lang),
            layer_panel.options(_allowed(), view.lang),
            layer_panel.title(view.lang),
            name_controls(city.settings, view.lang),
            _name_dropped(search, facts, view.lang),
        )

    @app.callback(
        Output("map", "values"),
        Output("map", "filter"),
        Output("map", "revision"),
        Output("as-of", "children"),
        Output("legend", "children"),
        Output("overview", "children"),
        Input("lang", "data"),
        Input("days", "value"),
        Input("state", "value"),
        Input("category", "value"),
        Input("shown", "value"),
        Input("theme", "data"),
        Input("revision", "data"),
        Input("minute", "n_intervals"),
        State("map", "revision"),
        prevent_initial_call=True,
    )
    @guarded("read")
    def measure(*raw: Any) -> tuple[Any, ...]:
        names = ("lang", "days", "state", "category", "shown", "theme")
        view = parse_view(dict(zip(names, raw[: len(names)], strict=True)), start=start)
        facts, now = pictures.newest(current_scope()), pictures.now()
        if facts is None:
            return {}, "", no_update, None, [], overview.draw_nothing(view.lang)
        picture = view.picture(facts, now)
        drawn = [layer for layer in _allowed() if view.shown is None or layer.id in view.shown]
        return (
            _values_for(picture, held=raw[-1]),
            view.query(facts, now),
            facts.revision,
            [*bar.as_of(facts, picture, view), *source_badge.draw(city, now=now, lang=view.lang)],
            layer_panel.legends(drawn, picture),
            overview.draw(facts, picture, view),
        )

    @app.callback(
        Output("card", "children"),
        Input("grid", "data"),
        Input("lang", "data"),
        Input("days", "value"),
        Input("state", "value"),
        Input("category", "value"),
        Input("revision", "data"),
        Input("minute", "n_intervals"),
        prevent_initial_call=True,
    )
    @guarded("read", logs="view.card")
    def show_card(*raw: Any) -> Any:
        trail.show(n=0)  # the card says itself how many single cases it shows
        names = ("grid", "lang", "days", "state", "category")
        view = parse_view(dict(zip(names, raw[: len(names)], strict=True)), start=start)
        if view.grid is None:
            return None
        return grid_card.draw(pictures.facts(current_scope()), view, now=pictures.now())

    @app.callback(
        Output("revision", "data"),
        Input("pulse", "n_intervals"),
        State("revision", "data"),
    )
    @guarded("read")
    def follow(_n: Any, seen: Any) -> Any:
        revision = pictures.keeper.revision(pictures.now())
        return no_update if revision == seen else revision


def _name_dropped(search: Any, facts: Sight | None, lang: Lang) -> list[Any]:
    """Return a sentence for what an address asks to filter by and nobody knows: it is not done."""
    asked = read_query(search if isinstance(search, str) else "")
    view = parse_view(asked)
    known = {one["value"] for one in bar.category_options(facts, lang)}
    taken = {
        "days": str(view.days),
        "state": view.state,
        "category": str(view.category) if view.category in known else "",
    }
    lost = [
        say(f"map_page.by_{name}", lang)
        for name, text in taken.items()
        if name in asked and asked[name].lstrip("0") != text.lstrip("0")
    ]
    if not lost:
        return []
    return [html.P(say("map_page.dropped", lang, names=join(lost, lang)), className="thin")]


def _values_for(picture: Picture, *, held: Any) -> Any:
    """Return each layer's figures; what no filter moves is not sent to a map that holds it."""
    values: Any = Patch() if held == picture.facts.snapshot.revision else {}
    for layer in _allowed():
        if layer.read_values and (layer.values_filtered or not isinstance(values, Patch)):
            values[layer.id] = layer.read_values(picture).as_json()
    return values


def describe_map(facts: Sight | None, lang: Lang) -> dict[str, Any]:
    """Return what the map draws and says, in one language, for this request's account."""
    if facts is None:
        return {"layers": [], "words": map_words(lang), "bounds": None}
    return {
        "layers": [layer.descriptor(lang, facts, version=facts.version) for layer in _allowed()],
        "words": map_words(lang),
        "bounds": list(facts.bounds),
    }


def name_controls(settings: Settings, lang: Lang) -> dict[str, str]:
    """Return what a screen reader says of the boxes without a text of their own, by their ids."""
    city = settings.name_zh if lang == "zh" else settings.name_en
    return {
        "title": f"{city} · {say('product.mark', lang)}",
        **{name: say(f"control.{name}", lang) for name in CONTROLS},
    }


def _allowed() -> list[Any]:
    permissions = current_scope().permissions
    return [layer for layer in LAYERS if layer.source.needs in permissions]


def _layout(start: View, *, base_path: str, facts: Sight | None) -> html.Div:
    """Return the page without a word or a figure: the callbacks fill both in."""
    return html.Div(
        id="page",
        children=[
            dcc.Location(id="address", refresh=False),
            *(dcc.Store(id=name) for name in STORES),
            dcc.Interval(id="pulse", interval=POLL_MS),
            dcc.Interval(id="minute", interval=MINUTE_MS),
            bar.draw(start, facts=facts),
            html.Main(
                id="stage",
                children=[
                    html.Div(
                        id="map-box",
                        children=[
                            GridMap(
                                covered={"left": layer_panel.WIDTH_PX},
                                **describe_map(facts, start.lang),
                                id="map",
                                basePath=f"{base_path}/",
                                theme=start.theme,
                                lang=start.lang,
                            ),
                            layer_panel.draw(),
                        ],
                    ),
                    html.Aside(
                        id="side",
                        children=[
                            html.Div(id="dropped", role="status"),
                            html.Div(id="card"),
                            html.Div(id="overview"),
                        ],
                    ),
                ],
            ),
        ],
    )


def _add_browser_callbacks(app: Dash) -> None:
    """Wire what the browser does without the server: switches, theme, selection, address."""

    def browser(name: str, *wires: Any) -> None:
        app.clientside_callback(ClientsideFunction("getu", name), *wires, prevent_initial_call=True)

    lang, theme = ("lang", "data"), ("theme", "data")
    browser(
        "take_lang",
        *(Output(*lang), Output("map", "lang")),
        *(Input("lang-switch", "n_clicks"), Input("view", "data"), State(*lang)),
    )
    browser(
        "take_theme",
        *(Output(*theme), Output("map", "theme")),
        *(Input("theme-switch", "n_clicks"), Input("view", "data"), State(*theme)),
    )
    browser("take_place", Output("map", "view"), Input("view", "data"))
    browser(
        "fit_screen",
        *(Output("map", "scale"), Output("layer-box", "open"), Input("view", "data")),
    )
    browser("name_controls", Output("side", "className"), Input("labels", "data"))
    browser("settle_focus", Output("card", "className"), Input("card", "children"))
    browser("take_shown", Output("map", "shown"), Input("shown", "value"))
    browser(
        "take_grid",
        *(Output("grid", "data"), Output("map", "selected")),
        Output("map", "view", allow_duplicate=True),
        *(Input("map", "clicked"), Input("view", "data"), Input({"pick": ALL}, "n_clicks")),
        State("grid", "data"),
    )
    browser(
        "show_status",
        Output("legend", "className"),
        *(Input("map", "status"), Input("map", "words")),
        *(Input("shown", "options"), Input("legend", "children")),
    )
    browser(
        "write_address",
        Output("page", "className"),
        *(Input(*lang), Input(*theme), Input("grid", "data"), Input("shown", "value")),
        *(Input(name, "value") for name in ("days", "state", "category")),
        Input("map", "viewport"),
    )
