"""Blocks of a drawing: its grids cut along the roads, the smallest land that a brush can give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import MM2_PER_M2, to_m, to_mm
from geodata.errors import BadSetting, Fault
from geodata.grids import GridSystem
from geodata.plans.holdings import own_by
from geodata.plans.points import CAMERA, COMPONENT, INCIDENT, PLACE, Points
from geodata.redraw.expectation import find_unknown

_LEAST_M2 = 400.0  # what a road cuts off below this is no block: it joins its longest neighbour
USUAL_WEIGHTS = {"cases": 1.0, "households": 0.2}  # a load counts cases: five homes are one
_HEAVIEST = 10.0


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockCounts:
    """What each block holds by what a grid's load is made of, and the band of its cases (n, 2)."""

    counts: dict[str, NDArray[np.float64]]
    band: NDArray[np.float64]  # NaN where the cases are known

    def weigh(
        self, weights: Mapping[str, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Return each block's load by some weights, and between what it lies.

        Raises BadSetting for weights that are none, or leave every block without load.
        """
        wrong = [name for name in weights if name not in self.counts]
        if wrong or not all(0 <= one <= _HEAVIEST for one in weights.values()):
            known = tuple(self.counts)
            values = {"known": known, "most": _HEAVIEST}
            raise BadSetting(Fault(key="plan_weights", field="weights", values=values))
        loads = np.zeros(len(self.band))
        for name, weight in weights.items():
            loads += weight * self.counts[name]
        if not loads.any():
            raise BadSetting(Fault(key="plan_weightless", field="weights"))
        by_case = weights.get("cases", 0.0)
        beside = loads - by_case * self.counts["cases"]
        band = by_case * self.band + beside[:, np.newaxis]
        return loads, band if by_case else np.full_like(band, np.nan)


def weigh_blocks(
    blocks: NDArray[Any], points: Points
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the load of each block (metres) by the usual weights, and its band (n, 2)."""
    return count_blocks(to_mm(blocks), points).weigh(USUAL_WEIGHTS)


def count_blocks(shapes: NDArray[Any], points: Points) -> BlockCounts:
    """
    Count what lies in each block (mm).

    The cases of a block that has no history are those of blocks like it: as dense in homes and in
    places, as far out.
    """
    owner, _ = own_by(dict(enumerate(shapes)), points.x, points.y, near_m=0.0)
    inside = (owner >= 0) & points.counts

    def total(weight: NDArray[Any]) -> NDArray[np.float64]:
        sums = np.bincount(owner[inside], weight[inside], minlength=len(shapes))
        return sums.astype(np.float64)

    cases, homes = total(points.sort == INCIDENT), total(points.homes)
    places = total(points.sort == PLACE)
    area_ha = shapely.area(shapes) / MM2_PER_M2 / 10_000
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    out = np.hypot(*(middle - np.average(middle, axis=0, weights=cases + homes + 1.0)).T)
    found = find_unknown(
        cases,
        exposure=homes if homes.any() else area_ha,
        likeness=np.column_stack([np.log1p(homes / area_ha), np.log1p(places / area_ha), out]),
    )
    return BlockCounts(
        counts={
            "cases": found.loads,
            "households": homes,
            "area_ha": area_ha,
            "components": total(points.sort == COMPONENT),
            "cameras": total(points.sort == CAMERA),
            "places": places,
        },
        band=found.band,
    )


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
