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

USES: tuple[str, ...] = (
    "old_town", "estate_old", "estate_mid", "estate_high", "villas", "village", "commerce",
    "office", "public", "school", "hospital", "market", "campus", "station", "logistics",
    "sports", "industry", "park", "field", "pond", "greenhouse",
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
_OLD_CELL_M2 = 5_600.0
_URBAN_CELL_M2 = 9_000.0
_FRINGE_CELL_M2 = 25_000.0
_INDUSTRY_CELL_M2 = 30_000.0

Uses = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Per cell: its use (position in `USES`) and its lot, the land off streets and water."""

    use: Uses
    lot: Shapes
    urban: NDArray[np.bool_]


def use_of(name: str) -> int:
    """Return the position of a use in `USES`."""
    return USES.index(name)


def cell_target_m2(plan: Plan, u: Floats, v: Floats) -> Floats:
    """Return the wanted block area at plan coordinates: small in the old town, large outside."""
    target = np.full(np.shape(u), _FRINGE_CELL_M2)
    target[_within(plan.urban, u, v)] = _URBAN_CELL_M2
    target[_within(plan.old_town, u, v)] = _OLD_CELL_M2
    target[_within(plan.industry, u, v)] = _INDUSTRY_CELL_M2
    return target * plan.cell_scale


def _within(box: tuple[float, float, float, float], u: Floats, v: Floats) -> NDArray[np.bool_]:
    return (u > box[0]) & (u < box[2]) & (v > box[1]) & (v < box[3])


def lay_out_land(plan: Plan, network: Network, water: Water, rng: np.random.Generator) -> Land:
    """Return the use and the lot of every cell."""
    urban = _within(plan.urban, network.u, network.v)
    use = _zone(plan, network, urban, rng)
    for site, one in enumerate(plan.sites):
        use[network.reserved_of == site] = use_of(one.use)
    return Land(use=use, lot=clear_lots(network, water), urban=urban)


def _zone(plan: Plan, network: Network, urban: NDArray[np.bool_], rng: np.random.Generator) -> Uses:
    """Return uses by zone; a whole unit shares one main use, single cells differ."""
    n_units = int(network.unit_of.max()) + 1
    unit_dice, cell_dice = rng.random(n_units)[network.unit_of], rng.random(len(network.cells))
    u, v = network.u, network.v
    use = np.full(len(u), use_of("field"), np.int8)

    fringe = ~urban
    dense = make_waves(rng, length_m=0.4 * plan.radius_m[0], height=0.5).at(u, v)
    if plan.pasture:
        dense = np.zeros_like(dense)
    town = fringe & (dense > 0.55)
    use[fringe & (cell_dice < plan.village_share + 0.16 * dense)] = use_of("village")
    use[fringe & (cell_dice > 0.89) & (not plan.pasture)] = use_of("greenhouse")
    use[fringe & (cell_dice > 0.955)] = use_of("pond")
    _deal(use, town, unit_dice, ("estate_mid", 0.45), ("estate_old", 0.3), ("villas", 0.25))

    north, south = urban & (v > 0), urban & (v <= 0)
    _deal(
        use, north, unit_dice,
        ("estate_old", 0.55), ("estate_mid", 0.22), ("estate_high", 0.13), ("village", 0.10),
    )  # fmt: skip
    _deal(
        use, south, unit_dice,
        ("estate_high", 0.42), ("estate_mid", 0.36), ("estate_old", 0.14), ("villas", 0.08),
    )  # fmt: skip
    built = urban | town
    _deal(
        use, built & (cell_dice < 0.19), rng.random(len(u)),
        ("commerce", 0.42), ("park", 0.18), ("school", 0.16), ("public", 0.16), ("hospital", 0.03),
        ("market", 0.05),
    )  # fmt: skip
    far = np.hypot(u - plan.centre[0], v - plan.centre[1]) / (0.12 * plan.radius_m[0])
    core = urban & (cell_dice < 0.85 * np.exp(-(far**2)))
    _deal(use, core, rng.random(len(u)), ("office", 0.6), ("commerce", 0.32), ("park", 0.08))
    old = _within(plan.old_town, u, v)
    use[old] = use_of("old_town")
    _deal(
        use, old & (cell_dice < 0.22), rng.random(len(u)),
        ("commerce", 0.4), ("estate_old", 0.4), ("school", 0.08), ("public", 0.06), ("park", 0.06),
    )  # fmt: skip
    works = _within(plan.industry, u, v) & (cell_dice < 0.86)
    use[works] = use_of("industry")
    return use


def _deal(use: Uses, where: NDArray[np.bool_], dice: Floats, *shares: tuple[str, float]) -> None:
    """Give the cells `where` their use by dice, in proportion to the shares."""
    bounds = np.cumsum([share for _, share in shares])
    codes = np.array([use_of(name) for name, _ in shares], np.int8)
    pick = np.searchsorted(bounds / bounds[-1], dice, side="right").clip(0, len(codes) - 1)
    use[where] = codes[pick[where]]


def clear_lots(network: Network, water: Water) -> Shapes:
    """Return each cell without the streets around it and without water and its banks."""
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
