"""The wall's map: what each scene shows on it, and the mark and the rings of an alarm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import shapely
from flask import Flask, Response, request

from dashboard.gridmap import map_words
from dashboard.guard import guarded
from dashboard.parts.overview import full_name
from dashboard.view import View
from dashboard.wall import shows
from geodata.access.sight import Sight
from geodata.coordinates import lonlat_crs, to_lonlat, to_metric
from geodata.events.clock import RED
from geodata.wall.around import RINGS_M
from geodata.wall.scenes import CITY, LATE, Scene
from geodata.words import Lang, parse_lang, say
from layers.layer import Theme
from layers.palette import ACCENT, STATE_COLOR
from layers.registry import WALL_LAYERS

ALARM, RINGS, RADII = "wall-alarm", "wall-rings", "wall-radii"
ALARM_COLOR = STATE_COLOR["red"]
OVER = (RINGS, RADII, ALARM)  # shown whatever the scene
_METRES_A_DEGREE = 111_320.0
_LONGEST = 60  # of a place in an address
_WEST_EAST, _SOUTH_NORTH = 180.0, 90.0
_PLAIN = ("base", "outline", "labels")  # what needs no legend on a wall
_MINUTE_S = 60
_RING_SIDES = 24  # a quarter of a circle


def list_layers(sight: Sight) -> list[Any]:
    """Return the layers that the account may see."""
    return [layer for layer in WALL_LAYERS if sight.scope.has(layer.source.needs)]


def draw_ground(sight: Sight | None, lang: Lang) -> dict[str, Any]:
    """Return what a map holds whatever it shows: every layer, its words, the city's bounds."""
    if sight is None:
        return {"layers": [], "words": map_words(lang), "bounds": None}
    plain = [one.descriptor(lang, sight, version=sight.version) for one in list_layers(sight)]
    own = shows.describe_layers(sight, lang)
    return {
        "layers": [*plain, *own, *(_mark(name, None, lang) for name in OVER)],
        "words": map_words(lang),
        "bounds": [float(one) for one in sight.bounds],
    }


def draw_scene(sight: Sight, scene: Scene, *, now: int, lang: Lang, theme: Theme) -> dict[str, Any]:
    """
    Return what the map shows of one scene: which layers, filtered how, its figures, where.

    The figures of a film are not among them: the wall puts its frames in their place.
    """
    view = View(lang=lang, theme=theme, days=scene.days)
    picture = view.picture(sight, now)
    drawn, shown = _list_drawn(sight, scene), shows.choose_layer(scene)
    values = {one.id: one.read_values(picture).as_json() for one in drawn if one.read_values}
    if shown == shows.CHANGED:
        change = shows.read_change(sight, scene, now=now, lang=lang, theme=theme)
        values[shown] = change.as_json()
    return {
        "shown": [*(layer.id for layer in drawn), *([shown] if shown else ()), *OVER],
        "values": values,
        "filter": view.query(sight, now),
        "revision": sight.revision,
        "view": {"bounds": find_bounds(sight, scene.place, now=now)},
        "selected": _find_place(sight, scene.place, now=now),
    }


def draw_legends(
    sight: Sight, scene: Scene, *, now: int, lang: Lang, theme: Theme
) -> list[dict[str, Any]]:
    """Return the legends of a scene's layers that have anything to explain, as plain data."""
    view = View(lang=lang, theme=theme, days=scene.days)
    picture = view.picture(sight, now)
    found = [one.describe_legend(picture) for one in _list_drawn(sight, scene)]
    for one in found:  # what the map does not show needs no room on a wall
        one["entries"] = [entry for entry in one["entries"] if entry["n"] != 0]
    return [one for one in found if one["entries"] and one["kind"] not in _PLAIN]


def _list_drawn(sight: Sight, scene: Scene) -> list[Any]:
    """Return a scene's layers; grids have one colour, and a film or a change takes it."""
    taken = shows.choose_layer(scene) is not None
    return [
        layer
        for layer in list_layers(sight)
        if layer.id in scene.layers and not (taken and layer.id == shows.RISEN)
    ]


def find_bounds(sight: Sight, place: str, *, now: int) -> list[float]:
    """Return west, south, east, north (degrees) of a scene's place; the city's where it is gone."""
    uid = _find_place(sight, place, now=now)
    return [float(one) for one in sight.bounds] if uid is None else bounds_of(sight, uid)


def name_place(sight: Sight, place: str, *, now: int) -> str:
    """Return the name of a scene's place, "" for the whole city."""
    uid = _find_place(sight, place, now=now)
    return "" if uid is None else full_name(sight, uid)


def _find_place(sight: Sight, place: str, *, now: int) -> int | None:
    if place == LATE:
        return _find_latest(sight, now=now)
    rows = np.flatnonzero(sight.grids.grids["code"].to_numpy() == place) if place != CITY else ()
    return int(sight.grids.grids["uid"].iat[rows[-1]]) if len(rows) else None


def bounds_of(sight: Sight, uid: int) -> list[float]:
    """Return west, south, east, north (degrees) of a grid or an area."""
    frame = sight.grids.grids
    west, south, east, north = frame.geometry[frame["uid"] == uid].total_bounds
    lon, lat = to_lonlat([west, east, west, east], [south, south, north, north], sight.grids.crs)
    return [round(float(one), 6) for one in (lon.min(), lat.min(), lon.max(), lat.max())]


def bounds_around(place: tuple[float, float]) -> list[float]:
    """Return west, south, east, north (degrees) of the widest ring around a place."""
    lon, lat = place
    high = RINGS_M[-1] / _METRES_A_DEGREE
    wide = high / max(math.cos(math.radians(lat)), high)
    return [lon - wide, lat - high, lon + wide, lat + high]


def _find_latest(sight: Sight, *, now: int) -> int | None:
    """Return the area two levels above the grids with the most late cases, None without any."""
    minute = now - now % _MINUTE_S  # walls ask each second
    found: int | None = sight.keep(
        ("wall latest", minute), lambda: _count_latest(sight, now=minute)
    )
    return found


def _count_latest(sight: Sight, *, now: int) -> int | None:
    snapshot = sight.snapshot
    late = snapshot.open & (sight.states(now) == RED) & (snapshot.owner >= 0)
    if not late.any():
        return None
    uids = sight.grids.finest()["uid"].to_numpy()
    above = [sight.grids.path(int(uid)) for uid in uids]
    area = np.array([path[-3] if len(path) > 3 else path[0] for path in above])
    found, counts = np.unique(area[snapshot.owner[late]], return_counts=True)
    return int(found[np.argmax(counts)])


def _mark(name: str, place: tuple[float, float] | None, lang: Lang) -> dict[str, Any]:
    """Return the layer of an alarm's mark or rings; only `v=` moves them, nothing is drawn anew."""
    where = "" if place is None else f"{place[0]:.6f},{place[1]:.6f}"
    shared = {
        "id": name,
        "title": say(f"wall.layer_{name.removeprefix('wall-')}", lang),
        "visible": True,
        "fields": [],
        "source": {"type": "geojson", "url": f"wall/{name}.geojson?lang={lang}&v={where}"},
    }
    if name == RADII:
        levels = {"radius": {"minzoom": 0, "size": 14, "strong": True}}
        return {**shared, "kind": "labels", "style": {"field": "name", "levels": levels}}
    if name == ALARM:
        style = {"color": ALARM_COLOR, "radius": 1, "maxzoom": 0, "icon": "hazard"}
        return {**shared, "kind": "clusters", "style": style}
    lines = {f"r{radius}": {"width": 2.5, "dash": [3, 2]} for radius in RINGS_M}
    return {**shared, "kind": "outline", "style": {"levels": lines, "color": ACCENT}}


def add_marks(server: Flask, crs: Any, *, base_path: str) -> None:
    """Add the routes of the mark and of the rings: both say only the place they were asked for."""

    @guarded("read")
    def mark() -> Response:
        place = read_place(request.args.get("v", ""))
        found = [] if place is None else [_feature(shapely.Point(place), "mark")]
        return _collection(found)

    @guarded("read")
    def rings() -> Response:
        place = read_place(request.args.get("v", ""))
        return _collection([] if place is None else _draw_rings(place, crs()))

    @guarded("read")
    def radii() -> Response:
        place, lang = read_place(request.args.get("v", "")), parse_lang(request.args.get("lang"))
        return _collection([] if place is None else _name_rings(place, crs(), lang))

    for name, view in ((ALARM, mark), (RINGS, rings), (RADII, radii)):
        rule = f"{base_path}/wall/{name}.geojson"
        server.add_url_rule(rule, f"getu_mark_{name}", view)


def read_place(text: str) -> tuple[float, float] | None:
    """Return (lon, lat) of "119.5,32.4"; None for anything that is no place on Earth."""
    parts = text[:_LONGEST].split(",")
    try:
        lon, lat = (float(part) for part in parts)
    except ValueError:
        return None
    inside = abs(lon) <= _WEST_EAST and abs(lat) <= _SOUTH_NORTH
    return (lon, lat) if inside else None


def _draw_rings(place: tuple[float, float], crs: Any) -> list[dict[str, Any]]:
    return [
        _feature(shapely.Polygon(edge), f"r{radius}") for radius, edge in _list_rings(place, crs)
    ]


def _name_rings(place: tuple[float, float], crs: Any, lang: Lang) -> list[dict[str, Any]]:
    """Return how far each ring is, written at its northernmost point."""
    return [
        _feature(
            shapely.Point(edge[int(np.argmax(edge[:, 1]))]),
            "radius",
            name=say("desk.metres", lang, n=radius),
        )
        for radius, edge in _list_rings(place, crs)
    ]


def _list_rings(place: tuple[float, float], crs: Any) -> list[tuple[int, Any]]:
    """Return each radius with its circle's (lon, lat), none for a place beyond the projection."""
    x, y = to_metric([place[0]], [place[1]], lonlat_crs(), crs)
    if not (np.isfinite(x[0]) and np.isfinite(y[0])):
        return []
    centre = shapely.Point(float(x[0]), float(y[0]))
    found = []
    for radius in RINGS_M:
        edge = np.array(centre.buffer(radius, quad_segs=_RING_SIDES).exterior.coords)
        lonlat = np.column_stack(to_lonlat(edge[:, 0], edge[:, 1], crs))
        if np.isfinite(lonlat).all():
            found.append((radius, lonlat))
    return found


def _feature(shape: Any, level: str, **more: str) -> dict[str, Any]:
    geometry = orjson.loads(shapely.to_geojson(shape))
    properties = {"level": level, **more}
    return {"type": "Feature", "id": 1, "properties": properties, "geometry": geometry}


def _collection(features: list[dict[str, Any]]) -> Response:
    body = orjson.dumps({"type": "FeatureCollection", "features": features})
    response = Response(body, mimetype="application/geo+json")
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response
