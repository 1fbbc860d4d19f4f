"""Divisions: city, district, streets, communities and grids, exact unions of street blocks."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo import names
from geodata.demo.ground import Floats
from geodata.demo.partition import (
    Graph,
    Ints,
    divide,
    make_graph,
    merge_graph,
    share_out,
    take_graph,
)
from geodata.demo.plan import Plan
from geodata.demo.streets import RANKS, Network, Shapes

CITY_CODE = "3210"
DISTRICT_CODE = "321012"
_LOAD_PER_HA = 14.0  # land counts too, else a grid of fields would have no end
_BREAK = {"outline": 0.0, "river": 0.05, "canal": 0.3, "expressway": 0.15, "arterial": 0.3, "collector": 0.6, "local": 1.0, "path": 1.8}  # fmt: skip
_STRAIGHTEN_M = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """The nested parts: per cell its grid, community and street; the grids' frame in local metres."""

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
    hold = np.array([_BREAK[rank] for rank in RANKS])[lines.rank[line]]
    glue = np.hypot(*(to - at).T) * hold + 1e-6
    middle = shapely.get_coordinates(shapely.centroid(network.cells))
    return make_graph(first, second, glue, load=load, x=middle[:, 0], y=middle[:, 1])


def divide_city(
    plan: Plan, network: Network, households: Floats, rng: np.random.Generator
) -> Divisions:
    """Return streets, communities and grids of balanced load, nested, following streets and river."""
    load = households + _LOAD_PER_HA * shapely.area(network.cells) / 1e4
    graph = neighbour_graph(network, load)
    street_of = _divide_units(graph, network.quarter_of, max(plan.streets, 1), rng)
    community_of = _divide_nested(graph, network.unit_of, street_of, plan.communities, rng)
    grid_of = _divide_grids(plan, graph, network, community_of, rng)
    frame = _make_frame(plan, network, grid_of, community_of, street_of, households)
    return Divisions(grid_of=grid_of, community_of=community_of, street_of=street_of, grids=frame)


def _divide_units(graph: Graph, unit: Ints, parts: int, rng: np.random.Generator) -> Ints:
    """Divide a graph so that no unit (larger block) is cut."""
    _, unit = np.unique(unit, return_inverse=True)
    return divide(merge_graph(graph, unit), parts, rng)[unit]


def _divide_nested(
    graph: Graph, unit: Ints, parent: Ints, total: int, rng: np.random.Generator
) -> Ints:
    n = int(parent.max()) + 1
    most = np.array([len(np.unique(unit[parent == one])) for one in range(n)])
    share = share_out(total, np.bincount(parent, graph.load, n), most=most)
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


def reading_order(shapes: Shapes) -> NDArray[np.int64]:
    """Return the order for numbering: rows from north to south, west to east inside a row."""
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    height = np.sqrt(np.median(shapely.area(shapes)))
    row = np.floor((middle[:, 1].max() - middle[:, 1]) / max(height, 1.0))
    return np.lexsort((middle[:, 0], row))


def _number_inside(shapes: Shapes, parent: Ints) -> Ints:
    """Return the serial 1.. of each shape inside its parent."""
    serial = np.empty(len(shapes), np.int64)
    for one in np.unique(parent):
        members = np.flatnonzero(parent == one)
        serial[members[reading_order(shapes[members])]] = np.arange(1, len(members) + 1)
    return serial


def _unite(shapes: Shapes, group: Ints) -> Shapes:
    order = np.argsort(group, kind="stable")
    start = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.array(
        [shapely.coverage_union_all(shapes[run]) for run in np.split(order, start[1:])], object
    )


def _first_of(values: Ints, group: Ints) -> Ints:
    """Return the value that the members of each group 0..n share."""
    shared = np.empty(int(group.max()) + 1, np.int64)
    shared[group] = values
    return shared


def _make_frame(
    plan: Plan,
    network: Network,
    grid_of: Ints,
    community_of: Ints,
    street_of: Ints,
    households: Floats,
) -> gpd.GeoDataFrame:
    grids = shapely.coverage_simplify(_unite(network.cells, grid_of), _STRAIGHTEN_M)
    community_of_grid = _first_of(community_of, grid_of)
    street_of_community = _first_of(street_of, community_of)
    communities = _unite(grids, community_of_grid)
    homes = np.bincount(grid_of, households, len(grids))
    if not plan.streets:
        return _frame_of_village(plan, grids, communities, homes)
    streets = _unite(communities, street_of_community)
    whole = shapely.coverage_union_all(streets)

    seat = int(_first_of(street_of, street_of)[_street_at(plan, network, street_of)])
    order = reading_order(streets)
    order = np.r_[seat, order[order != seat]]
    street_serial = np.empty(len(streets), np.int64)
    street_serial[order] = np.arange(1, len(streets) + 1)
    street_code = np.array([f"{DISTRICT_CODE}{serial:03d}" for serial in street_serial], object)
    street_name = np.array([names.STREETS[serial - 1] for serial in street_serial], object)

    community_serial = _number_inside(communities, street_of_community)
    community_code = street_code[street_of_community] + _digits(community_serial)
    rural = _is_rural(network, community_of)
    community_name = names.name_communities(community_code, rural)

    grid_serial = _number_inside(grids, community_of_grid)
    grid_code = community_code[community_of_grid] + _digits(grid_serial)
    special = np.arange(len(grids)) >= plan.grids
    grid_name = np.array([f"第{serial:03d}网格" for serial in grid_serial], object)
    sites = np.array([site.name for site in plan.sites], object)
    grid_name[special] = sites + "专属网格"
    post = np.array([f"第{serial:02d}网格岗" for serial in grid_serial], object)
    post[special] = grid_name[special] + "岗"
    lead = street_name[street_of_community][community_of_grid] + community_name[community_of_grid]
    layers = [
        ([CITY_CODE], ["扬州市"], "city", [""], ["扬州市社会治理指挥中心"], [whole]),
        ([DISTRICT_CODE], ["江都区"], "district", [CITY_CODE], ["江都区区域社会治理中心"], [whole]),
        (street_code, street_name, "street", np.full(len(streets), DISTRICT_CODE, object), street_name + "综合指挥室", streets),
        (community_code, community_name, "community", street_code[street_of_community], street_name[street_of_community] + community_name + "网格工作站", communities),
        (grid_code, grid_name, "grid", community_code[community_of_grid], lead + post, grids),
    ]  # fmt: skip
    people = [
        np.array([homes.sum()]),
        np.array([homes.sum()]),
        np.bincount(street_of_community[community_of_grid], homes),
        np.bincount(community_of_grid, homes),
        homes,
    ]
    return _stack(layers, people, special)


def _street_at(plan: Plan, network: Network, street_of: Ints) -> int:
    """Return the street that holds most of the old town: the seat, numbered first."""
    u0, v0, u1, v1 = plan.old_town
    inside = (network.u > u0) & (network.u < u1) & (network.v > v0) & (network.v < v1)
    return int(np.bincount(street_of[inside]).argmax())


def _is_rural(network: Network, community_of: Ints) -> NDArray[np.bool_]:
    area = np.bincount(community_of, shapely.area(network.cells))
    large: NDArray[np.bool_] = area > 1.6 * np.median(area)
    return large


def _frame_of_village(
    plan: Plan, grids: Shapes, communities: Shapes, homes: Floats
) -> gpd.GeoDataFrame:
    code = f"{DISTRICT_CODE}101001"
    serial = _number_inside(grids, np.zeros(len(grids), np.int64))
    name = f"{plan.name_zh}社区"
    grid_name = np.array([f"第{one:03d}网格" for one in serial], object)
    post = np.array([f"{name}第{one:02d}网格岗" for one in serial], object)
    layers = [
        ([code], [name], "community", [""], [f"{name}网格工作站"], communities),
        (code + _digits(serial), grid_name, "grid", np.full(len(grids), code, object), post, grids),
    ]
    return _stack(layers, [np.array([homes.sum()]), homes], np.zeros(len(grids), bool))


def _digits(serial: Ints) -> NDArray[np.object_]:
    return np.array([f"{one:03d}" for one in serial], object)


def _stack(
    layers: list[tuple[object, ...]], people: list[Floats], special: NDArray[np.bool_]
) -> gpd.GeoDataFrame:
    frames = []
    for (code, name, level, parent, body, shapes), homes in zip(layers, people, strict=True):
        kind = np.where(special, "special", "general") if level == "grid" else "general"
        frame = gpd.GeoDataFrame(
            {
                "code": code,
                "name": name,
                "level": level,
                "parent_code": parent,
                "kind": kind,
                "body": body,
                "households": homes,
                "population": np.rint(homes * names.PERSONS_PER_HOUSEHOLD),
            },
            geometry=list(shapes),  # type: ignore[call-overload]
        )
        frames.append(frame.sort_values("code", ignore_index=True))
    whole = gpd.pd.concat(frames, ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry")
