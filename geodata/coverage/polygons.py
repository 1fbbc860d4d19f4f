"""Polygons made fit for a check: cleaned, measured, with a point inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import Floats, Geometries

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
EMPTY = shapely.Polygon()


def clean_polygons(
    geometries: Any,
) -> tuple[Geometries, NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Return valid 2-D polygons, a mask of those that were invalid, a mask of those beyond repair.

    Takes any geometries, None among them. What is no polygon, has a coordinate that is not finite
    or keeps no area becomes an empty polygon and is beyond repair. Rings that cross themselves are
    repaired so that every enclosed lobe stays land.
    """
    found = np.array(geometries, dtype=object, ndmin=1)
    found[shapely.is_missing(found)] = EMPTY
    found = shapely.force_2d(found)
    xy, row = shapely.get_coordinates(found, return_index=True)
    found[row[~np.isfinite(xy).all(axis=1)]] = EMPTY
    invalid = ~shapely.is_valid(found)
    found[invalid] = shapely.make_valid(found[invalid], method="structure", keep_collapsed=False)
    mixed = ~np.isin(shapely.get_type_id(found), _POLYGONAL)
    found[mixed] = [_polygons_of(geometry) for geometry in found[mixed]]
    found[shapely.area(found) == 0] = EMPTY
    return found, invalid, shapely.is_empty(found)


def inner_xy(polygons: Geometries) -> Floats:
    """Return one point inside each polygon, as rows x, y; none may be empty."""
    points = shapely.point_on_surface(polygons)
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)]).reshape(-1, 2)


def wide_area(polygons: Geometries, *, width: float, above: float = 0.0) -> Floats:
    """
    Return the area of the part of each polygon that is wider than `width`.

    Polygons whose whole area is not above `above` count as zero. The wide part is the opening:
    what a disk of that diameter can reach without leaving the polygon. Corners are kept square.
    """
    wide = np.zeros(len(polygons))
    large = np.flatnonzero(shapely.area(polygons) > above)
    shrunk = shapely.buffer(polygons[large], -width / 2, join_style="mitre")
    opened = shapely.buffer(shrunk, width / 2, join_style="mitre")
    wide[large] = shapely.area(shapely.intersection(opened, polygons[large]))
    return wide


def _polygons_of(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons inside a collection as one geometry, empty where there are none."""
    if not isinstance(geometry, shapely.GeometryCollection):
        return EMPTY
    parts = [_polygons_of(part) if hasattr(part, "geoms") else part for part in geometry.geoms]
    kept = [part for part in parts if shapely.get_dimensions(part) == 2]
    return shapely.union_all(kept) if kept else EMPTY
