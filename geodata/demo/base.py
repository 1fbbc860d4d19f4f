"""The base map: roads, water, green and buildings, modest in size and good to look at."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.demo.blobs import draw_blobs
from geodata.demo.blocks import MM, Shapes
from geodata.demo.land import use_of
from geodata.demo.streets import RANKS, bend_road, rank_of
from geodata.demo.town import Town

_SMOOTH_M = 0.4


def draw_base(town: Town) -> dict[str, gpd.GeoDataFrame]:
    """Return the base layers in local metres: roads, water, green, buildings."""
    return {
        "roads": _roads(town),
        "water": _water(town),
        "green": _green(town),
        "buildings": _buildings(town),
    }


def _frame(columns: dict[str, object], shapes: Shapes) -> gpd.GeoDataFrame:
    # on whole millimetres here, so that moving to the city's CRS cannot make a shape invalid
    frame = gpd.GeoDataFrame(columns, geometry=list(shapely.set_precision(shapes, MM)))
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


def _roads(town: Town) -> gpd.GeoDataFrame:
    """Return roads, one feature per class and name where they are connected."""
    lines = town.network.lines
    wet = shapely.union_all([*town.water.shapes, town.water.bed])
    names: list[str] = []
    classes: list[str] = []
    shapes: list[Shapes] = []
    for road in town.plan.roads:
        if road.raised:
            over = shapely.intersection(bend_road(town.ground, road), town.network.outline)
            shapes.append(shapely.get_parts([over]))
            classes += [road.rank] * len(shapes[-1])
            names += [road.name] * len(shapes[-1])
    for rank in range(rank_of("rail"), rank_of("fence")):
        for name in np.unique(lines.name[lines.rank == rank].astype(str)):
            chosen = (lines.rank == rank) & (lines.name == name)
            over = _merge(lines.shapes[chosen & lines.bridge])
            dry = _merge(lines.shapes[chosen & ~lines.bridge])
            barrier = town.water.corridor if rank <= rank_of("collector") else wet
            dry = shapely.get_parts(shapely.difference(dry, barrier))
            parts = np.r_[over, dry[shapely.length(dry) > 1.0]]
            shapes.append(parts)
            classes += [RANKS[rank]] * len(parts)
            names += [name] * len(parts)
    merged = shapely.simplify(np.concatenate(shapes), _SMOOTH_M)
    return _frame({"class": classes, "name": names}, merged)


def _merge(shapes: Shapes) -> NDArray[np.object_]:
    if not len(shapes):
        return np.empty(0, object)
    parts: NDArray[np.object_] = shapely.get_parts(shapely.line_merge(shapely.union_all(shapes)))
    return parts


def _water(town: Town) -> gpd.GeoDataFrame:
    water = town.water
    ponds = town.land.lot[town.land.use == use_of("pond")]
    ponds = shapely.buffer(ponds, -6.0, join_style="mitre")
    kind = np.r_[water.kind, np.full(len(ponds), "lake", object)]
    name = np.r_[water.name, np.full(len(ponds), "", object)]
    shapes = shapely.simplify(np.r_[water.shapes, ponds], _SMOOTH_M)
    return _frame({"kind": kind, "name": name}, shapes)


def _green(town: Town) -> gpd.GeoDataFrame:
    parks = np.flatnonzero(town.land.use == use_of("park"))
    fields = np.flatnonzero(town.land.use == use_of("field"))
    bank = shapely.difference(town.water.corridor, town.water.shapes[0])
    banks = shapely.get_parts(bank)
    built = town.buildings
    lakes = town.water.shapes[town.water.kind == "lake"]
    holes = [ring for lake in shapely.get_parts(lakes) for ring in lake.interiors]
    islands = np.array([shapely.Polygon(ring) for ring in holes], object)
    grass = np.flatnonzero(town.land.use == use_of("grass"))
    layers = {
        "park": np.r_[town.land.lot[parks], islands],
        "field": town.land.lot[fields],
        "bank": banks,
        "garden": built.gardens,
        "pitch": built.tracks,
        "grass": town.network.cells[grass],
        "wood": _hills(town),
    }
    kind = np.repeat(np.array(list(layers), object), [len(part) for part in layers.values()])
    name = np.full(len(kind), "", object)
    for position, cell in enumerate(parks):
        site = town.network.reserved_of[cell]
        if site >= 0:
            name[position] = town.plan.sites[site].name
    shapes = shapely.simplify(np.concatenate(list(layers.values())), _SMOOTH_M)
    return _frame({"kind": kind, "name": name}, shapes)


def _hills(town: Town) -> Shapes:
    """Return the wooded hills inside the outline, off the water."""
    hills = draw_blobs(town.ground, town.plan.hills)
    return np.asarray(
        shapely.difference(
            shapely.intersection(hills, town.network.outline), shapely.union_all(town.water.shapes)
        ),
        object,
    ).reshape(-1)


def _buildings(town: Town) -> gpd.GeoDataFrame:
    return _frame({"floors": town.buildings.floors}, town.buildings.shapes)
