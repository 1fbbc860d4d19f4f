"""Shapes out of raw positions: built where that is safe, repaired where it is plain, else named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.errors import Fault
from geodata.notes import Note

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

_POLYGON, _MULTI_POLYGON, _COLLECTION = 3, 6, 7
_LONGEST_LON, _LONGEST_LAT = 180.0, 90.0
# Rounding in other programs may carry a coordinate this far over the edge of the world.
_EDGE_DEG = 1e-9
_DEEPEST_COLLECTION = 8


class BrokenShape(Exception):
    """A geometry that cannot be built; `key` names the fault."""

    def __init__(self, key: str, **values: Any) -> None:
        self.key = key
        self.values = values
        super().__init__(key)


@dataclass(slots=True, kw_only=True)
class BuiltShape:
    """A geometry as its file has it, and what had to be done to its rings to build it."""

    shape: BaseGeometry | None = None
    gaps: list[tuple[Floats, Floats]]  # last and first position of each ring that was left open
    flattened: bool = False  # a collection was reduced to its parts of highest dimension


def build_shape(geometry: Any) -> BuiltShape:
    """
    Build the shapely geometry of one GeoJSON geometry object, two-dimensional.

    Rings that do not close are closed and named in `gaps`: whether that was right shows in the
    validity of the result. Raises BrokenShape.
    """
    built = BuiltShape(gaps=[])
    built.shape = _build(geometry, built, 0)
    return built


def build_points(geometries: list[Any]) -> Shapes | None:
    """Build many Point geometries at once; None when any of them needs a closer look."""
    try:
        positions = [shape["coordinates"] for shape in geometries if shape["type"] == "Point"]
        if len(positions) < len(geometries):
            return None
        return np.asarray(shapely.points(read_positions(positions)), dtype=object)
    except (TypeError, KeyError, BrokenShape):
        return None


def read_positions(value: Any, least: int = 0) -> Floats:
    """
    Return GeoJSON positions as an array (n, 2); heights are left out.

    Raises BrokenShape when they are not lists of at least two finite numbers, or fewer than
    `least` of them.
    """
    if not isinstance(value, list) or not set(map(type, value)) <= {list}:
        raise BrokenShape("shape_not_positions")
    if len(value) < least or not value:
        raise BrokenShape("shape_too_few", least=max(least, 1), found=len(value))
    lengths = set(map(len, value))
    if min(lengths) < 2:
        raise BrokenShape("shape_not_positions")
    if not set(map(type, chain.from_iterable(value))) <= {int, float}:
        raise BrokenShape("shape_not_numbers")
    try:
        if len(lengths) == 1:
            xy = np.array(value, dtype=np.float64)[:, :2]
        else:
            xy = np.array([position[:2] for position in value], dtype=np.float64)
    except OverflowError:
        raise BrokenShape("shape_not_finite") from None
    if not np.isfinite(xy).all():
        raise BrokenShape("shape_not_finite")
    return xy


def repair_shapes(
    shapes: Shapes, gaps: dict[int, list[tuple[Floats, Floats]]], *, lonlat: bool
) -> tuple[Shapes, list[Fault], list[Note]]:
    """
    Make every polygon valid and keep its polygons only; name what was done and what cannot be.

    `gaps` are the open rings by place (0-based). A ring may be closed by repeating its first point
    when the polygon is valid then; otherwise its row is refused. Other invalid polygons are
    rebuilt by GEOS make_valid (structure). Notes carry the change of area in m2.
    """
    out = shapes.copy()
    faults: list[Fault] = []
    notes: list[Note] = []
    valid = shapely.is_valid(shapes) | shapely.is_missing(shapes)
    for place, open_rings in gaps.items():
        length_m = sum(_length_m(*ring, lonlat=lonlat) for ring in open_rings)
        values = {"gap_m": round(length_m, 1)}
        if valid[place]:
            notes.append(Note(key="reading.ring_closed", row=place + 1, values=values))
        else:
            out[place] = None
            faults.append(Fault(key="shape_open_ring", row=place + 1, values=values))
    for place in map(int, np.flatnonzero(~valid)):
        if place in gaps:
            continue
        repaired, note, fault = _repair(shapes[place], place + 1, lonlat=lonlat)
        out[place] = repaired
        notes += [note] if note else []
        faults += [fault] if fault else []
    return out, faults, notes


def area_m2(shape: BaseGeometry, *, lonlat: bool) -> float:
    """Return a geometry's area in m2, from metres or (within 0.1 %, if not large) from degrees."""
    if not lonlat or shape.is_empty:
        return float(shape.area)
    _, south, _, north = shape.bounds
    east_m, north_m = metres_per_degree((south + north) / 2.0)
    return float(shape.area) * east_m * north_m


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Return the length in metres of one degree east and one degree north at a latitude."""
    # Series of the WGS 84 ellipsoid's radii (Snyder, Map Projections: A Working Manual, 1987).
    phi = np.radians(lat)
    east_m = 111412.84 * np.cos(phi) - 93.5 * np.cos(3 * phi) + 0.118 * np.cos(5 * phi)
    north_m = 111132.954 - 559.822 * np.cos(2 * phi) + 1.175 * np.cos(4 * phi)
    return float(east_m), float(north_m)


def keep_polygons(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a geometry as Polygon or MultiPolygon, without lines and points."""
    parts = [part for part in shapely.get_parts(_all_parts(shape)) if part.area > 0]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def off_the_world(shapes: Shapes) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Find degrees that no place has, and those among them that would fit with lon and lat swapped.

    Returns two masks over the shapes; missing shapes are in neither.
    """
    west, south, east, north = shapely.bounds(shapes).T
    lon = np.maximum(np.abs(west), np.abs(east))
    lat = np.maximum(np.abs(south), np.abs(north))
    wrong = (lon > _LONGEST_LON + _EDGE_DEG) | (lat > _LONGEST_LAT + _EDGE_DEG)
    swapped = wrong & (lat <= _LONGEST_LON) & (lon <= _LONGEST_LAT)
    return wrong, swapped


def _build(geometry: Any, built: BuiltShape, depth: int) -> BaseGeometry:
    if not isinstance(geometry, dict):
        raise BrokenShape("shape_not_object")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        return _build_collection(geometry.get("geometries"), built, depth)
    maker = _MAKERS.get(kind) if isinstance(kind, str) else None
    if maker is None:
        raise BrokenShape("shape_unknown_type")
    coordinates = geometry.get("coordinates")
    if coordinates is None or coordinates == []:
        raise BrokenShape("shape_empty")
    return maker(coordinates, built)


def _build_collection(members: Any, built: BuiltShape, depth: int) -> BaseGeometry:
    if not isinstance(members, list) or depth >= _DEEPEST_COLLECTION:
        raise BrokenShape("shape_not_object")
    if not members:
        raise BrokenShape("shape_empty")
    shapes = [_build(member, built, depth + 1) for member in members]
    built.flattened = True
    highest = max(shapely.get_dimensions(shapes))
    parts = [
        part
        for shape in shapes
        for part in shapely.get_parts(shape)
        if shapely.get_dimensions(part) == highest
    ]
    multi = (shapely.MultiPoint, shapely.MultiLineString, shapely.MultiPolygon)[highest]
    return parts[0] if len(parts) == 1 else multi(parts)


def _build_point(value: Any, built: BuiltShape) -> BaseGeometry:  # noqa: ARG001
    return shapely.Point(read_positions([value])[0])


def _build_points(value: Any, built: BuiltShape) -> BaseGeometry:  # noqa: ARG001
    return shapely.MultiPoint(read_positions(value, 1))


def _build_line(value: Any, built: BuiltShape) -> BaseGeometry:  # noqa: ARG001
    return shapely.LineString(read_positions(value, 2))


def _build_lines(value: Any, built: BuiltShape) -> BaseGeometry:
    return shapely.MultiLineString([_build_line(line, built) for line in _parts(value)])


def _build_polygon(value: Any, built: BuiltShape) -> BaseGeometry:
    rings = [_build_ring(ring, built) for ring in _parts(value)]
    return shapely.Polygon(rings[0], rings[1:])


def _build_polygons(value: Any, built: BuiltShape) -> BaseGeometry:
    return shapely.MultiPolygon([_build_polygon(polygon, built) for polygon in _parts(value)])


_MAKERS: dict[str, Callable[[Any, BuiltShape], BaseGeometry]] = {
    "Point": _build_point,
    "MultiPoint": _build_points,
    "LineString": _build_line,
    "MultiLineString": _build_lines,
    "Polygon": _build_polygon,
    "MultiPolygon": _build_polygons,
}


def _build_ring(value: Any, built: BuiltShape) -> Floats:
    xy = read_positions(value, 3)
    if (xy[0] == xy[-1]).all():
        if len(xy) < 4:
            raise BrokenShape("shape_too_few", least=4, found=len(xy))
        return xy
    built.gaps.append((xy[-1], xy[0]))
    return np.concatenate([xy, xy[:1]])


def _parts(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BrokenShape("shape_not_positions")
    if not value:
        raise BrokenShape("shape_empty")
    return value


def _all_parts(shape: BaseGeometry) -> list[BaseGeometry]:
    # Parts of a collection may be collections and multi-geometries themselves.
    parts = [shape]
    while any(part.geom_type.startswith(("Multi", "Geometry")) for part in parts):
        parts = list(shapely.get_parts(parts))
    return parts


def _repair(
    shape: BaseGeometry, row: int, *, lonlat: bool
) -> tuple[BaseGeometry | None, Note | None, Fault | None]:
    if shapely.get_dimensions(shape) < 2:
        return None, None, Fault(key="shape_degenerate", row=row)
    if not np.isfinite(shapely.get_coordinates(shape)).all():  # GEOS would leave the corner out
        return None, None, Fault(key="shape_not_finite", row=row)
    repaired = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    repaired = keep_polygons(repaired)
    if repaired.is_empty:
        return None, None, Fault(key="shape_degenerate", row=row)
    before_m2, after_m2 = (area_m2(one, lonlat=lonlat) for one in (shape, repaired))
    values = {"area_change_m2": round(after_m2 - before_m2, 1) + 0.0}
    return repaired, Note(key="reading.shape_repaired", row=row, values=values), None


def _length_m(start: Floats, end: Floats, *, lonlat: bool) -> float:
    east, north = end - start
    if lonlat:
        east_m, north_m = metres_per_degree(float(start[1]))
        east, north = east * east_m, north * north_m
    return float(np.hypot(east, north))
