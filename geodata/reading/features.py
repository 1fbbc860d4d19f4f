"""What every reader of geometries delivers: raw columns, built shapes, and what was wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs
from geodata.errors import BadFile, Fault
from geodata.notes import Note
from geodata.reading.places import NOWHERE, check_fit, plainly_degrees, suggest_crs
from geodata.reading.shapes import (
    BrokenShape,
    Floats,
    build_points,
    build_shape,
    off_the_world,
    repair_shapes,
)

# A share above which a defect is the file's, not the feature's.
_FILE_SHARE = 0.5
_FARTHEST_M = 1e8  # eastings that begin with the number of their zone reach half of it
# The coast of a whole province has fewer; what is made of polygons takes more than their time.
MOST_CORNERS = 100_000


@dataclass(slots=True, kw_only=True)
class Features:
    """The features of one layer in file order; row n stands at place n - 1 of every list."""

    columns: dict[str, Sequence[Any]]  # Arrow arrays where there are `points`
    shapes: NDArray[np.object_]  # none yet where there are `points`
    driver: str
    points: tuple[Floats, Floats] | None = None  # x and y of a layer of nothing but points
    encoding: str | None = None
    crs_text: str | None = None  # as the file declares it; None where it declares nothing
    gaps: dict[int, list[tuple[Floats, Floats]]] = dataclasses.field(default_factory=dict)
    faults: list[Fault] = dataclasses.field(default_factory=list)
    notes: list[Note] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.shapes) if self.points is None else len(self.points[0])

    def exchange_axes(self) -> None:
        """Take the first number of every corner for the second, and say so."""
        if self.points is not None:
            self.points = self.points[1], self.points[0]
        else:
            self.shapes = shapely.transform(self.shapes, lambda xy: xy[:, ::-1])
        self.gaps = {
            place: [(start[::-1], end[::-1]) for start, end in gaps]
            for place, gaps in self.gaps.items()
        }
        self.notes.append(Note(key="reading.axes_swapped"))

    def build_points(self) -> None:
        """Make shapes of the points, for who works with shapes."""
        if self.points is not None:
            self.shapes = np.asarray(shapely.points(*self.points), dtype=object)


def build_shapes(features: Features, geometries: list[Any]) -> None:
    """
    Fill `features.shapes` from GeoJSON geometry objects, one a row; None is named as missing.

    Rows that already have a fault get no shape and no second fault.
    """
    points = build_points(geometries) if geometries else None
    if points is not None:
        features.shapes = points
        return
    features.shapes = np.full(len(geometries), None, dtype=object)
    refused = {fault.row for fault in features.faults}
    for place, geometry in enumerate(geometries):
        if place + 1 in refused:
            continue
        if geometry is None:
            fault = Fault(key="shape_missing", row=place + 1, value_kind="empty")
            features.faults.append(fault)
            continue
        try:
            built = build_shape(geometry)
        except BrokenShape as broken:
            fault = Fault(key=broken.key, row=place + 1, values=broken.values)
            features.faults.append(fault)
            continue
        features.shapes[place] = built.shape
        if built.gaps:
            features.gaps[place] = built.gaps
        if built.flattened:
            features.notes.append(Note(key="reading.collection_flattened", row=place + 1))


def middle_places(features: Features) -> tuple[Floats, Floats]:
    """Return the middle of each shape's bounds, NaN where there is no shape."""
    if features.points is not None:
        return features.points
    west, south, east, north = shapely.bounds(features.shapes).T
    return (west + east) / 2.0, (south + north) / 2.0


def check_shapes(features: Features, source: SourceCrs, file: str) -> int:
    """
    Refuse the shapes that have no place, repair the invalid ones; return how many were repaired.

    Works on `features` itself. Raises BadFile when the coordinates as a whole do not fit `source`.
    """
    shapes = features.shapes
    refused = shapely.is_empty(shapes)
    _refuse(features, refused, "shape_empty")
    corners = shapely.get_num_coordinates(shapes)
    crowded = (shapely.get_dimensions(shapes) == 2) & (corners > MOST_CORNERS)
    _refuse(features, crowded, "shape_many_corners", limit=MOST_CORNERS)
    points = shapely.get_type_id(shapes) == 0
    near_x, near_y = (np.abs(get(shapes)) < NOWHERE for get in (shapely.get_x, shapely.get_y))
    zero = points & near_x & near_y
    _refuse(features, zero, "place_zero")
    if source.is_lonlat:
        wrong, swapped = off_the_world(shapes)
        x, y = middle_places(features)
        known = int(np.isfinite(x).sum())
        if swapped.sum() > _FILE_SHARE * known:
            values: dict[str, Any] = {"count": int(swapped.sum())}
            raise BadFile(Fault(key="shapes_swapped", values=values), file=file)
        if known and not plainly_degrees(x, y):
            values = {"crs": source.label, "hint": suggest_crs(x[wrong], y[wrong])}
            raise BadFile(Fault(key="crs_misfit", values=values), file=file)
        _refuse(features, wrong, "place_impossible")
    else:
        bounds = shapely.bounds(shapes)
        beyond = ~(np.abs(bounds) < _FARTHEST_M).all(axis=1) & ~shapely.is_missing(shapes)
        _refuse(features, beyond, "place_impossible")
        x, y = middle_places(features)
        known_places = np.isfinite(x)
        check_fit(x[known_places], y[known_places], source=source, file=file)
    gaps = {place: gap for place, gap in features.gaps.items() if shapes[place] is not None}
    features.shapes, faults, notes = repair_shapes(shapes, gaps, lonlat=source.is_lonlat)
    features.faults += faults
    features.notes += notes
    return len({note.row for note in notes})


def _refuse(features: Features, mask: NDArray[np.bool_], key: str, **values: int) -> None:
    for place in map(int, np.flatnonzero(mask)):
        features.faults.append(Fault(key=key, row=place + 1, values=values))
        features.shapes[place] = None
