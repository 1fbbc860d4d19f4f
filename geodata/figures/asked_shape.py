"""A shape that was drawn or picked on the map: exact figures inside it, and what is nearest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.access.sight import Sight
from geodata.coordinates import lonlat_crs, to_lonlat, to_metric
from geodata.errors import BadGrid, Fault
from geodata.events.clock import RED
from geodata.figures.hot_places import find_metres
from geodata.figures.tally import Tally, tally_rows
from geodata.snapshots.nearest import NearIndex
from geodata.snapshots.snapshot import Filter

LARGEST_RADIUS_M = 20_000.0
MOST_VERTICES = 200
_CIRCLE_SEGMENTS = 32  # of a quarter: what is drawn; inside is measured by distance

Degrees = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An area in metres of the city; a circle knows its middle, for inside is by distance there."""

    outline: shapely.Geometry
    middle: tuple[float, float]
    radius_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A camera or place with its metres from the middle of what was asked for."""

    row: int
    name: str
    kind: str
    distance_m: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeFigures:
    """What a shape comes to within the scope; `kinds` by code, the most first."""

    figures: Tally
    area_m2: float
    grids: int  # finest grids it touches
    hidden_grids: int  # of these, those that the scope hides
    inside: Mapping[str, int]  # cameras and places within
    nearest: Mapping[str, tuple[Near, ...]]
    kinds: tuple[tuple[int, int], ...]
    bodies: tuple[tuple[int, int], ...]
    rows: NDArray[np.int64]  # of the snapshot, those inside


def make_circle(sight: Sight, lon: float, lat: float, *, radius_m: float) -> Shape:
    """Return a circle on the ground. Raises BadGrid for a radius or a place that is none."""
    if not 0 < radius_m <= LARGEST_RADIUS_M:
        raise BadGrid(Fault(key="shape_radius", values={"most": f"{LARGEST_RADIUS_M:,.0f}"}))
    x, y = _to_metres(sight, [(lon, lat)])
    middle = (float(x[0]), float(y[0]))
    drawn = shapely.Point(middle).buffer(radius_m, quad_segs=_CIRCLE_SEGMENTS)
    return Shape(outline=drawn, middle=middle, radius_m=radius_m)


def make_polygon(sight: Sight, ring: Degrees) -> Shape:
    """Return a drawn polygon. Raises BadGrid for fewer than three corners or a crossing line."""
    if not 3 <= len(ring) <= MOST_VERTICES:
        raise BadGrid(Fault(key="shape_corners", values={"most": MOST_VERTICES}))
    x, y = _to_metres(sight, ring)
    drawn = shapely.Polygon(np.column_stack([x, y]))
    if not drawn.is_valid or drawn.area <= 0:
        raise BadGrid(Fault(key="shape_crosses"))
    middle = drawn.centroid
    return Shape(outline=drawn, middle=(middle.x, middle.y))


def pick_grid(sight: Sight, uid: int) -> Shape:
    """Return a grid's own shape. Raises NotFound."""
    sight.grids.parent(uid)
    grids = sight.grids.grids
    drawn = grids.geometry.iloc[int(np.flatnonzero(grids["uid"].to_numpy() == uid)[0])]
    middle = drawn.representative_point()
    return Shape(outline=drawn, middle=(middle.x, middle.y))


def count_shape(
    sight: Sight, shape: Shape, *, filter: Filter, now: int, k: int = 5
) -> ShapeFigures:
    """
    Count the incidents in a shape by its exact geometry, of those that the scope shows.

    An incident on the edge is inside. Nothing is told of grids outside the scope: `hidden_grids`
    says of how many the shape holds a part. Distances are metres from the middle. Raises BadGrid
    for a shape beside the city: it touches no grid and holds nothing that would say otherwise.
    """
    snapshot = sight.snapshot
    rows = np.flatnonzero(sight.select(filter, now)[: snapshot.placed])
    x, y = find_metres(sight, rows)
    rows = rows[_within(shape, x, y)]
    finest = sight.grids.finest()
    touched = finest.sindex.query(shape.outline, predicate="intersects")
    uids = finest["uid"].to_numpy()[touched]
    tables = {"cameras": sight.cameras, "places": sight.places}
    places = {name: _to_metres_of(sight, table) for name, table in tables.items()}
    inside = {name: int(_within(shape, *xy).sum()) for name, xy in places.items()}
    if not len(uids) and not len(rows) and not any(inside.values()):
        raise BadGrid(Fault(key="shape_outside"))
    return ShapeFigures(
        figures=tally_rows(sight, rows, now=now),
        area_m2=math.pi * shape.radius_m**2 if shape.radius_m else float(shape.outline.area),
        grids=len(uids),
        hidden_grids=sum(not sight.shows(int(uid)) for uid in uids),
        inside=inside,
        nearest={
            name: _find_nearest(table, *places[name], shape=shape, k=k)
            for name, table in tables.items()
        },
        kinds=_count_codes(snapshot.kind[rows]),
        bodies=_count_codes(snapshot.body[rows]),
        rows=rows,
    )


def find_oldest_late(sight: Sight, rows: NDArray[np.int64], *, now: int, most: int) -> list[int]:
    """Return the rows of the open incidents that are past their deadline, the longest first."""
    snapshot = sight.snapshot
    late = rows[snapshot.open[rows] & (sight.states(now)[rows] == RED)]
    order = late[np.argsort(snapshot.due_at[late], kind="stable")]
    return [int(row) for row in order[:most]]


def outline_lonlat(sight: Sight, shape: Shape) -> dict[str, Any]:
    """Return a shape's outline as GeoJSON in degrees."""

    def degrees(xy: Any) -> Any:
        return np.round(np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], sight.grids.crs)), 7)

    drawn: dict[str, Any] = shapely.geometry.mapping(shapely.transform(shape.outline, degrees))
    return drawn


def _within(shape: Shape, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    if shape.radius_m is not None:
        near: NDArray[np.bool_] = (
            np.hypot(x - shape.middle[0], y - shape.middle[1]) <= shape.radius_m
        )
        return near
    shapely.prepare(shape.outline)
    inside: NDArray[np.bool_] = shapely.intersects_xy(shape.outline, x, y)
    return inside


def _to_metres(sight: Sight, places: Degrees) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon = np.array([place[0] for place in places], np.float64)
    lat = np.array([place[1] for place in places], np.float64)
    x, y = to_metric(lon, lat, lonlat_crs(), sight.grids.crs)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise BadGrid(Fault(key="shape_nowhere"))
    return x, y


def _to_metres_of(
    sight: Sight, table: geopandas.GeoDataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon, lat = table.geometry.x.to_numpy(), table.geometry.y.to_numpy()
    return to_metric(lon, lat, lonlat_crs(), sight.grids.crs)


def _find_nearest(
    table: geopandas.GeoDataFrame,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    shape: Shape,
    k: int,
) -> tuple[Near, ...]:
    if not len(table):
        return ()
    found, metres = NearIndex(x, y).nearest([shape.middle[0]], [shape.middle[1]], k=k)
    named, kinds = ("name" in table, "kind" if "kind" in table else "class")
    return tuple(
        Near(
            row=int(row),
            name=str(table["name"].iat[row]) if named else "",
            kind=str(table[kinds].iat[row]) if kinds in table else "",
            distance_m=float(distance),
            lon=float(table.geometry.x.iat[row]),
            lat=float(table.geometry.y.iat[row]),
        )
        for row, distance in zip(found[0].tolist(), metres[0].tolist(), strict=True)
        if row >= 0
    )


def _count_codes(codes: NDArray[np.int32]) -> tuple[tuple[int, int], ...]:
    found, counts = np.unique(codes, return_counts=True)
    order = np.lexsort((found, -counts))
    return tuple((int(found[place]), int(counts[place])) for place in order)
