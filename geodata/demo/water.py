"""Water: the river with its width, canals, the moat of the old town, the lake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blobs import draw_blob
from geodata.demo.blocks import Shapes
from geodata.demo.ground import Floats, Ground
from geodata.demo.plan import Plan
from geodata.demo.streets import Network, bend, bend_canal, round_corners

BANK_M = 38.0  # green strip and promenade beside the river
_MOAT_INSET_M = 62.0
_MOAT_HALF_WIDTH_M = 13.0
_RIVER_STEP_M = 25.0
_ISLET_HALF_M = 300.0, 17.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Water:
    """Water bodies in local metres; `kind` is river, canal or lake."""

    shapes: Shapes
    kind: Shapes
    name: Shapes
    bed: shapely.Polygon  # of the river, its island with it
    corridor: shapely.Polygon  # river, banks and promenade: no building stands here


def draw_water(plan: Plan, ground: Ground, network: Network, rng: np.random.Generator) -> Water:
    """Return all water of a plan, clipped to the outline."""
    outline = network.outline
    corridor = _river_band(plan, ground, BANK_M)
    bed = river = _river_band(plan, ground, 0.0)
    if plan.islet_u_m is not None:
        river = shapely.difference(bed, _islet(ground, plan.islet_u_m))
    shapes: list[shapely.Geometry] = [river]
    kinds, names = ["river"], [plan.river]
    for canal in plan.canals:
        shapes.append(bend_canal(ground, canal).buffer(canal.half_width_m, quad_segs=4))
        kinds.append("canal")
        names.append(canal.name)
    if plan.moat:
        shapes.append(_moat(plan, ground))
        kinds.append("canal")
        names.append(plan.moat)
    for lake in plan.lakes:
        shapes.append(draw_blob(ground, lake))
        kinds.append("lake")
        names.append(lake.name)
    for site, one in enumerate(plan.sites):
        cells = np.flatnonzero(network.reserved_of == site)
        if one.use == "park" and one.whole and len(cells):
            shapes.append(draw_lake(network.cells[cells[0]], rng))
            kinds.append("lake")
            names.append(one.name.removesuffix("公园"))
    clipped = shapely.intersection(np.array(shapes, object), outline)
    clipped[1:] = shapely.difference(clipped[1:], bed)
    return Water(
        shapes=clipped,
        kind=np.array(kinds, object),
        name=np.array(names, object),
        bed=shapely.intersection(bed, outline),
        corridor=shapely.intersection(corridor, outline),
    )


def _river_band(plan: Plan, ground: Ground, beyond_m: float) -> shapely.Polygon:
    """Return the river, so much wider; an empty shape where the plan has none."""
    if not plan.river:
        return shapely.Polygon()
    reach = 1.6 * max(plan.radius_m)
    u = np.arange(-reach, reach, _RIVER_STEP_M)
    half = ground.river_half_width(u) + beyond_m * min(1.0, plan.river_half_width_m / 20)
    north, south = ground.to_local(u, half), ground.to_local(u, -half)
    band = shapely.Polygon(np.r_[np.c_[north], np.c_[south][::-1]])
    return shapely.make_valid(band)


def _islet(ground: Ground, middle_u_m: float) -> shapely.Polygon:
    """Return a long green island in a reach of the river between two bridges."""
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    u = middle_u_m + _ISLET_HALF_M[0] * np.cos(turn)
    x, y = ground.to_local(u, 6.0 + _ISLET_HALF_M[1] * np.sin(turn) * np.abs(np.sin(turn)) ** 0.3)
    return shapely.Polygon(np.c_[x, y])


def _moat(plan: Plan, ground: Ground) -> shapely.Polygon:
    u0, _, u1, v1 = plan.old_town
    u0, u1, v1 = u0 + _MOAT_INSET_M, u1 - _MOAT_INSET_M, v1 - _MOAT_INSET_M
    cut = 110.0
    course = [(u0, 0), (u0, v1 - cut), (u0 + cut, v1), (u1 - cut, v1), (u1, v1 - cut), (u1, 0)]
    line = bend(ground, round_corners(np.array(course, float), closed=False))
    return line.buffer(_MOAT_HALF_WIDTH_M, quad_segs=4)


def draw_lake(block: shapely.Polygon, rng: np.random.Generator) -> shapely.Polygon:
    """Return a lake with bays and an island inside a block."""
    centre = np.asarray(shapely.maximum_inscribed_circle(block, tolerance=5.0).coords)[0]
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    rays = shapely.linestrings(
        np.stack(
            [np.tile(centre, (120, 1)), centre + 4000 * np.c_[np.cos(turns), np.sin(turns)]], axis=1
        )
    )
    reach = shapely.length(shapely.intersection(rays, block))
    a, b, c = rng.uniform(0, 6, 3)
    bays = 0.68 + 0.10 * np.sin(2 * turns + a) + 0.07 * np.sin(5 * turns + b)
    bays += 0.03 * np.sin(9 * turns + c)
    shore = centre + (reach * bays)[:, None] * np.c_[np.cos(turns), np.sin(turns)]
    lake = shapely.Polygon(shore).buffer(-25).buffer(50).buffer(-25)
    island = shapely.Point(centre + np.array([0.12, -0.1]) * np.median(reach)).buffer(
        0.09 * np.median(reach)
    )
    return shapely.difference(lake, island)


def find_wet(water: Water, xy: Floats) -> NDArray[np.bool_]:
    """Tell which points (NaN: none) lie in water."""
    here = np.flatnonzero(np.isfinite(xy[:, 0]))
    tree = shapely.STRtree(shapely.points(xy[here]))
    wet = np.zeros(len(xy), bool)
    wet[here[tree.query(water.shapes, predicate="contains")[1]]] = True
    return wet
