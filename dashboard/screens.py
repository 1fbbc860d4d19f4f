"""The screens: each a Dash application of its own at its own address, on one server."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from dash import Dash
from flask import Flask

from dashboard import desk_page, duty_page, map_page, planner_page, street_page, wall_page
from dashboard.frame import draw_index
from dashboard.guard import APPS
from dashboard.services import Services
from geodata.errors import Fault, NotFound
from geodata.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """
    One screen: `fill` gives a Dash application its layout and callbacks.

    `path` is its address below the base path, with a slash at its end; empty for the map. A screen
    has its own component ids and callbacks, and loads what all screens share and its `own` assets.
    `deeper` tells that its addresses go on below its path; every other one there is no page.
    """

    path: str
    fill: Callable[[Dash, Services], None]
    own: tuple[str, ...]
    deeper: bool = False


_SHARED = ("getu.css", "who.css", "contact.js", "pages.js")
_LOADED = (".css", ".js")  # what Dash would load of the folder by itself
SCREENS: tuple[Screen, ...] = (
    Screen(path="", fill=map_page.add_page, own=map_page.OWN_ASSETS),
    Screen(path="desk/", fill=desk_page.add_page, own=desk_page.OWN_ASSETS),
    Screen(path="street/", fill=street_page.add_page, own=street_page.OWN_ASSETS, deeper=True),
    Screen(path="wall/", fill=wall_page.add_page, own=wall_page.OWN_ASSETS),
    Screen(path="planner/", fill=planner_page.add_page, own=planner_page.OWN_ASSETS),
    Screen(path="duty/", fill=duty_page.add_page, own=duty_page.OWN_ASSETS),
)


def add_screens(server: Flask, services: Services) -> tuple[Dash, ...]:
    """Add every screen to the server; return their applications, the map's first."""
    apps = tuple(_make_screen(server, services, screen) for screen in SCREENS)
    server.extensions[APPS] = apps
    return apps


def _make_screen(server: Flask, services: Services, screen: Screen) -> Dash:
    prefix = f"{services.base_path}/{screen.path}"
    app = Dash(
        "getu",
        server=server,
        requests_pathname_prefix=prefix,
        routes_pathname_prefix=prefix,
        assets_folder=str(map_page.ASSETS),
        assets_ignore=_choose_ignored(screen),
        title=say("product.mark", "zh"),
        update_title="",
        index_string=draw_index(services.city),
    )
    if not screen.deeper:  # Dash would draw the screen at every address that nobody else has
        server.view_functions[f"{prefix}<path:path>"] = _find_nothing
    screen.fill(app, services)
    return app


def _find_nothing(**_: str) -> NoReturn:
    raise NotFound(Fault(key="page_missing"))


def _choose_ignored(screen: Screen) -> str:
    """Return the pattern of the assets that this screen does not load by itself."""
    files = {path.name for path in map_page.ASSETS.iterdir() if path.suffix in _LOADED}
    ignored = sorted(files - {*_SHARED, *screen.own})
    return "|".join(f"^{re.escape(name)}$" for name in ignored)
