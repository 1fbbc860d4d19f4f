"""The reference tables in force, cameras and places each with the grid that owns it."""

from __future__ import annotations

from functools import partial
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely

from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.drawings import index_of
from geodata.grids import GridSystem
from geodata.ownership.owners import OwnerIndex
from geodata.snapshots.later import Later
from geodata.store.database import Connection
from geodata.store.drawings import read_next_change
from geodata.store.records import Seen, count_records, read_records, read_seen

THINGS = ("cameras", "places", "components", "lines", "blocks")
TABLES = ("kinds", "bodies", "points", "components", "good_until")


def read_tables(
    connection: Connection, city: City, system: GridSystem, *, now: int
) -> dict[str, Any]:
    """
    Return the reference tables in force; what stands at a place is read when it is asked for.

    It is read as it is now, even if another load has been taken in by then.
    """
    owners, seen = Later(partial(index_of, system)), read_seen(connection)
    return {
        **{
            name: read_records(connection, name, at=now).set_index("id")
            for name in ("kinds", "bodies")
        },
        "points": {
            name: Later(partial(_read_things, city, name, owners, now, seen)) for name in THINGS
        },
        "components": count_records(connection).get("components", 0),
        "good_until": read_next_change(connection, now),
    }


def _read_things(
    city: City, table: str, owners: Later[OwnerIndex], now: int, seen: Seen
) -> geopandas.GeoDataFrame:
    """Return the records of a table as `_points`, those with a line or an area as that shape."""
    with city.database.read() as connection:
        records = read_records(connection, table, at=now, seen=seen)
    things = _points(city, records, owners)
    if "shape" not in records or things.empty:
        return things
    shapes = shapely.from_wkt(things["shape"].fillna("").to_numpy(object), on_invalid="ignore")
    lon_lat = shapely.transform(
        shapes, lambda xy: np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], city.crs))
    )
    known = ~shapely.is_missing(shapes)
    things = things.drop(columns="shape")
    return things.set_geometry(np.where(known, lon_lat, things.geometry.to_numpy()), crs=4326)


def _points(city: City, table: pd.DataFrame, owners: Later[OwnerIndex]) -> geopandas.GeoDataFrame:
    """Return placed records as points in degrees, each with the row of the grid that owns it."""
    placed = table[np.isfinite(table["x_mm"].to_numpy(float))].reset_index(drop=True)
    x, y = placed["x_mm"].to_numpy(float), placed["y_mm"].to_numpy(float)
    lon, lat = to_lonlat(x / 1000, y / 1000, city.crs)
    owner = owners.get().find(x, y) if len(x) else np.empty(0, np.int32)
    return geopandas.GeoDataFrame(
        placed.drop(columns=["x_mm", "y_mm"]).assign(owner=owner),
        geometry=geopandas.points_from_xy(lon, lat),
        crs=4326,
    )
