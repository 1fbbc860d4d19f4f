"""Hot places: buildings, street segments and named places where incidents come again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geodata.access.sight import Sight
from geodata.coordinates import lonlat_crs, to_lonlat, to_metric
from geodata.events.clock import RED
from geodata.ownership.line_index import LineIndex
from geodata.ownership.owners import OwnerIndex
from geodata.snapshots.facts import base_version
from geodata.snapshots.nearest import NearIndex
from geodata.snapshots.snapshot import WORLD

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]
SpotKind = Literal["place", "building", "segment"]

LEAST = 3  # incidents that make a place hot
REACH_M = 25.0  # from an incident to the place, building or road that it is counted to
_SHOWN = 12
_FAR_M = 1e5  # how far the road may be that a nameless building is named after
_FINE = 1000.0  # corners of buildings stand on whole thousandths
_THREADS = 2
# The plane in which places are compared: that of the tiles, where every incident's place is known
# without a projection. Its lengths are made true in the middle of the city, and are within a
# hundredth everywhere in it.
_PLANE, _WORLD_M = "EPSG:3857", 2 * np.pi * 6_378_137.0


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
    """What incidents are counted to, in the plane: buildings and road segments."""

    buildings: Shapes
    inside: OwnerIndex
    outlines: LineIndex
    roads: Shapes
    lines: LineIndex
    road_names: NDArray[Any]
    shrunk: float  # a metre in the middle of the city, in lengths of the plane


def find_hot_places(
    sight: Sight, rows: Ints, *, now: int, most: int = _SHOWN
) -> tuple[HotPlace, ...]:
    """
    Return where at least LEAST of these incidents lie, the most first.

    An incident counts to the building it lies in, else to the nearest named place, building or road
    segment (a road as the base map cuts it) within REACH_M, in this order; else to none. `rows` are
    rows of the sight's snapshot, so nothing outside the scope is counted.
    """
    snapshot = sight.snapshot
    placed = rows[rows < snapshot.placed]
    if not len(placed):
        return ()
    spots = _index_spots(sight)
    spot = _assign(spots, _index_places(sight), *_find_in_plane(sight, placed))
    known = spot >= 0
    placed, spot = placed[known], spot[known]
    open_ = snapshot.open[placed]
    late = open_ & (sight.states(now)[placed] == RED)
    total = np.bincount(spot)
    order = np.argsort(-total, kind="stable")[:most]
    open_of, late_of = (np.bincount(spot[mask], minlength=len(total)) for mask in (open_, late))
    return tuple(
        _describe(
            sight,
            spots,
            divmod(one, len(_KINDS))[::-1],
            n=int(total[one]),
            open_=int(open_of[one]),
            overdue=int(late_of[one]),
        )
        for one in order.tolist()
        if total[one] >= LEAST
    )


def find_metres(sight: Sight, rows: Ints) -> tuple[Floats, Floats]:
    """Return where incidents lie in metres of the city, to a centimetre."""
    snapshot = sight.snapshot
    lon = (snapshot.tile_x[rows] / WORLD - 0.5) * 360.0
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (snapshot.tile_y[rows] / WORLD)))))
    return to_metric(lon, lat, lonlat_crs(), sight.grids.crs)


_KINDS: tuple[SpotKind, ...] = ("place", "building", "segment")
_PLACE, _BUILDING, _SEGMENT = range(3)


def _find_in_plane(sight: Sight, rows: Ints) -> tuple[Floats, Floats]:
    snapshot = sight.snapshot
    x = (snapshot.tile_x[rows] / WORLD - 0.5) * _WORLD_M
    y = (0.5 - snapshot.tile_y[rows] / WORLD) * _WORLD_M
    return x, y


def _assign(spots: _Spots, places: NearIndex, x: Floats, y: Floats) -> Ints:
    """Return what each point counts to: number and kind in one number, -1 for nothing."""
    reach = REACH_M * spots.shrunk
    spot = np.full(len(x), -1, np.int64)
    inside = spots.inside.find(x * _FINE, y * _FINE, threads=_THREADS).astype(np.int64)
    covered = inside >= 0
    spot[covered] = inside[covered] * len(_KINDS) + _BUILDING
    left = np.flatnonzero(~covered)
    nearest, far = places.nearest(x[left], y[left], k=1, threads=_THREADS)
    found = [(_PLACE, np.where(far[:, 0] <= reach, nearest[:, 0], -1))]
    for kind, index in ((_BUILDING, spots.outlines), (_SEGMENT, spots.lines)):
        found.append((kind, index.nearest(x[left], y[left], reach=reach, threads=_THREADS)))
    for kind, number in reversed(found):
        close = number >= 0
        spot[left[close]] = number[close].astype(np.int64) * len(_KINDS) + kind
    return spot


def _index_places(sight: Sight) -> NearIndex:
    """Return the places that this sight shows, in the plane."""

    def make() -> NearIndex:
        places = sight.places.geometry.to_crs(_PLANE)
        return NearIndex(places.x.to_numpy(), places.y.to_numpy())

    places: NearIndex = sight.keep("hot places", make)
    return places


def _index_spots(sight: Sight) -> _Spots:
    """Return what of the base map incidents are counted to; kept while drawing and map stay."""

    def make() -> _Spots:
        base: Mapping[str, Any] = sight.base
        buildings, roads = (_shapes(base, name) for name in ("buildings", "roads"))
        table = base.get("roads")
        names = [] if table is None else table["name"].fillna("").astype(str).tolist()
        south, north = sight.grids.finest().to_crs(lonlat_crs().crs).total_bounds[[1, 3]]
        fine = shapely.transform(buildings, lambda corners: np.rint(corners * _FINE))
        return _Spots(
            buildings=buildings,
            inside=OwnerIndex(fine),
            outlines=LineIndex(buildings),
            roads=roads,
            lines=LineIndex(roads),
            road_names=np.array(names, object),
            shrunk=float(1 / np.cos(np.radians((south + north) / 2))),
        )

    version, key = base_version(sight.city.base_folder), ("base", "hot spots")
    if key not in sight.kept or sight.kept[key][0] != version:
        sight.kept[key] = version, make()
    spots: _Spots = sight.kept[key][1]
    return spots


def _shapes(base: Mapping[str, Any], name: str) -> Shapes:
    layer = base.get(name)
    if layer is None:
        return np.empty(0, object)
    return np.asarray(layer.to_crs(_PLANE).geometry.to_numpy(), object)


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
        shape = (spots.buildings if kind == _BUILDING else spots.roads)[number]
        middle = (
            shape.representative_point()
            if kind == _BUILDING
            else shape.interpolate(0.5, normalized=True)
        )
        lons, lats = to_lonlat([middle.x], [middle.y], CRS(_PLANE))
        lon, lat = float(lons[0]), float(lats[0])
        if kind == _SEGMENT:
            name = str(spots.road_names[number])
        elif len(spots.road_names):
            road = spots.lines.nearest([middle.x], [middle.y], reach=_FAR_M)[0]
            near = str(spots.road_names[road]) if road >= 0 else ""
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
