"""What the browser does on the desk without the server: rows opened, keys, the address."""

from __future__ import annotations

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State


def add_browser_callbacks(app: Dash) -> None:
    """Wire switches, theme, the row that is open, and the address."""

    def browser(room: str, name: str, *wires: Any) -> None:
        app.clientside_callback(ClientsideFunction(room, name), *wires, prevent_initial_call=True)

    lang, theme, case = ("lang", "data"), ("theme", "data"), ("case", "data")
    browser(
        "getu",
        "take_lang",
        *(Output(*lang), Output("map", "lang")),
        *(Input("lang-switch", "n_clicks"), Input("view", "data"), State(*lang)),
    )
    browser(
        "getu",
        "take_theme",
        *(Output(*theme), Output("map", "theme")),
        *(Input("theme-switch", "n_clicks"), Input("view", "data"), State(*theme)),
    )
    browser("getu", "name_controls", Output("trays", "className"), Input("labels", "data"))
    browser(
        "desk",
        "take_row",
        Output("case", "data", allow_duplicate=True),
        *(Input({"open": ALL}, "n_clicks"), Input({"shut": ALL}, "n_clicks"), State(*case)),
    )
    browser(
        "desk",
        "mark_row",
        Output("list", "className"),
        *(Input(*case), Input("list", "children")),
    )
    browser(
        "desk",
        "greet_case",
        Output("said", "children", allow_duplicate=True),
        Input("seen", "data"),
    )
    browser(
        "desk",
        "write_address",
        Output("page", "className"),
        *(Input(*lang), Input(*theme), Input("tray", "value"), Input("seen", "data")),
    )
