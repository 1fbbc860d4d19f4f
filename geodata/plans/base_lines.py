"""What of the base map a drawing keeps to: its roads, its railways, its water, in metres."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.city import City

_NOT_WALLS = ("footway", "steps")
_RAILS = ("rail", "railway")
_MOST_LINES = 200_000


def read_roads(city: City) -> NDArray[Any]:
    """Return the base map's roads and railways as lines, none where it has no roads."""
    roads = _read_layer(city, "roads")
    if roads is None:
        return np.empty(0, object)
    if "class" in roads:
        roads = roads[~roads["class"].isin(_NOT_WALLS)]
    return _list_lines(roads)


def read_rails(city: City) -> NDArray[Any]:
    """Return the base map's railways as lines, none where it names no classes of roads."""
    roads = _read_layer(city, "roads")
    if roads is None or "class" not in roads:
        return np.empty(0, object)
    return _list_lines(roads[roads["class"].isin(_RAILS)])


def read_water(city: City) -> NDArray[Any]:
    """Return the base map's water, areas and lines, none where it has none."""
    water = _read_layer(city, "water")
    if water is None:
        return np.empty(0, object)
    parts = shapely.get_parts(water.geometry.to_numpy())
    return np.asarray(parts[np.isin(shapely.get_type_id(parts), (1, 3))], object)


def _read_layer(city: City, name: str) -> gpd.GeoDataFrame | None:
    path = city.base_folder / f"{name}.parquet"
    if not path.exists():
        return None
    layer = gpd.read_parquet(path)
    return layer if layer.crs == city.crs else layer.to_crs(city.crs)


def _list_lines(layer: gpd.GeoDataFrame) -> NDArray[Any]:
    lines = shapely.get_parts(layer.geometry.to_numpy())
    return np.asarray(lines[shapely.get_type_id(lines) == 1][:_MOST_LINES], object)
