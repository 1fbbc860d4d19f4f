"""The drawings of a city over time, each with its ownership index: who owned a point on a day."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coordinates import lonlat_crs, to_metric
from geodata.grids import GridSystem
from geodata.ownership import RULES, OwnerIndex
from geodata.store.database import Connection
from geodata.store.drawings import IN_FORCE, load_drawings, measure_drawing, read_grids

if TYPE_CHECKING:
    from geodata.city import City

_DRAWINGS_KEPT = 12
NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One drawing with the ownership index of its finest grids; `uids` are theirs, by rank."""

    system: GridSystem
    index: OwnerIndex
    uids: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerOn:
    """Who owned a point: the grid's uid (-1 for nobody), code and name, and by which rule."""

    uid: int
    code: str
    name: str
    rule: str
    distance_m: float  # to the owner, else to the nearest grid; NaN where no grid is near
    line_m: float  # to the owner's own line, NaN without an owner
    near_line: bool
    drawing: int


class Drawings:
    """
    The drawings of a city's first system, read and indexed once, then kept.

    Safe to share between threads: a drawing is never edited, so what is kept stays true. Only the
    first one may gain a level; its measures tell.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._kept: OrderedDict[Any, Drawn] = OrderedDict()
        self._lock = threading.Lock()

    def timeline(
        self, connection: Connection, *, with_grids: GridSystem | None = None
    ) -> tuple[Drawn, ...]:
        """
        Return every drawing in force at some time, the oldest first.

        `with_grids` is not in the store yet: it takes the place of the one that begins with it, and
        ends the one before. Without a grid it only takes that one away.
        """
        rows = [row for row in load_drawings(connection) if row["state"] == IN_FORCE]
        if with_grids is not None and with_grids.grids.empty:
            gone = (with_grids.system, with_grids.valid_from)
            rows = [row for row in rows if (row["system"], row["valid_from"]) != gone]
            with_grids = None
        first = rows[0]["system"] if rows else None
        if with_grids is not None and first in (None, with_grids.system):
            return self._timeline_with(connection, with_grids, rows)
        return tuple(self._read(connection, row) for row in rows if row["system"] == first)

    def keep(self, connection: Connection, drawn: Drawn) -> None:
        """Take over the index of a drawing that this connection has just written."""
        number = drawn.system.drawing
        with self._lock:
            self._kept[(number, *measure_drawing(connection, number))] = drawn

    def forget(self, drawing: int) -> None:
        """Let go of a drawing whose writing has failed: its number will be another's."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == drawing]:
                del self._kept[key]

    def _timeline_with(
        self, connection: Connection, grids: GridSystem, rows: list[dict[str, Any]]
    ) -> tuple[Drawn, ...]:
        found = [
            self._read(connection, row)
            for row in rows
            if row["system"] == grids.system and row["valid_from"] != grids.valid_from
        ]
        found.append(index_drawing(grids))
        # The last one that is in force at a moment counts, so its beginning ends the others.
        return tuple(sorted(found, key=lambda drawn: drawn.system.valid_from or -(2**62)))

    def _read(self, connection: Connection, row: dict[str, Any]) -> Drawn:
        key = (row["drawing"], *measure_drawing(connection, row["drawing"]))
        period = {name: row[name] for name in ("valid_from", "valid_to")}
        with self._lock:
            drawn = self._kept.get(key)
            if drawn is None:
                drawn = index_drawing(
                    GridSystem(
                        system=row["system"],
                        drawing=row["drawing"],
                        grids=read_grids(connection, row["drawing"], crs=self._city.crs_text),
                        **period,
                    )
                )
            elif any(getattr(drawn.system, name) != value for name, value in period.items()):
                drawn = replace(drawn, system=replace(drawn.system, **period))
            self._kept[key] = drawn
            self._kept.move_to_end(key)
            while len(self._kept) > _DRAWINGS_KEPT:
                self._kept.popitem(last=False)
        return drawn


def index_drawing(system: GridSystem) -> Drawn:
    """Return a drawing with its ownership index."""
    return Drawn(
        system=system,
        index=index_of(system),
        uids=system.finest()["uid"].to_numpy(np.int64),
    )


def index_of(system: GridSystem) -> OwnerIndex:
    """
    Build the ownership index of a drawing's finest grids, in uid order.

    Special grids were carved out of the general ones when the drawing was made, so nothing overlaps
    and a shared edge goes to the smaller uid, special or not.
    """
    return OwnerIndex.of_metres(system.finest().geometry.to_numpy())


def find_in_force(timeline: tuple[Drawn, ...], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each moment (UTC s) the place in the timeline of its drawing, -1 for none."""
    found = np.full(len(at), NOBODY, np.int64)
    for place, drawn in enumerate(timeline):
        begin, end = drawn.system.valid_from, drawn.system.valid_to
        inside = np.ones(len(at), np.bool_)
        if begin is not None:
            inside &= at >= begin
        if end is not None:
            inside &= at < end
        found[inside] = place
    return found


def own_at_event(
    city: City,
    timeline: tuple[Drawn, ...],
    *,
    which: NDArray[np.int64],
    current: int,
    x_mm: NDArray[np.float64],
    y_mm: NDArray[np.float64],
    owner_now: NDArray[np.int64],
) -> NDArray[np.int64]:
    """
    Return the uid of each place's owner by the drawing of its day, -1 for nobody.

    `which` is that drawing's place in the timeline; `owner_now` what the `current` one answers,
    taken over where that is the same.
    """
    owner = np.where(which == current, owner_now, NOBODY).astype(np.int64)
    for place in np.unique(which[(which != current) & (which >= 0)]).tolist():
        rows = np.flatnonzero(which == place)
        drawn = timeline[place]
        owned = drawn.index.own(
            x_mm[rows],
            y_mm[rows],
            near_m=city.settings.near_m,
            near_line_m=0.0,
            threads=city.settings.ownership_threads,
        )
        owner[rows] = np.append(drawn.uids, NOBODY)[owned.owner]
    return owner


def owner_on(city: City, lon: float, lat: float, day: date) -> OwnerOn | None:
    """
    Return who owned a point on a local day, by the drawing in force when it began.

    None where no drawing was in force, or the point is no place on earth.
    """
    begin = int(datetime.combine(day, time(), city.settings.zone).timestamp())
    with city.database.read() as connection:
        timeline = city.drawings.timeline(connection)
    (place,) = find_in_force(timeline, np.array([begin], np.int64)).tolist()
    if place < 0:
        return None
    x_m, y_m = to_metric([lon], [lat], lonlat_crs(), city.crs)
    return own_point(city, timeline[place], float(x_m[0]) * 1000, float(y_m[0]) * 1000)


def measure_line(grid: shapely.Geometry, x_mm: float, y_mm: float) -> float:
    """Return the metres from a place (mm) to the line of a grid (metres)."""
    return float(shapely.distance(grid.boundary, shapely.Point(x_mm / 1000, y_mm / 1000)))


def own_point(city: City, drawn: Drawn, x_mm: float, y_mm: float) -> OwnerOn | None:
    """Return who owns one point (mm in the city's CRS) by a drawing; None for no place."""
    owned = drawn.index.own(
        np.rint([x_mm]),
        np.rint([y_mm]),
        near_m=city.settings.near_m,
        near_line_m=city.settings.near_line_m,
    )
    rule = RULES[int(owned.rule[0])]
    if rule == "no_place":
        return None
    rank = int(owned.owner[0])
    grid = drawn.system.finest().iloc[rank] if rank >= 0 else None
    return OwnerOn(
        uid=NOBODY if grid is None else int(grid["uid"]),
        code="" if grid is None else str(grid["code"]),
        name="" if grid is None else str(grid["name"]),
        rule=rule,
        distance_m=float(owned.distance_m[0]),
        line_m=math.nan if grid is None else measure_line(grid.geometry, x_mm, y_mm),
        near_line=bool(owned.near_line[0]),
        drawing=drawn.system.drawing,
    )
