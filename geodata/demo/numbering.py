"""Numbering: the levels as exact unions, their codes in reading order, names and posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.demo.blocks import Shapes
from geodata.demo.ground import Floats
from geodata.demo.landmarks import match_names
from geodata.demo.names import PERSONS_PER_HOUSEHOLD, name_communities
from geodata.demo.partition import Ints, add_up
from geodata.demo.plan import Plan
from geodata.demo.streets import Network

_VILLAGE_STREET = "101"  # of a city that is only one community
_STRAIGHTEN_M = 0.6  # vertices that bend a border less are left out, on both sides alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """The shapes of each level, and which one of the next level each lies in."""

    grids: Shapes
    communities: Shapes
    streets: Shapes
    community_of_grid: Ints
    street_of_community: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    name: str
    codes: Shapes
    names: Shapes
    parents: Shapes
    bodies: Shapes
    kinds: Shapes
    households: Floats
    population: Floats
    shapes: Shapes

    def frame(self) -> gpd.GeoDataFrame:
        columns = {
            "code": self.codes,
            "name": self.names,
            "level": self.name,
            "parent_code": self.parents,
            "kind": self.kinds,
            "body": self.bodies,
            "households": self.households,
            "population": self.population,
        }
        frame = gpd.GeoDataFrame(columns, geometry=list(self.shapes))
        return frame.sort_values("code", ignore_index=True)


def unite_levels(network: Network, grid_of: Ints, community_of: Ints, street_of: Ints) -> Nested:
    """Return grids, communities and streets as exact unions of cells."""
    grids = shapely.coverage_simplify(_unite(network.cells, grid_of), _STRAIGHTEN_M)
    community_of_grid = _shared(community_of, grid_of)
    street_of_community = _shared(street_of, community_of)
    communities = _unite(grids, community_of_grid)
    return Nested(
        grids=grids,
        communities=communities,
        streets=_unite(communities, street_of_community),
        community_of_grid=community_of_grid,
        street_of_community=street_of_community,
    )


def make_frame(
    plan: Plan,
    nested: Nested,
    homes: Floats,
    *,
    seat: int,
    rural: NDArray[np.bool_],
    landmarks: Mapping[str, shapely.Point],
) -> gpd.GeoDataFrame:
    """
    Return all levels, outermost first, each in code order; geometry in local metres.

    `rural` tells which communities are villages (村); parts are named after `landmarks` near them.
    """
    street_code, street_name = _name_streets(plan, nested, seat, landmarks)
    community = _community_level(plan, nested, street_code, street_name, rural, landmarks)
    grid = _grid_level(plan, nested, community, street_name, homes)
    to_community, to_street = nested.community_of_grid, nested.street_of_community
    homes_up, people_up = (
        add_up(values, to_community) for values in (grid.households, grid.population)
    )
    community = _counted(community, homes_up, people_up)
    if not plan.streets:
        return _stack([community, grid])
    whole = np.array([shapely.coverage_union_all(nested.streets)], object)
    total = np.array([homes_up.sum()]), np.array([people_up.sum()])
    streets = _Level(
        name="street",
        codes=street_code,
        names=street_name,
        parents=_all(plan.code, street_code),
        bodies=street_name + "综合指挥室",
        kinds=_all("general", street_code),
        households=add_up(homes_up, to_street),
        population=add_up(people_up, to_street),
        shapes=nested.streets,
    )
    return _stack(
        [
            _whole(
                plan.city_code,
                plan.city_zh,
                "city",
                "",
                f"{plan.city_zh}社会治理指挥中心",
                whole,
                total,
            ),
            _whole(
                plan.code,
                plan.district_zh,
                "district",
                plan.city_code,
                f"{plan.district_zh}区域社会治理中心",
                whole,
                total,
            ),
            streets,
            community,
            grid,
        ]
    )


def reading_order(shapes: Shapes) -> Ints:
    """Return the order for numbering: rows from north to south, west to east inside a row."""
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    height = np.sqrt(np.median(shapely.area(shapes)))
    row = np.floor((middle[:, 1].max() - middle[:, 1]) / max(float(height), 1.0))
    return np.asarray(np.lexsort((middle[:, 0], row)), np.int64)


def _name_streets(
    plan: Plan, nested: Nested, seat: int, landmarks: Mapping[str, shapely.Point]
) -> tuple[Shapes, Shapes]:
    """Return codes and names of the streets: the seat first; the large ones are towns (镇)."""
    order = reading_order(nested.streets)
    order = np.r_[seat, order[order != seat]]
    serial = np.empty(len(order), np.int64)
    serial[order] = np.arange(1, len(order) + 1)
    if not plan.streets:
        return np.array([plan.code + _VILLAGE_STREET], object), np.array([""], object)
    area = shapely.area(nested.streets)
    own = plan.names
    towns = set(np.argsort(-area, kind="stable")[: len(own.towns)].tolist()) - {seat}
    name = np.empty(len(order), object)
    urban, rural = ([one for one in pool if one != plan.seat] for pool in (own.streets, own.towns))
    name[seat] = plan.seat
    for pool, small in ((rural, True), (urban, False)):
        free = [one for one in order if one != seat and (one in towns) == small]
        for one, word in match_names(pool, nested.streets, free, landmarks).items():
            name[one] = word
            pool.remove(word)
    for one in order:
        if name[one] is None:
            pool = (rural or urban) if one in towns else (urban or rural)
            name[one] = pool.pop(0)
    return plan.code + _digits(serial), name


def _community_level(
    plan: Plan,
    nested: Nested,
    street_code: Shapes,
    street_name: Shapes,
    rural: NDArray[np.bool_],
    landmarks: Mapping[str, shapely.Point],
) -> _Level:
    street = nested.street_of_community
    code = street_code[street] + _digits(_number_inside(nested.communities, street))
    middle = shapely.get_coordinates(shapely.centroid(nested.communities))
    near = match_names(plan.names.in_town, nested.communities, np.flatnonzero(~rural), landmarks)
    name = name_communities(
        plan.names, code, rural=rural, at=middle - middle.mean(axis=0), given=near
    )
    if not plan.streets:
        name = np.array([f"{plan.name_zh}社区"], object)
    return _Level(
        name="community",
        codes=code,
        names=name,
        parents=street_code[street] if plan.streets else _all("", code),
        bodies=street_name[street] + name + "网格工作站",
        kinds=_all("general", code),
        households=np.zeros(len(code)),
        population=np.zeros(len(code)),
        shapes=nested.communities,
    )


def _grid_level(
    plan: Plan, nested: Nested, community: _Level, street_name: Shapes, homes: Floats
) -> _Level:
    parent = nested.community_of_grid
    serial = _number_inside(nested.grids, parent)
    special = np.arange(len(serial)) >= plan.grids
    name = np.array([f"第{one:03d}网格" for one in serial], object)
    post = np.array([f"第{one:02d}网格岗" for one in serial], object)
    name[special] = np.array([site.name for site in plan.sites], object) + "专属网格"
    post[special] = name[special] + "岗"
    lead = street_name[nested.street_of_community] + community.names
    return _Level(
        name="grid",
        codes=community.codes[parent] + _digits(serial),
        names=name,
        parents=community.codes[parent],
        bodies=lead[parent] + post,
        kinds=np.where(special, "special", "general").astype(object),
        households=homes,
        population=np.rint(homes * PERSONS_PER_HOUSEHOLD),
        shapes=nested.grids,
    )


def _counted(level: _Level, households: Floats, population: Floats) -> _Level:
    return replace(level, households=households, population=population)


def _whole(
    code: str,
    name: str,
    level: str,
    parent: str,
    body: str,
    shape: Shapes,
    counts: tuple[Floats, Floats],
) -> _Level:
    return _Level(
        name=level,
        codes=np.array([code], object),
        names=np.array([name], object),
        parents=np.array([parent], object),
        bodies=np.array([name + body], object),
        kinds=np.array(["general"], object),
        households=counts[0],
        population=counts[1],
        shapes=shape,
    )


def _stack(levels: list[_Level]) -> gpd.GeoDataFrame:
    whole = pd.concat([level.frame() for level in levels], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry")


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
    runs = np.split(order, start[1:])
    return np.array([shapely.coverage_union_all(shapes[run]) for run in runs], object)


def _shared(values: Ints, group: Ints) -> Ints:
    """Return the value that the members of each group 0..n share."""
    shared = np.empty(int(group.max()) + 1, np.int64)
    shared[group] = values
    return shared


def _digits(serial: Ints) -> Shapes:
    return np.array([f"{one:03d}" for one in serial], object)


def _all(text: str, like: Shapes) -> Shapes:
    return np.full(len(like), text, object)
