"""Blocks of a drawing: its grids cut along the roads, the smallest land that a brush can give."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.coverage.edges import to_m, to_mm
from geodata.grids import GridSystem

_LEAST_M2 = 400.0  # what a road cuts off below this is no block: it joins its longest neighbour
_NOT_WALLS = ("footway", "steps")
_MOST_LINES = 200_000


def read_roads(city: City) -> NDArray[Any]:
    """Return the base map's roads as lines in metres, none where it has no roads."""
    path = city.base_folder / "roads.parquet"
    if not path.exists():
        return np.empty(0, object)
    roads = gpd.read_parquet(path)
    if "class" in roads:
        roads = roads[~roads["class"].isin(_NOT_WALLS)]
    if roads.crs != city.crs:
        roads = roads.to_crs(city.crs)
    lines = shapely.get_parts(roads.geometry.to_numpy())
    return np.asarray(lines[shapely.get_type_id(lines) == 1][:_MOST_LINES], object)


def cut_blocks(system: GridSystem, roads: NDArray[Any]) -> NDArray[Any]:
    """
    Return the finest grids (metres) cut along the roads: polygons on whole millimetres that tile.

    A grid that no road crosses is one block; a piece smaller than 400 m² joins the neighbour in
    its grid with which it shares the longest line.
    """
    shapes = to_mm(system.finest().geometry.to_numpy())
    if not len(roads):
        return to_m(shapes)
    lines = to_mm(roads)
    # Only what crosses a grid matters: roads along its line cut nothing.
    network = shapely.union_all(np.concatenate([shapely.boundary(shapes), lines]), grid_size=1.0)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([network])))
    inner = shapely.point_on_surface(faces)
    face, grid = shapely.STRtree(shapes).query(inner, predicate="within")
    first = np.unique(face, return_index=True)[1]
    faces, grid = faces[face[first]], grid[first]
    return to_m(_join_small(np.asarray(faces, object), grid))


def _join_small(faces: NDArray[Any], grid: NDArray[np.int64]) -> NDArray[Any]:
    """Return the faces with the small ones joined to the longest neighbour in their grid."""
    pieces = [_join_in_grid(list(faces[grid == one])) for one in np.unique(grid).tolist()]
    return np.array([face for part in pieces for face in part], object)


def _join_in_grid(faces: list[Any]) -> list[Any]:
    while len(faces) > 1:
        areas = shapely.area(faces)
        at = int(np.argmin(areas))
        if areas[at] >= _LEAST_M2 * 1e6:
            break
        small = faces.pop(at)
        shared = shapely.length(
            shapely.intersection(shapely.boundary(faces), shapely.boundary(small))
        )
        best = int(np.argmax(shared))
        if shared[best] == 0:
            faces.append(small)
            break
        joined = shapely.coverage_union_all([faces[best], small])
        if shapely.get_type_id(joined) != 3:
            faces.append(small)
            break
        faces[best] = joined
    return faces
