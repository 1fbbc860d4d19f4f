"""Zones: which parts of a plan are old town, city, small town, hill or open land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blobs import draw_blobs
from geodata.demo.blocks import Shapes
from geodata.demo.ground import Floats, Ground
from geodata.demo.plan import Box, Plan

_UNIT_M2 = 75_000.0  # of the larger blocks, which communities are made of
_OLD_CELL_M2 = 5_600.0
_URBAN_CELL_M2 = 9_000.0
_FRINGE_CELL_M2 = 25_000.0
_INDUSTRY_CELL_M2 = 30_000.0
_HILL_CELL_M2 = 60_000.0

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """The zones of one plan; hills, lakes and middles of small towns in local metres."""

    plan: Plan
    ground: Ground
    hills: shapely.Geometry
    lakes: shapely.Geometry
    towns: Shapes
    reach_m: Floats  # of each small town

    def unit_target_m2(self, faces: Shapes) -> Floats:
        """Return the wanted area of the larger blocks that each face is cut into."""
        return self._scale(np.full(len(faces), _UNIT_M2), faces)

    def cell_target_m2(self, faces: Shapes) -> Floats:
        """Return the wanted block area: small in the old town, large outside the city."""
        u, v = self._middles(faces)
        target = np.full(len(faces), _FRINGE_CELL_M2)
        target[within(self.plan.urban, u, v)] = _URBAN_CELL_M2
        target[within(self.plan.old_town, u, v)] = _OLD_CELL_M2
        target[within(self.plan.industry, u, v)] = _INDUSTRY_CELL_M2
        target[self._meets_town(faces)] = _URBAN_CELL_M2
        target[shapely.contains(self.hills, shapely.centroid(faces))] = _HILL_CELL_M2
        return self._scale(target, faces)

    def is_town(self, x: Floats, y: Floats) -> Flags:
        """Tell which points lie in a small town."""
        found = np.zeros(len(x), bool)
        tree = shapely.STRtree(self.towns)
        near = tree.query(shapely.points(x, y), predicate="dwithin", distance=self._widest())
        gap = shapely.distance(shapely.points(x, y)[near[0]], self.towns[near[1]])
        found[near[0][gap < self.reach_m[near[1]]]] = True
        return found

    def is_hill(self, x: Floats, y: Floats) -> Flags:
        """Tell which points lie on a hill."""
        return np.asarray(shapely.contains_xy(self.hills, x, y))

    def is_wild(self, x: Floats, y: Floats) -> Flags:
        """Tell which points lie where land is parted but has no streets: hills, pasture."""
        hill = self.is_hill(x, y)
        if not self.plan.pasture:
            return hill
        return hill | ~(within(self.plan.urban, *self.ground.to_plan(x, y)) | self.is_town(x, y))

    def _scale(self, target: Floats, faces: Shapes) -> Floats:
        """Return target areas by the scale of the plan: larger on its open land, none in lakes."""
        target[shapely.contains(self.lakes, shapely.point_on_surface(faces))] = np.inf
        if self.plan.fringe_scale != 1.0:
            near = within(self.plan.urban, *self._middles(faces)) | self._meets_town(faces)
            target = np.where(near, target, target * self.plan.fringe_scale)
        return target * self.plan.cell_scale

    def _middles(self, faces: Shapes) -> tuple[Floats, Floats]:
        middle = shapely.get_coordinates(shapely.centroid(faces))
        return self.ground.to_plan(middle[:, 0], middle[:, 1])

    def _meets_town(self, faces: Shapes) -> Flags:
        """Tell which faces have land in a small town: they are cut until they end there."""
        found = np.zeros(len(faces), bool)
        tree = shapely.STRtree(faces)
        for town, reach in zip(self.towns, self.reach_m, strict=True):
            found[tree.query(town, predicate="dwithin", distance=reach)] = True
        return found

    def _widest(self) -> float:
        return float(self.reach_m.max(initial=0.0))


def make_zones(plan: Plan, ground: Ground) -> Zones:
    """Return the zones of a plan."""
    at = np.array([one.at for one in plan.settlements], float).reshape(-1, 2)
    return Zones(
        plan=plan,
        ground=ground,
        hills=shapely.union_all(draw_blobs(ground, plan.hills)),
        lakes=shapely.union_all(draw_blobs(ground, plan.lakes)),
        towns=np.asarray(shapely.points(*ground.to_local(at[:, 0], at[:, 1])), object).reshape(-1),
        reach_m=np.array([one.radius_m for one in plan.settlements], float),
    )


def within(box: Box, u: Floats, v: Floats) -> Flags:
    """Tell which plan coordinates lie in a box."""
    return (u > box[0]) & (u < box[2]) & (v > box[1]) & (v < box[3])
