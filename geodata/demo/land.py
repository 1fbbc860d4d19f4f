"""Land use: what each block between the streets is for, and the ground left for building."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blocks import Shapes
from geodata.demo.ground import Floats, make_waves
from geodata.demo.plan import Plan
from geodata.demo.streets import RANKS, Network
from geodata.demo.water import Water
from geodata.demo.zones import Flags, Zones, within

USES: tuple[str, ...] = (
    "old_town", "estate_old", "estate_mid", "estate_high", "villas", "village", "commerce",
    "office", "public", "school", "hospital", "market", "campus", "station", "logistics",
    "sports", "industry", "park", "field", "pond", "greenhouse", "courtyard", "palace", "wood",
    "grass",
)  # fmt: skip
# From a street's centre line to the land behind its pavement and hedge, metres.
LOT_EDGE_M = {
    "rail": 20.0,
    "expressway": 34.0,
    "arterial": 22.0,
    "collector": 13.0,
    "local": 8.0,
    "path": 2.5,
}
_CANAL_BANK_M = 9.0
Uses = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Per cell: its use (position in `USES`) and its lot, the land off streets and water."""

    use: Uses
    lot: Shapes


def use_of(name: str) -> int:
    """Return the position of a use in `USES`."""
    return USES.index(name)


def lay_out_land(zones: Zones, network: Network, water: Water, rng: np.random.Generator) -> Land:
    """Return the use and the lot of every cell."""
    use = _zone(zones, network, rng)
    for site, one in enumerate(zones.plan.sites):
        use[network.reserved_of == site] = use_of(one.use)
    return Land(use=use, lot=clear_lots(zones, network, water))


def _zone(zones: Zones, network: Network, rng: np.random.Generator) -> Uses:
    """Return uses by zone; a whole unit shares one main use, single cells differ."""
    plan, mix = zones.plan, zones.plan.mix
    n_units = int(network.unit_of.max()) + 1
    unit_dice, cell_dice = rng.random(n_units)[network.unit_of], rng.random(len(network.cells))
    u, v = network.u, network.v
    urban = within(plan.urban, u, v)
    small = zones.is_town(*shapely.get_coordinates(shapely.centroid(network.cells)).T) & ~urban
    fringe = ~urban & ~small
    use = np.full(len(u), use_of(mix.open_land), np.int8)

    dense = make_waves(rng, length_m=0.4 * plan.radius_m[0], height=0.5).at(u, v)
    if not mix.suburb:
        dense = np.zeros_like(dense)
    suburb = fringe & (dense > 0.55)
    use[fringe & (cell_dice < plan.village_share + 0.16 * dense)] = use_of("village")
    use[fringe & (cell_dice > 1 - mix.greenhouses)] = use_of("greenhouse")
    use[fringe & (cell_dice > 1 - mix.ponds)] = use_of("pond")
    if plan.hamlets_m:
        use[fringe & _near_hamlets(plan, u, v, rng)] = use_of("village")
    _deal(use, suburb, unit_dice, *mix.suburb)
    _deal(use, small, cell_dice[::-1], *mix.settlement)
    _deal(use, urban & (v > 0), unit_dice, *mix.north)
    _deal(use, urban & (v <= 0), unit_dice, *mix.south)
    built = urban | suburb | small
    _deal(use, built & (cell_dice < 0.19), rng.random(len(u)), *mix.trade)
    far = np.hypot(u - plan.centre[0], v - plan.centre[1]) / (0.12 * plan.radius_m[0])
    core = urban & (cell_dice < 0.85 * np.exp(-(far**2)))
    _deal(use, core, rng.random(len(u)), *mix.core)
    old = within(plan.old_town, u, v)
    use[old] = use_of(mix.houses)
    _deal(use, old & (cell_dice < mix.old_share), rng.random(len(u)), *mix.old)
    works = within(plan.industry, u, v) & (cell_dice < 0.86)
    use[works] = use_of("industry")
    use[zones.is_hill(*shapely.get_coordinates(shapely.centroid(network.cells)).T)] = use_of("wood")
    return use


def _near_hamlets(plan: Plan, u: Floats, v: Floats, rng: np.random.Generator) -> Flags:
    """Tell which cells lie in a village: one in each square of the open land, some larger."""
    reach, step = 1.3 * max(plan.radius_m), plan.hamlets_m
    lattice = np.arange(-reach, reach, step)
    at = np.stack(np.meshgrid(lattice, lattice), axis=-1).reshape(-1, 2)
    at += rng.uniform(-0.38, 0.38, at.shape) * step
    radius = step * rng.uniform(0.1, 0.26, len(at))
    cells = shapely.points(u, v)
    near = shapely.STRtree(shapely.points(at)).nearest(cells)
    return np.asarray(np.hypot(*(at[near] - np.c_[u, v]).T) < radius[near])


def _deal(use: Uses, where: NDArray[np.bool_], dice: Floats, *shares: tuple[str, float]) -> None:
    """Give the cells `where` their use by dice, in proportion to the shares."""
    if not where.any():
        return
    bounds = np.cumsum([share for _, share in shares])
    codes = np.array([use_of(name) for name, _ in shares], np.int8)
    pick = np.searchsorted(bounds / bounds[-1], dice, side="right").clip(0, len(codes) - 1)
    use[where] = codes[pick[where]]


def clear_lots(zones: Zones, network: Network, water: Water) -> Shapes:
    """Return each cell without streets, water, its banks and hills."""
    lines = network.lines
    half = np.array([LOT_EDGE_M.get(rank, 0.0) for rank in RANKS])[lines.rank]
    is_road = half > 0
    strips = shapely.buffer(lines.shapes[is_road], half[is_road], quad_segs=2)
    canals = water.shapes[water.kind == "canal"]
    wet = np.r_[
        strips,
        np.array([water.corridor], object),
        shapely.buffer(canals, _CANAL_BANK_M, quad_segs=2),
        water.shapes[water.kind == "lake"],
        shapely.get_parts(zones.hills),
    ]
    cell, strip = shapely.STRtree(wet).query(network.cells, predicate="intersects")
    order = np.argsort(cell, kind="stable")
    cell, strip = cell[order], strip[order]
    start = np.flatnonzero(np.diff(cell, prepend=-1))
    taken = np.array([shapely.union_all(wet[run]) for run in np.split(strip, start[1:])], object)
    lots = network.cells.copy()
    lots[cell[start]] = shapely.difference(lots[cell[start]], taken)
    return _largest_part(lots)


def _largest_part(shapes: Shapes) -> Shapes:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    best = np.full(len(shapes), shapely.Polygon(), object)
    order = np.argsort(shapely.area(parts), kind="stable")
    best[owner[order]] = parts[order]
    return best
