"""Ask the map: a circle, a polygon or a grid that was picked, answered with exact figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Flask, Response, render_template, request

from dashboard import trail
from dashboard.guard import guarded
from dashboard.parts import numbers
from dashboard.services import Services
from dashboard.street.lists import list_oldest
from dashboard.street.routes import Asked, Asking, as_json, refuse_softly
from dashboard.street.view import read_text
from geodata.errors import BadGrid, Fault
from geodata.figures.asked_shape import (
    MOST_VERTICES,
    Shape,
    ShapeFigures,
    count_shape,
    make_circle,
    make_polygon,
    outline_lonlat,
    pick_grid,
)
from geodata.words import say

_LONGEST_RING = 40 * MOST_VERTICES
_SHOWN = 6
_NEAREST = (3, 5, 10, 20)  # how many of the nearest cameras and places one may ask for
_NEAREST_FIRST = 5


def add_routes(server: Flask, services: Services) -> None:
    """Add `/area/ask.json` and `/area/shape.geojson` below the base path."""
    asking = Asking(services)

    @guarded("read.rows", logs="view.asked")
    def ask() -> Response:
        trail.show(n=0)
        asked = asking.read(own=False)
        try:
            shape = read_shape(asked, read_given())
            found = count_shape(
                asked.sight,
                shape,
                filter=asked.street.filter(asked.sight, asked.now),
                now=asked.now,
                k=read_nearest(),
            )
        except BadGrid as error:
            return refuse_softly(error, asked.lang)
        with services.city.database.read() as connection:
            oldest = list_oldest(
                asked.sight, connection, found.rows, lang=asked.lang, now=asked.now
            )
        table = ""
        if asked.sight.scope.has("export"):
            named = {name: text for name, text in read_given().items() if text}
            table = f"{asked.street.link()}&{urlencode(named)}"
        return as_json({"html": draw_answer(asked, shape, found, oldest, table=table)})

    @guarded("read")
    def shape() -> Response:
        """Answer the shape that the address describes: the map takes geometry from addresses."""
        asked = asking.read(own=False)
        features = []
        given = read_given()
        if any(given.values()):
            try:
                drawn = draw_given(asked, given)
            except BadGrid as error:
                return refuse_softly(error, asked.lang)
            properties = {"level": "asked", "uid": -1}
            features = [{"type": "Feature", "id": 1, "properties": properties, "geometry": drawn}]
        body = orjson.dumps({"type": "FeatureCollection", "features": features})
        return Response(body, mimetype="application/geo+json")

    for name, view in (("ask.json", ask), ("shape.geojson", shape)):
        endpoint = f"getu_area_{name.partition('.')[0]}"
        server.add_url_rule(f"{services.base_path}/area/{name}", endpoint, view)


def read_given() -> dict[str, str]:
    """
    Return what a request gives of a shape: `uid`, `ring`, `path`, or `lon`, `lat` and `radius_m`.

    They may stand in `v`, joined by semicolons, as the map's layer gives them.
    """
    given = {name: read_text(request.args.get(name), _LONGEST_RING) for name in _NAMES}
    for part in read_text(request.args.get("v"), _LONGEST_RING).split(";"):
        name, _, value = part.partition("=")
        if name in _NAMES:
            given[name] = value
    return given


def read_nearest() -> int:
    """Return how many of the nearest a request asks for; what is no choice is the first one."""
    given = read_text(request.args.get("k"), 2)
    return next((k for k in _NEAREST if str(k) == given), _NEAREST_FIRST)


def draw_given(asked: Asked, given: Mapping[str, str]) -> dict[str, Any]:
    """Return as GeoJSON the shape, or the line of one that is not finished. Raises BadGrid."""
    if given["path"]:
        return {"type": "LineString", "coordinates": _read_places(given["path"])}
    return outline_lonlat(asked.sight, read_shape(asked, given))


def read_shape(asked: Asked, given: Mapping[str, str]) -> Shape:
    """Return the shape that a request describes. Raises BadGrid."""
    if given["uid"]:
        uid = given["uid"]
        known = set(asked.sight.grids.grids["uid"].tolist())
        if not (uid.isascii() and uid.isdigit() and len(uid) < 16 and int(uid) in known):
            raise BadGrid(Fault(key="shape_nowhere"))
        return pick_grid(asked.sight, int(uid))
    if given["ring"]:
        return make_polygon(asked.sight, _read_places(given["ring"]))
    lon, lat, radius = (_read_number(given[name]) for name in ("lon", "lat", "radius_m"))
    return make_circle(asked.sight, lon, lat, radius_m=radius)


_NAMES = ("uid", "ring", "path", "lon", "lat", "radius_m")


def _read_places(text: str) -> list[tuple[float, float]]:
    pairs = (pair.partition(",") for pair in text.split("_"))
    return [(_read_number(lon), _read_number(lat)) for lon, _, lat in pairs]


def _read_number(text: str) -> float:
    """Return a plain decimal number; raises BadGrid for anything else."""
    if not text or len(text) > 24 or set(text) - set("0123456789.-"):
        raise BadGrid(Fault(key="shape_nowhere"))
    try:
        number = float(text)
    except ValueError as error:
        raise BadGrid(Fault(key="shape_nowhere")) from error
    if not math.isfinite(number):
        raise BadGrid(Fault(key="shape_nowhere"))
    return number


def draw_answer(
    asked: Asked, shape: Shape, found: ShapeFigures, oldest: list[dict[str, Any]], *, table: str
) -> str:
    """Return the answer as HTML; `table` is the query of its download, empty for none."""
    sight, lang = asked.sight, asked.lang

    def speak(key: str, **named: Any) -> str:
        return say(key, lang, **named)

    kinds, figures = sight.kind_names(lang), found.figures
    return render_template(
        "street_asked.html",
        say=speak,
        base=sight.city.settings.base_path,
        shown=asked.street.link(),
        table=table,
        radius=shape.radius_m,
        area=numbers.decimal(found.area_m2 / 10_000, 2),
        keys=[
            {"key": key, "label": say(f"figure.{key}", lang), "n": getattr(figures, key)}
            for key in ("overdue", "due_soon", "open", "total")
        ],
        whole=figures.whole,
        period=asked.street.name_period(),
        grids=found.grids,
        hidden=found.hidden_grids,
        inside=found.inside,
        near_choices=_NEAREST,
        near=read_nearest(),
        nearest={
            name: [
                {"name": one.name or one.kind, "metres": numbers.decimal(one.distance_m, 0)}
                for one in nearest
            ]
            for name, nearest in found.nearest.items()
        },
        kinds=[
            {"name": kinds.get(code) or say("desk.no_kind", lang), "n": n}
            for code, n in found.kinds[:_SHOWN]
        ],
        bodies=[
            {"name": sight.body_name(sight.body_terms.get(code, ""), lang) or "–", "n": n}
            for code, n in found.bodies[:_SHOWN]
        ],
        oldest=oldest,
    )
