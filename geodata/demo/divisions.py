"""Divisions: city, district, streets, communities and grids, exact unions of street blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.ground import Floats
from geodata.demo.landmarks import find_landmarks
from geodata.demo.numbering import Nested, make_frame, unite_levels
from geodata.demo.partition import (
    Graph,
    Ints,
    add_up,
    divide,
    make_graph,
    merge_graph,
    pairs_of,
    share_out,
    take_graph,
)
from geodata.demo.plan import Plan
from geodata.demo.streets import RANKS, Network
from geodata.demo.zones import Zones, within

_RURAL_AREA = 1.6  # times the median area of a community
# How much of a border's length counts when it is cut: rivers part, lanes hold together.
_HOLD = {
    "outline": 0.0,
    "river": 0.05,
    "canal": 0.3,
    "rail": 0.2,
    "expressway": 0.15,
    "arterial": 0.3,
    "collector": 0.6,
    "local": 1.0,
    "path": 1.8,
    "fence": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """Per cell its grid, community and street, and the frame of all levels in local metres."""

    grid_of: Ints
    community_of: Ints
    street_of: Ints
    grids: gpd.GeoDataFrame


def neighbour_graph(network: Network, load: Floats) -> Graph:
    """Return which cells share a street, and how much holds them together."""
    rings, cell = shapely.get_rings(network.cells, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    mm = np.rint(xy * 1000).astype(np.int64)
    follow = ring[1:] == ring[:-1]
    a, b = mm[:-1][follow], mm[1:][follow]
    owner = cell[ring[:-1][follow]]
    flip = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    low, high = np.where(flip[:, None], b, a), np.where(flip[:, None], a, b)
    order = np.lexsort((high[:, 1], high[:, 0], low[:, 1], low[:, 0]))
    low, high, owner = low[order], high[order], owner[order]
    same = (low[1:] == low[:-1]).all(axis=1) & (high[1:] == high[:-1]).all(axis=1)
    first, second = owner[:-1][same], owner[1:][same]
    at, to = low[1:][same] / 1000, high[1:][same] / 1000
    lines = network.lines
    line = shapely.STRtree(lines.shapes).nearest(shapely.points((at + to) / 2))
    hold = np.array([_HOLD[rank] for rank in RANKS])[lines.rank[line]]
    glue = np.hypot(*(to - at).T) * hold + 1e-6
    middle = shapely.get_coordinates(shapely.centroid(network.cells))
    return make_graph(first, second, glue, load=load, x=middle[:, 0], y=middle[:, 1])


def divide_city(
    zones: Zones, network: Network, households: Floats, rng: np.random.Generator
) -> Divisions:
    """Return nested parts of balanced load that follow streets and river."""
    plan = zones.plan
    area_ha = shapely.area(network.cells) / 1e4
    graph = neighbour_graph(network, households + plan.wide_load * area_ha)
    street_of = _divide_units(graph, network.quarter_of, max(plan.streets, 1), rng)
    unit = _house_sites(network, graph, street_of)
    community_of = _divide_nested(graph, unit, street_of, plan.communities, rng)
    near = replace(graph, load=households + plan.land_load * area_ha)
    grid_of = _divide_grids(plan, near, network, community_of, rng)
    nested = unite_levels(network, grid_of, community_of, street_of)
    homes = add_up(households, grid_of, len(nested.grids))
    seat = _seat(plan, network, street_of)
    frame = make_frame(
        plan, nested, homes,
        seat=seat, rural=_find_rural(zones, nested), landmarks=find_landmarks(plan, zones.ground),
    )  # fmt: skip
    return Divisions(grid_of=grid_of, community_of=community_of, street_of=street_of, grids=frame)


def _find_rural(zones: Zones, nested: Nested) -> NDArray[np.bool_]:
    """
    Tell which communities are villages: outside the ring and all small towns.

    Of a city whose outline is drawn by chance, those much larger than most.
    """
    plan = zones.plan
    if not plan.names.in_country:
        return np.zeros(len(nested.communities), bool)
    if not plan.outline:
        area = shapely.area(nested.communities)
        return np.asarray(area > _RURAL_AREA * np.median(area))
    x, y = shapely.get_coordinates(shapely.centroid(nested.communities)).T
    return ~(within(plan.urban, *zones.ground.to_plan(x, y)) | zones.is_town(x, y))


def _house_sites(network: Network, graph: Graph, street_of: Ints) -> Ints:
    """Return the units, each site's joined to a neighbour: no community is a park only."""
    unit = network.unit_of.copy()
    first, second, glue = pairs_of(graph)
    pairs = ((first, second), (second, first))
    for site in np.unique(network.reserved_of[network.reserved_of >= 0]):
        best, most = -1, 0.0
        for here, there in pairs:
            meets = (network.reserved_of[here] == site) & (network.reserved_of[there] < 0)
            meets &= street_of[here] == street_of[there]
            if meets.any() and glue[meets].max() > most:
                best, most = there[meets][glue[meets].argmax()], float(glue[meets].max())
        if best >= 0:
            unit[network.reserved_of == site] = unit[best]
    return unit


def _divide_units(graph: Graph, unit: Ints, parts: int, rng: np.random.Generator) -> Ints:
    """Divide a graph so that no unit (larger block) is cut."""
    _, unit = np.unique(unit, return_inverse=True)
    return divide(merge_graph(graph, unit), parts, rng)[unit]


def _divide_nested(
    graph: Graph, unit: Ints, parent: Ints, total: int, rng: np.random.Generator
) -> Ints:
    n = int(parent.max()) + 1
    most = np.array([len(np.unique(unit[parent == one])) for one in range(n)])
    share = share_out(total, add_up(graph.load, parent, n), most=most)
    label = np.empty(len(graph), np.int64)
    done = 0
    for one in range(n):
        members = np.flatnonzero(parent == one)
        part = _divide_units(take_graph(graph, members), unit[members], int(share[one]), rng)
        label[members] = done + part
        done += int(share[one])
    return label


def _divide_grids(
    plan: Plan, graph: Graph, network: Network, community: Ints, rng: np.random.Generator
) -> Ints:
    """Divide communities into general grids; each site is a special grid of its own."""
    general = np.flatnonzero(network.reserved_of < 0)
    label = np.empty(len(graph), np.int64)
    label[general] = _divide_nested(
        take_graph(graph, general), general, community[general], plan.grids, rng
    )
    special = network.reserved_of >= 0
    label[special] = plan.grids + network.reserved_of[special]
    return label


def _seat(plan: Plan, network: Network, street_of: Ints) -> int:
    """Return the street that holds most of the old town: the seat, numbered first."""
    u0, v0, u1, v1 = plan.old_town
    inside = (network.u > u0) & (network.u < u1) & (network.v > v0) & (network.v < v1)
    return int(np.bincount(street_of[inside]).argmax())
