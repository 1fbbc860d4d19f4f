"""Around a place: the grid, its post and duty lines, the nearest cameras and places, and rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geodata.access.sight import Sight
from geodata.coordinates import lonlat_crs, to_metric
from geodata.words import Lang

RINGS_M = (100, 300, 500)
NEAREST = 3
SCHOOLS = frozenset({"school", "kindergarten", "university", "campus"})
HAZARDS = frozenset({"hazmat_site", "fuel", "hazard"})
_CIRCLE_SIDES = 32  # a quarter of the circle


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Something near a place and how far, in metres; `kind` as its table has it."""

    name: str
    kind: str
    metres: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Whom to call: a body's name (or a post's) and its duty line, empty where none is known."""

    name: str
    duty_line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What lies around a place; `uid` of its grid, -1 for none; counts are of what is listed."""

    uid: int
    names: tuple[str, ...]
    post: str
    lines: tuple[Line, ...]
    cameras: tuple[Near, ...]
    places: tuple[Near, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """
    What lies within `radius_m` of a place.

    `households` is an estimate: of each grid the share of its area within the circle, as if they
    lived evenly spread; `counted` of `grids` have a number of households.
    """

    radius_m: int
    grids: tuple[str, ...]
    posts: tuple[str, ...]
    schools: tuple[Near, ...]
    hazards: tuple[Near, ...]
    cameras: int
    households: int
    counted: int


def look_around(
    sight: Sight, *, uid: int, kind: str, place: tuple[float, float] | None, lang: Lang
) -> Around:
    """
    Return what lies around an alarm: of the grid `uid` (-1 none), of a kind, at (lon, lat).

    Of a grid outside the scope nothing is told but its name.
    """
    names: tuple[str, ...] = ()
    post, lines = "", []
    if uid >= 0:
        path = sight.grids.path(uid)
        names = sight.grids.path_names(uid)
        table = sight.grids.grids.set_index("uid")["body"]
        bodies = [str(table[one]) for one in path if isinstance(table[one], str) and table[one]]
        post = str(table[uid]) if isinstance(table[uid], str) else ""
        lines = [_find_line(sight, body, lang) for body in reversed(bodies)]
    if kind in sight.kinds.index and "body" in sight.kinds:
        lines.insert(0, _find_line(sight, str(sight.kinds.at[kind, "body"]), lang))
    return Around(
        uid=uid,
        names=names,
        post=post,
        lines=tuple(dict.fromkeys(line for line in lines if line is not None)),
        cameras=() if place is None else _nearest(sight, "cameras", place),
        places=() if place is None else _nearest(sight, "places", place),
    )


def ring_around(sight: Sight, place: tuple[float, float]) -> tuple[Ring, ...]:
    """Return what lies within each of RINGS_M of a place (lon, lat)."""
    x, y = _metres(sight, place)
    finest = sight.grids.finest()
    shapes = finest.geometry.to_numpy()
    households = finest["households"].to_numpy(float)
    centre = shapely.Point(x, y)
    hit = np.flatnonzero(shapely.dwithin(shapes, centre, RINGS_M[-1]))
    away = shapely.distance(shapes[hit], centre)
    return tuple(
        _ring(sight, place, radius, centre, hit[away <= radius], households, shapes)
        for radius in RINGS_M
    )


def _ring(
    sight: Sight,
    place: tuple[float, float],
    radius_m: int,
    centre: Any,
    rows: Any,
    households: Any,
    shapes: Any,
) -> Ring:
    circle = centre.buffer(radius_m, quad_segs=_CIRCLE_SIDES)
    share = shapely.area(shapely.intersection(shapes[rows], circle)) / shapely.area(shapes[rows])
    known = np.isfinite(households[rows])
    finest = sight.grids.finest()
    posts = [text for text in finest["body"].iloc[rows] if isinstance(text, str) and text]
    near = _within(sight, "places", place, radius_m)
    return Ring(
        radius_m=radius_m,
        grids=tuple(str(code) for code in finest["code"].iloc[rows]),
        posts=tuple(dict.fromkeys(posts)),
        schools=tuple(one for one in near if one.kind in SCHOOLS),
        hazards=tuple(one for one in near if one.kind in HAZARDS),
        cameras=len(_within(sight, "cameras", place, radius_m)),
        households=int(np.round((households[rows] * share)[known].sum())),
        counted=int(known.sum()),
    )


def _find_line(sight: Sight, body: str, lang: Lang) -> Line | None:
    if body not in sight.bodies.index or "duty_line" not in sight.bodies:
        return None
    number = sight.bodies.at[body, "duty_line"]
    return Line(
        name=sight.body_name(body, lang), duty_line=number if isinstance(number, str) else ""
    )


def _nearest(sight: Sight, table: str, place: tuple[float, float]) -> tuple[Near, ...]:
    metres = _distances(sight, table, place)
    rows = np.argsort(metres, kind="stable")[:NEAREST].tolist()
    return _read_near(sight, table, rows, metres)


def _within(
    sight: Sight, table: str, place: tuple[float, float], radius_m: float
) -> tuple[Near, ...]:
    metres = _distances(sight, table, place)
    rows = np.flatnonzero(metres <= radius_m)
    return _read_near(sight, table, rows[np.argsort(metres[rows], kind="stable")].tolist(), metres)


def _read_near(sight: Sight, table: str, rows: list[int], metres: Any) -> tuple[Near, ...]:
    frame = getattr(sight, table)
    named = "name" in frame
    sort = "kind" if table == "places" else "class"
    return tuple(
        Near(
            name=_text(frame["name"].iat[row]) if named else _text(frame["id"].iat[row]),
            kind=_text(frame[sort].iat[row]) if sort in frame else "",
            metres=float(metres[row]),
        )
        for row in rows
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if pd.isna(value) else str(value)


def _distances(sight: Sight, table: str, place: tuple[float, float]) -> Any:
    """Return each record's distance in metres on the city's plane; the plane is kept."""
    key = ("wall", table)
    if key not in sight.kept:
        geometry = getattr(sight, table).geometry
        sight.kept[key] = to_metric(
            geometry.x.to_numpy(), geometry.y.to_numpy(), lonlat_crs(), sight.city.crs
        )
    x, y = sight.kept[key]
    at = _metres(sight, place)
    return np.hypot(x - at[0], y - at[1])


def _metres(sight: Sight, place: tuple[float, float]) -> tuple[float, float]:
    x, y = to_metric([place[0]], [place[1]], lonlat_crs(), sight.city.crs)
    return float(x[0]), float(y[0])
