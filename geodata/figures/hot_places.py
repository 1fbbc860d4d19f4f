"""Hot places: buildings, street segments and named places where incidents come again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.access.sight import Sight
from geodata.coordinates import lonlat_crs, to_lonlat, to_metric
from geodata.events.clock import RED
from geodata.snapshots.nearest import NearIndex
from geodata.snapshots.snapshot import WORLD

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SpotKind = Literal["place", "building", "segment"]

LEAST = 3  # incidents that make a place hot
REACH_M = 25.0  # from an incident to the place, building or road that it is counted to
MOST_ROWS = 40_000  # incidents of one area that are looked at: a larger one shows its parts
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class HotPlace:
    """Where incidents gathered; `near` is the road a nameless building stands on; degrees."""

    kind: SpotKind
    name: str
    near: str
    lon: float
    lat: float
    total: int
    open: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spots:
    """What incidents are counted to, in metres: places by nearness, buildings, road segments."""

    places: NearIndex
    buildings: shapely.STRtree
    roads: shapely.STRtree
    road_names: NDArray[Any]


def find_hot_places(
    sight: Sight, rows: Ints, *, now: int, most: int = _SHOWN
) -> tuple[HotPlace, ...] | None:
    """
    Return where at least LEAST of these incidents lie, the most first; None for too many rows.

    An incident counts to the building it lies in, else to the nearest named place, building or road
    segment (a road as the base map cuts it) within REACH_M, in this order; else to none. `rows` are
    rows of the sight's snapshot, so nothing outside the scope is counted.
    """
    snapshot = sight.snapshot
    placed = rows[rows < snapshot.placed]
    if len(placed) > MOST_ROWS:
        return None
    if not len(placed):
        return ()
    spots = _index_spots(sight)
    x, y = find_metres(sight, placed)
    kind, number = _assign(spots, x, y)
    known = kind >= 0
    keys, inverse, counts = np.unique(
        np.stack([kind[known], number[known]]), axis=1, return_inverse=True, return_counts=True
    )
    late = snapshot.open & (sight.states(now) == RED)
    order = np.argsort(-counts, kind="stable")
    found = []
    for place in order[: most if len(order) > most else None].tolist():
        if counts[place] < LEAST:
            break
        members = placed[known][inverse.reshape(-1) == place]
        found.append(
            _describe(
                sight,
                spots,
                (int(keys[0, place]), int(keys[1, place])),
                n=int(counts[place]),
                open_=int(snapshot.open[members].sum()),
                overdue=int(late[members].sum()),
            )
        )
    return tuple(found)


def find_metres(sight: Sight, rows: Ints) -> tuple[Floats, Floats]:
    """Return where incidents lie in metres of the city, to a centimetre."""
    snapshot = sight.snapshot
    lon = (snapshot.tile_x[rows] / WORLD - 0.5) * 360.0
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (snapshot.tile_y[rows] / WORLD)))))
    return to_metric(lon, lat, lonlat_crs(), sight.grids.crs)


_KINDS: tuple[SpotKind, ...] = ("place", "building", "segment")
_PLACE, _BUILDING, _SEGMENT = range(3)


def _assign(spots: _Spots, x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Return of each point what it counts to: a place in _KINDS (-1 none), and its number."""
    points = shapely.points(x, y)
    kind, number = np.full(len(x), -1, np.int64), np.full(len(x), -1, np.int64)
    found = spots.roads.query_nearest(points, max_distance=REACH_M, all_matches=False)
    kind[found[0]], number[found[0]] = _SEGMENT, found[1]
    found = spots.buildings.query_nearest(points, max_distance=REACH_M, all_matches=False)
    kind[found[0]], number[found[0]] = _BUILDING, found[1]
    nearest, metres = spots.places.nearest(x, y, k=1)
    close = metres[:, 0] <= REACH_M
    inside = np.zeros(len(x), np.bool_)
    within = spots.buildings.query(points, predicate="intersects")
    inside[within[0]] = True
    close &= ~inside
    kind[close], number[close] = _PLACE, nearest[close, 0]
    return kind, number


def _index_spots(sight: Sight) -> _Spots:
    """Return what incidents are counted to; kept while the tables and the base map stay."""

    def make() -> _Spots:
        base: Mapping[str, Any] = sight.base
        lon, lat = sight.places.geometry.x.to_numpy(), sight.places.geometry.y.to_numpy()
        roads = base.get("roads")
        names = [] if roads is None else roads["name"].fillna("").astype(str).tolist()
        return _Spots(
            places=NearIndex(*to_metric(lon, lat, lonlat_crs(), sight.grids.crs)),
            buildings=shapely.STRtree(_shapes(base, "buildings", sight)),
            roads=shapely.STRtree(_shapes(base, "roads", sight)),
            road_names=np.array(names, object),
        )

    spots: _Spots = sight.keep("hot spots", make)
    return spots


def _shapes(base: Mapping[str, Any], name: str, sight: Sight) -> Any:
    layer = base.get(name)
    return [] if layer is None else layer.to_crs(sight.grids.crs).geometry.to_numpy()


def _describe(
    sight: Sight, spots: _Spots, key: tuple[int, int], *, n: int, open_: int, overdue: int
) -> HotPlace:
    kind, number = key
    name = near = ""
    if kind == _PLACE:
        point = sight.places.geometry.iloc[number]
        lon, lat = point.x, point.y
        name = str(sight.places["name"].iat[number]) if "name" in sight.places else ""
    else:
        shape = (spots.buildings if kind == _BUILDING else spots.roads).geometries[number]
        middle = (
            shape.representative_point()
            if kind == _BUILDING
            else shape.interpolate(0.5, normalized=True)
        )
        lons, lats = to_lonlat([middle.x], [middle.y], sight.grids.crs)
        lon, lat = float(lons[0]), float(lats[0])
        if kind == _SEGMENT:
            name = str(spots.road_names[number])
        elif len(spots.road_names):
            near = str(spots.road_names[int(spots.roads.nearest(middle))])
    return HotPlace(
        kind=_KINDS[kind],
        name=name,
        near=near,
        lon=round(float(lon), 6),
        lat=round(float(lat), 6),
        total=n,
        open=open_,
        overdue=overdue,
    )
