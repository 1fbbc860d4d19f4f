"""Blocks of a drawing: its grids cut along the roads, the smallest land that a brush can give."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import MM2_PER_M2, to_m, to_mm
from geodata.grids import GridSystem
from geodata.plans.holdings import own_by
from geodata.plans.points import INCIDENT, PLACE, Points
from geodata.redraw.expectation import find_unknown

_LEAST_M2 = 400.0  # what a road cuts off below this is no block: it joins its longest neighbour
_HOMES_WEIGH = 0.2  # of a case: what a block's households add to its load


def cut_blocks(system: GridSystem, roads: NDArray[Any], water: NDArray[Any]) -> NDArray[Any]:
    """
    Return the finest grids (metres) cut along roads and banks: polygons on whole mm that tile.

    A grid that nothing crosses is one block; a piece smaller than 400 m² joins the neighbour in its
    grid with which it shares the longest line, and so does a piece of water: it goes with a bank.
    """
    shapes = to_mm(system.finest().geometry.to_numpy())
    if not len(roads) and not len(water):
        return to_m(shapes)
    areas = to_mm(water)
    wide = shapely.get_dimensions(areas) == 2
    banks = np.where(wide, shapely.boundary(areas), areas)
    # Only what crosses a grid matters: roads along its line cut nothing.
    network = shapely.union_all(
        np.concatenate([shapely.boundary(shapes), to_mm(roads), banks]), grid_size=1.0
    )
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([network])))
    inner = shapely.point_on_surface(faces)
    face, grid = shapely.STRtree(shapes).query(inner, predicate="within")
    first = np.unique(face, return_index=True)[1]
    faces, inner, grid = faces[face[first]], inner[face[first]], grid[first]
    wet = np.zeros(len(faces), np.bool_)
    wet[shapely.STRtree(areas[wide]).query(inner, predicate="within")[0]] = True
    return to_m(_join_small(np.asarray(faces, object), grid, wet))


def weigh_blocks(
    blocks: NDArray[Any], points: Points
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return each block's load (its cases, its households a fifth as much each) and its band (n, 2).

    The cases of a block that has no history are those of blocks like it: as dense in homes and in
    places, as far out. The band is NaN where the load is known.
    """
    shapes = to_mm(blocks)
    owner, _ = own_by(dict(enumerate(shapes)), points.x, points.y, near_m=0.0)
    inside = (owner >= 0) & points.counts

    def total(weight: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(owner[inside], weight[inside], minlength=len(blocks))
        return sums.astype(np.float64)

    cases, homes = total(points.sort == INCIDENT), total(points.homes)
    area_ha = shapely.area(shapes) / MM2_PER_M2 / 10_000
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    out = np.hypot(*(middle - np.average(middle, axis=0, weights=cases + homes + 1.0)).T)
    found = find_unknown(
        cases,
        exposure=homes if homes.any() else area_ha,
        likeness=np.column_stack(
            [np.log1p(homes / area_ha), np.log1p(total(points.sort == PLACE) / area_ha), out]
        ),
    )
    known = _HOMES_WEIGH * homes
    return found.loads + known, found.band + known[:, np.newaxis]


def _join_small(
    faces: NDArray[Any], grid: NDArray[np.int64], wet: NDArray[np.bool_]
) -> NDArray[Any]:
    """Return the faces with small and wet ones joined to the longest neighbour in their grid."""
    pieces = []
    for one in np.unique(grid).tolist():
        rows = np.flatnonzero(grid == one)
        pieces.append(_join_in_grid(list(faces[rows]), wet[rows].tolist()))
    return np.array([face for part in pieces for face in part], object)


def _join_in_grid(faces: list[Any], wet: list[bool]) -> list[Any]:
    while len(faces) > 1:
        sizes = np.where(wet, 0.0, shapely.area(faces))
        at = int(np.argmin(sizes))
        if sizes[at] >= _LEAST_M2 * 1e6:
            break
        small, water = faces.pop(at), wet.pop(at)
        shared = shapely.length(
            shapely.intersection(shapely.boundary(faces), shapely.boundary(small))
        )
        best = int(np.argmax(shared))
        joined = shapely.coverage_union_all([faces[best], small])
        if shared[best] == 0 or shapely.get_type_id(joined) != 3:
            faces.append(small)
            wet.append(water)
            break
        faces[best] = joined
        wet[best] = wet[best] and water
    return faces
