"""The map of the desk: calm grids to fall into, the case's place, and the pin."""

from __future__ import annotations

import math
from typing import Any

import orjson
from flask import Flask, Response, request

from dashboard.desk.ground import DeskGround
from dashboard.desk.readings import Place, read_lonlat
from dashboard.guard import guarded
from geodata.desk.trays import Lying
from geodata.drawings import NOBODY
from geodata.snapshots.facts import Facts
from geodata.words import Lang, say
from layers import base_map, grid_edges, grid_names, grid_risk
from layers.palette import ACCENT, STATE_COLOR, ZERO

GRIDS = "desk-grids"
CLOSE_ZOOM = 17.0
_METRES_A_DEGREE = 111_320.0
_LEAST_REACH_M, _REACH = 80.0, 1.5  # how far around a place the map shows, and how much more

Bounds = tuple[float, float, float, float]
_MARKS = {"now": ("dot", STATE_COLOR["amber"]), "pin": ("pin", ACCENT)}
_LONGEST = 100  # of the address of the marks


def describe(facts: Facts, lang: Lang, *, marks: dict[str, Place | None]) -> list[dict[str, Any]]:
    """Return what the map draws: ground, grids without a figure, lines, names, and the marks."""
    plain = [
        layer.descriptor(lang, facts, version=facts.version)
        for layer in (base_map.LAYER, grid_risk.LAYER, grid_edges.LAYER, grid_names.LAYER)
    ]
    plain[1] = {
        **plain[1],
        "id": GRIDS,
        "title": say("desk.layer_grids", lang),
        "style": {
            "ramp": {"dark": [ZERO["dark"]], "light": [ZERO["light"]]},
            "zero": ZERO,
            "opacity": {"dark": 0.28, "light": 0.4},
            "line": {"dark": "#5b6f93", "light": "#8b97a8"},
        },
        "fields": [field for field in plain[1]["fields"] if field["name"] != "$value"],
    }
    return [*plain, *(_mark(name, marks.get(name), lang) for name in _MARKS)]


def values(facts: Facts) -> dict[str, Any]:
    """Return no figure for every grid: here the grids are only ground to stand on."""
    count = len(facts.grids.finest())
    revision = facts.snapshot.revision
    return {GRIDS: {"values": [0] * count, "breaks": [], "thin": [], "revision": revision}}


def look_at(lying: Lying, ground: DeskGround, *, bounds: Bounds | None) -> Any:
    """
    Return where the map goes when a case is opened.

    Its place, wide enough to show the nearest grid where it lies in none; without a place the grid
    that its source recorded; without that the whole of `bounds`.
    """
    head = lying.head
    place = ground.lonlat(head)
    if place is None:
        uid = ground.find(lying.recorded)
        return {"uid": uid} if uid is not None else {"bounds": bounds} if bounds else None
    if head.owner != NOBODY or head.distance_mm < 0:
        return {"center": list(place), "zoom": CLOSE_ZOOM}
    high = max(head.distance_mm / 1000, _LEAST_REACH_M) * _REACH / _METRES_A_DEGREE
    wide = high / math.cos(math.radians(place[1]))
    lon, lat = place
    return {"bounds": [lon - wide, lat - high, lon + wide, lat + high]}


def read_marks(raw: Any) -> dict[str, Place | None]:
    """Return the marks that the page keeps: the case's place and the pin."""
    return {name: read_lonlat(raw.get(name)) if isinstance(raw, dict) else None for name in _MARKS}


def add_marks(server: Flask, *, base_path: str) -> None:
    """Add the route of a mark: the map takes places from addresses, and this one says its own."""

    @guarded("read.rows", logs="")
    def marks() -> Response:
        text = request.args.get("v", "")[:_LONGEST]
        parts = text.split(",")
        place = None
        if all(_is_number(part) for part in parts):
            place = read_lonlat([float(part) for part in parts])
        features = [] if place is None else [_point(place)]
        body = orjson.dumps({"type": "FeatureCollection", "features": features})
        response = Response(body, mimetype="application/geo+json")
        response.headers["Cache-Control"] = "private, max-age=86400"
        return response

    server.add_url_rule(f"{base_path}/desk/mark.geojson", "getu_desk_mark", marks)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _point(place: Place) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": list(place)}
    return {"type": "Feature", "id": 1, "properties": {}, "geometry": geometry}


def _mark(name: str, place: Place | None, lang: Lang) -> dict[str, Any]:
    icon, color = _MARKS[name]
    where = "" if place is None else f"{place[0]:.7f},{place[1]:.7f}"
    return {
        "id": f"desk-{name}",
        "kind": "clusters",
        "title": say(f"desk.layer_{name}", lang),
        "visible": True,
        # Only what follows `v=` may change: the map then moves the mark and draws nothing anew.
        "source": {"type": "geojson", "url": f"desk/mark.geojson?of={name}&v={where}"},
        "style": {"color": color, "radius": 1, "maxzoom": 0, "icon": icon},
        "fields": [],
    }
