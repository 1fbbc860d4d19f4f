"""Base map tiles: what shows from which zoom on, roads joined, small things dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.snapshots.later import Later
from layers.layer import Tile
from layers.shape_tile import cut_shapes, tile_box, to_world, world_sizes
from layers.vector_tile import EXTENT, LINE, POLYGON, Column, encode_layer, make_column

MINZOOM, MAXZOOM = 8, 15
# Roads by class: the words of plans and of OpenStreetMap, as what, and from which zoom on.
ROADS: Mapping[str, tuple[str, int]] = {
    "motorway": ("motorway", 8), "expressway": ("motorway", 8), "trunk": ("trunk", 8),
    "arterial": ("primary", 8), "primary": ("primary", 8), "secondary": ("secondary", 8),
    "collector": ("tertiary", 11), "tertiary": ("tertiary", 11),
    "local": ("residential", 13), "residential": ("residential", 13),
    "rail": ("rail", 10), "railway": ("rail", 10),
    "service": ("service", 15), "path": ("path", 15),
}  # fmt: skip
_OTHER_ROAD = ("residential", 13)
_SMALL_ROADS_NAMED_FROM = 15
BUILDINGS_FROM = 15
_STEP = 4  # tile units between points: half a pixel; the deepest tiles are stretched, so finer
_FINE_STEP = 1
_LEAST_AREA = 16.0 * 16.0  # square tile units: four pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One layer of the tiles: shapes from 0 to 1 with an index, and from which zoom each shows."""

    layer: str
    kind: int
    shapes: NDArray[np.object_]
    minzoom: NDArray[np.int64]
    sizes: NDArray[np.float64]
    tree: shapely.STRtree
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A layer that shows from a zoom on; its sheet is made when the first tile wants it."""

    minzoom: int
    later: Later[Sheet]


def prepare_base(base: Mapping[str, gpd.GeoDataFrame]) -> tuple[Part, ...]:
    """
    Return the base map's layers, to be projected and indexed once; empty ones are left out.

    Buildings, by far the most shapes, wait until somebody looks that close.
    """
    parts = [
        Part(
            minzoom=minzoom,
            later=Later(partial(_make_sheet, name, base[name], minzoom, fields)),
        )
        for name, minzoom, fields in (
            ("green", MINZOOM, ()),
            ("water", MINZOOM, ("name",)),
            ("buildings", BUILDINGS_FROM, ("floors",)),
        )
        if name in base and len(base[name])
    ]
    if "roads" in base and len(base["roads"]):
        parts.append(Part(minzoom=0, later=Later(lambda: _make_road_sheet(base["roads"]))))
    return tuple(parts)


def build_tile(parts: tuple[Part, ...], tile: Tile) -> bytes | None:
    """Return one tile of the base map, None where it is empty."""
    shown = (part.later.get() for part in parts if tile.z >= part.minzoom)
    return b"".join(_draw_sheet(sheet, tile) for sheet in shown) or None


def _make_road_sheet(roads: gpd.GeoDataFrame) -> Sheet:
    return _make_sheet("roads", _join_roads(roads), 0, ("class", "name"))


def _make_sheet(
    layer: str, frame: gpd.GeoDataFrame, minzoom: int, fields: tuple[str, ...]
) -> Sheet:
    """Return a sheet with one row a part, so that a tile never meets a multi-geometry."""
    shapes, origin = shapely.get_parts(to_world(_degrees_of(frame)), return_index=True)
    lines = shapely.get_type_id(shapes) == 1
    # A river may come as a line beside lakes as polygons: the kind with more parts is drawn.
    kind = LINE if lines.sum() * 2 > len(lines) else POLYGON
    fits = lines if kind == LINE else shapely.get_type_id(shapes) == 3
    shapes, origin = shapes[fits], origin[fits]
    given = frame["minzoom"].to_numpy(np.int64)[origin] if "minzoom" in frame else minzoom
    return Sheet(
        layer=layer,
        kind=kind,
        shapes=shapes,
        minzoom=np.broadcast_to(np.asarray(given, np.int64), shapes.shape),
        sizes=world_sizes(shapes),
        tree=shapely.STRtree(shapes),
        columns={
            name: make_column(frame[name].to_numpy()[origin]) for name in fields if name in frame
        },
    )


def _degrees_of(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(frame.geometry.to_crs(4326).to_numpy(), object)


def _join_roads(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Return roads with our classes, pieces of one class and name joined end to end.

    Long lines carry their name once and at its place; a network comes cut at every crossing.
    """
    given = roads["class"].astype(str) if "class" in roads else [""] * len(roads)
    rules = [ROADS.get(text, _OTHER_ROAD) for text in given]
    table = gpd.GeoDataFrame(
        {
            "class": [rule[0] for rule in rules],
            "minzoom": [rule[1] for rule in rules],
            "name": roads["name"].fillna("") if "name" in roads else "",
        },
        geometry=roads.geometry.to_numpy(),
        crs=roads.crs,
    )
    keys = ["class", "minzoom", "name"]
    lines = [
        (*key, shapely.line_merge(shapely.multilinestrings(shapely.get_parts(part.to_numpy()))))
        for key, part in table.groupby(keys, sort=True)["geometry"]
    ]
    joined = gpd.GeoDataFrame(
        lines, columns=[*keys, "geometry"], geometry="geometry", crs=roads.crs
    )
    joined["name"] = joined["name"].where(joined["name"] != "", None)
    return joined


def _draw_sheet(sheet: Sheet, tile: Tile) -> bytes:
    found = sheet.tree.query(shapely.box(*tile_box(tile)))
    found = np.sort(found[sheet.minzoom[found] <= tile.z])
    least = _LEAST_AREA if tile.z < MAXZOOM else 0.0
    units = (EXTENT * float(1 << tile.z)) ** 2
    found = found[sheet.sizes[found] * units >= least]
    if not len(found):
        return b""
    shapes, origin = cut_shapes(
        sheet.shapes[found],
        tile,
        kind=sheet.kind,
        step=_STEP if tile.z < MAXZOOM else _FINE_STEP,
        least_area=least / 4,  # a large shape may be cut to a small corner: keep more of it
    )
    rows = found[origin]
    columns = {
        name: Column(codes=column.codes[rows], values=column.values)
        for name, column in sheet.columns.items()
    }
    if sheet.layer == "roads" and "name" in columns and tile.z < _SMALL_ROADS_NAMED_FROM:
        name = columns["name"]
        small = sheet.minzoom[rows] >= _OTHER_ROAD[1]
        columns["name"] = Column(
            codes=np.where(small, -1, name.codes).astype(np.int32), values=name.values
        )
    return encode_layer(sheet.layer, shapes, columns=columns)
