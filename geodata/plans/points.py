"""Points: everything with a place that grids answer for, as columns, with its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.desk.decisions import MANUAL
from geodata.drawings import NOBODY, Drawn
from geodata.events.incidents import FLAG_DRILL
from geodata.store.database import Connection, read_ground_revision, read_revision
from geodata.store.incident_rows import changed_since
from geodata.store.records import read_record_places
from geodata.store.takeover import read_placed_incidents

INCIDENT, CAMERA, PLACE, COMPONENT, HOME = range(5)
_RECORDS = {CAMERA: "cameras", PLACE: "places", COMPONENT: "components"}
_LATTICE = 8  # points a side that stand for the homes of a grid without buildings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """
    Incidents first, by number, then cameras, places, components and homes; all of length n.

    `owner` is the uid of the grid in `drawing` that answers, -1 for nobody; `homes` and `people`
    the households and inhabitants that a home point stands for, 0 for all others. `x`, `y` are mm
    in the city's CRS, NaN for no place. `counts` leaves drills out.
    """

    drawing: int
    revision: int
    ground: int
    sort: NDArray[np.uint8]
    x: Floats
    y: Floats
    owner: Ints
    rule: NDArray[np.uint8]
    inc: Ints
    kind: NDArray[np.int32]
    open: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    homes: Floats
    people: Floats
    place_kinds: dict[int, str]

    @property
    def n(self) -> int:
        """Return how many points there are."""
        return len(self.x)

    def manual(self, rows: Ints | slice = slice(None)) -> NDArray[np.bool_]:
        """Tell which of some points a post has given to their owner: the place does not decide."""
        given: NDArray[np.bool_] = self.rule[rows] == MANUAL
        return given


def read_points(connection: Connection, city: City, drawn: Drawn, *, now: int) -> Points:
    """Read every point of the city at this connection's moment, owned by the drawing in force."""
    incidents = read_placed_incidents(connection)
    parts = [_incident_part(incidents)]
    kinds: dict[int, str] = {}
    for sort, name in _RECORDS.items():
        x, y, named = read_record_places(connection, name, at=now)
        if sort == PLACE:
            first = sum(len(part["x"]) for part in parts)
            kinds = {first + row: kind for row, kind in enumerate(named) if kind}
        parts.append(_plain_part(sort, x, y, drawn))
    parts.append(_home_part(city, drawn))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Points(
        drawing=drawn.system.drawing,
        revision=read_revision(connection),
        ground=read_ground_revision(connection),
        place_kinds=kinds,
        **joined,
    )


class PointsKeeper:
    """Hands out the points of the newest revision; reads a large city again only when it must."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._points: Points | None = None

    def current(self, connection: Connection, drawn: Drawn, *, now: int) -> Points:
        """Return the points as this connection's moment shows them."""
        known = self._points
        if (
            known is None
            or known.drawing != drawn.system.drawing
            or known.ground != read_ground_revision(connection)
            or len(changed_since(connection, known.revision)) > 0
        ):
            self._points = known = read_points(connection, self._city, drawn, now=now)
        return known


def _incident_part(found: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    n = len(found["inc"])
    return {
        "sort": np.full(n, INCIDENT, np.uint8),
        "x": found["x"],
        "y": found["y"],
        "owner": found["owner"],
        "rule": found["rule"].astype(np.uint8),
        "inc": found["inc"],
        "kind": found["kind"].astype(np.int32),
        "open": found["open"].astype(np.bool_),
        "counts": (found["flags"] & FLAG_DRILL) == 0,
        "homes": np.zeros(n),
        "people": np.zeros(n),
    }


def _plain_part(
    sort: int, x: Floats, y: Floats, drawn: Drawn, homes: Floats | None = None
) -> dict[str, NDArray[Any]]:
    """Return points that are no incidents, owned by who covers them."""
    n = len(x)
    owned = drawn.index.own(np.rint(x), np.rint(y), near_line_m=0.0)
    zeros = np.zeros(n)
    return {
        "sort": np.full(n, sort, np.uint8),
        "x": np.rint(x),
        "y": np.rint(y),
        "owner": np.append(drawn.uids, NOBODY)[owned.owner],
        "rule": owned.rule.copy(),
        "inc": np.full(n, NOBODY, np.int64),
        "kind": np.zeros(n, np.int32),
        "open": np.zeros(n, np.bool_),
        "counts": np.ones(n, np.bool_),
        "homes": zeros if homes is None else homes,
        "people": zeros,
    }


def _home_part(city: City, drawn: Drawn) -> dict[str, NDArray[Any]]:
    """
    Return points that share out each grid's households and inhabitants over its land.

    Buildings of the base map weigh by their floor area; a grid without any has a lattice of equal
    points. So a part of a grid takes the homes that stand on it, and the sum stays the grid's.
    """
    finest = drawn.system.finest()
    x, y, weight = _read_buildings(city)
    part = _plain_part(HOME, x, y, drawn, weight)
    bare = finest[~finest["uid"].isin(np.unique(part["owner"]))]
    lattice = [_spread(shape) for shape in bare.geometry]
    if lattice:
        xy = np.concatenate(lattice)
        more = _plain_part(HOME, xy[:, 0], xy[:, 1], drawn, np.ones(len(xy)))
        part = {name: np.concatenate([part[name], more[name]]) for name in part}
    rows = np.searchsorted(drawn.uids, part["owner"])
    rows[part["owner"] == NOBODY] = len(drawn.uids)
    total = np.bincount(rows, part["homes"], minlength=len(drawn.uids) + 1)
    share = part["homes"] / np.where(total > 0, total, 1.0)[rows]
    for name, column in (("homes", "households"), ("people", "population")):
        known = np.append(np.nan_to_num(finest[column].to_numpy(float)), 0.0)
        part[name] = share * known[rows]
    return part


def _read_buildings(city: City) -> tuple[Floats, Floats, Floats]:
    """Return the places (mm) and floor areas of the base map's buildings, none without any."""
    path = city.base_folder / "buildings.parquet"
    if not path.exists():
        return np.empty(0), np.empty(0), np.empty(0)
    buildings = geopandas.read_parquet(path)
    if buildings.crs != city.crs:
        buildings = buildings.to_crs(city.crs)
    places = shapely.point_on_surface(buildings.geometry.to_numpy())
    floors = buildings["floors"].to_numpy(float) if "floors" in buildings else np.ones(len(places))
    weight = shapely.area(buildings.geometry.to_numpy()) * np.maximum(np.nan_to_num(floors), 1.0)
    return shapely.get_x(places) * 1000, shapely.get_y(places) * 1000, weight


def _spread(shape: shapely.Geometry) -> Floats:
    """Return a lattice of points (mm) inside a grid (m), at least one."""
    west, south, east, north = shape.bounds
    steps = (np.arange(_LATTICE) + 0.5) / _LATTICE
    x, y = np.meshgrid(west + (east - west) * steps, south + (north - south) * steps)
    inside = shapely.contains_xy(shape, x.ravel(), y.ravel())
    found = np.column_stack([x.ravel(), y.ravel()])[inside]
    if not len(found):
        inner = shapely.point_on_surface(shape)
        found = np.array([[inner.x, inner.y]])
    spread: Floats = found * 1000
    return spread
