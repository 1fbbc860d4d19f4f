"""Files of other people in: every row as exact text, every place checked, every fault named."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs, parse_crs
from geodata.errors import BadFile, BadSetting, Fault
from geodata.notes import Note
from geodata.reading.archives import OWNER_LIMITS, UPLOAD_LIMITS, Limits
from geodata.reading.arrow_cells import columns_to_text
from geodata.reading.cells import MOST_DIGITS, TextColumn, column_to_text
from geodata.reading.features import Features, check_shapes, middle_places
from geodata.reading.layer_files import load_features
from geodata.reading.personal import drop_personal
from geodata.reading.places import PlaceColumns, assume_lonlat, check_places

Floats = NDArray[np.float64]

_WORTH_SAYING_M = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    What was read from one file, and what was found on the way.

    `frame` holds every row, refused ones too, in file order; its index counts them from 1, as the
    faults do. All cells are text. Geometries stand in `crs` as the file has them (for GCJ-02 and
    BD-09 still shifted, and the frame's own CRS is None), refused ones are None. For tables `x` and
    `y` are the places in `crs`, NaN where a row has none, and None when the table has no columns
    for them.
    """

    frame: pd.DataFrame
    crs: SourceCrs | None
    encoding: str | None
    faults: list[Fault]
    notes: list[Note]
    dropped_columns: list[str]
    repaired: int
    rows: int
    driver: str
    file: str
    x: Floats | None = None
    y: Floats | None = None
    place_columns: tuple[str, str] | None = None

    @property
    def refused(self) -> set[int]:
        """The numbers of the rows that have a fault."""
        return {fault.row for fault in self.faults if fault.row is not None}

    @property
    def accepted(self) -> pd.DataFrame:
        """The rows without a fault, still under their numbers."""
        return self.frame[~self.frame.index.isin(self.refused)]


def read_geometries(
    path: str | Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    isolated: bool = False,
    limits: Limits | None = None,
    swapped: bool = False,
) -> Reading:
    """
    Read a boundary or point file: GeoJSON, TopoJSON, Shapefile (.shp, folder, zip), GeoPackage.

    The content decides what it is, not the name. `crs` overrules what the file declares; a file
    that declares nothing is WGS 84 when its numbers are plainly degrees. With `isolated` (uploads)
    GDAL runs in a child process under `limits`, by default UPLOAD_LIMITS; else OWNER_LIMITS.
    `swapped` takes the file's first number for the northing or latitude.
    Invalid polygons are repaired and reported; broken features are row faults. Raises BadFile when
    nothing can be loaded (all its faults at once), BadSetting for a wrong `crs` or `layer`.
    """
    path = Path(path)
    features, source = _load(path, crs, encoding, layer, isolated, limits, swapped)
    features.build_points()
    repaired = check_shapes(features, source, path.name)
    frame, dropped = _to_frame(features)
    located = gpd.GeoDataFrame(
        frame, geometry=features.shapes, crs=source.crs if source.kind == "crs" else None
    )
    features.faults.sort(key=lambda fault: fault.row or 0)
    if shapely.is_missing(features.shapes).all():
        raise BadFile(features.faults, file=path.name)
    return Reading(
        frame=located,
        crs=source,
        encoding=features.encoding,
        faults=features.faults,
        notes=features.notes,
        dropped_columns=dropped,
        repaired=repaired,
        rows=len(located),
        driver=features.driver,
        file=path.name,
    )


def read_points(
    path: str | Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    isolated: bool = False,
    limits: Limits | None = None,
    swapped: bool = False,
) -> Reading:
    """
    Read what `read_geometries` reads as a table with a place a row, in `x` and `y`.

    The place of a line or an area is a point on it. A large GeoPackage of points is read by
    columns, without an object a row. Raises what `read_geometries` raises.
    """
    path = Path(path)
    features, source = _load(path, crs, encoding, layer, isolated, limits, swapped)
    repaired = 0
    if features.points is None:
        repaired = check_shapes(features, source, path.name)
        shapes = features.shapes
        middle = np.where(shapely.get_type_id(shapes) > 0, shapely.point_on_surface(shapes), shapes)
        x, y = shapely.get_x(middle), shapely.get_y(middle)
    else:
        x, y = (axis.copy() for axis in features.points)
        none = np.zeros(len(x), np.bool_)
        names = PlaceColumns(x="geometry", y="geometry", metres=not source.is_lonlat)
        features.faults += check_places(x, y, none, names=names, source=source, file=path.name)
    frame, dropped = _to_frame(features)
    features.faults.sort(key=lambda fault: fault.row or 0)
    if not np.isfinite(x).any():
        raise BadFile(features.faults, file=path.name)
    return Reading(
        frame=frame,
        crs=source,
        encoding=features.encoding,
        faults=features.faults,
        notes=features.notes,
        dropped_columns=dropped,
        repaired=repaired,
        rows=len(frame),
        driver=features.driver,
        file=path.name,
        x=x,
        y=y,
    )


def _load(
    path: Path,
    crs: str | None,
    encoding: str | None,
    layer: str | None,
    isolated: bool,
    limits: Limits | None,
    swapped: bool,
) -> tuple[Features, SourceCrs]:
    limits = limits or (UPLOAD_LIMITS if isolated else OWNER_LIMITS)
    given = None if crs is None else parse_crs(crs)
    check_exists(path)
    features = load_features(path, encoding=encoding, layer=layer, isolated=isolated, limits=limits)
    if swapped:
        features.exchange_axes()
    return features, _resolve_crs(features, given, path.name)


def check_exists(path: Path) -> None:
    """Raise BadFile where there is no file."""
    if not path.exists():
        raise BadFile(Fault(key="file_missing"), file=path.name)


def _resolve_crs(features: Features, given: SourceCrs | None, file: str) -> SourceCrs:
    declared = features.crs_text
    if declared is not None and "undefined" in declared[:60].lower():
        declared = None
    if given is not None:
        if declared is not None and _label(declared) != given.label:
            values = {"declared": _label(declared), "given": given.label}
            features.notes.append(Note(key="reading.crs_overruled", values=values))
        features.notes += tell_accuracy(given)
        return given
    if declared is not None:
        try:
            source = parse_crs(declared)
        except BadSetting as error:
            raise BadFile(error.faults, file=file) from None
        features.notes += tell_accuracy(source)
        return source
    source = assume_lonlat(*middle_places(features), file=file)
    # GeoJSON is longitude and latitude by its own standard (RFC 7946): nothing was assumed.
    if features.driver != "GeoJSON":
        features.notes.append(Note(key="reading.assumed_lonlat"))
    return source


def _label(declared: str) -> str:
    try:
        return parse_crs(declared).label
    except BadSetting:
        return " ".join(declared.split())[:60]


def tell_accuracy(source: SourceCrs) -> list[Note]:
    """Return a note where the way to the coordinate system is not exact to a metre."""
    if source.accuracy_m is not None and source.accuracy_m < _WORTH_SAYING_M:
        return []
    values = {
        "crs": source.label,
        "accuracy_m": "?" if source.accuracy_m is None else source.accuracy_m,
        "operation": source.operation,
    }
    return [Note(key="reading.crs_accuracy", values=values)]


def _to_frame(features: Features) -> tuple[pd.DataFrame, list[str]]:
    columns: dict[str, Sequence[str] | pa.ChunkedArray] = {}
    for name, text in zip(features.columns, _to_text(features.columns.values()), strict=True):
        for place in text.long_numbers:
            kind = f"number of more than {MOST_DIGITS} digits"
            features.faults.append(
                Fault(key="number_too_long", row=place + 1, field=name, value_kind=kind)
            )
        if text.nested:
            count = {"count": len(text.nested)}
            features.notes.append(Note(key="reading.column_nested", field=name, values=count))
            if not any(text.cells):
                continue
        columns[_free_name(name, columns)] = text.cells
    index = pd.RangeIndex(1, len(features) + 1, name="row")
    frame = pd.DataFrame(columns, index=index, dtype="str")
    frame, dropped, remarks = drop_personal(frame)
    features.notes += remarks
    return frame, dropped


def _to_text(columns: Collection[Sequence[Any] | pa.ChunkedArray]) -> list[TextColumn]:
    if all(isinstance(values, pa.ChunkedArray) for values in columns):
        return columns_to_text(list(columns))
    return [column_to_text(values) for values in columns]


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    plain = " ".join(name.split()) or "column"
    free, number = plain, 1
    while free in taken or free == "geometry":
        number += 1
        free = f"{plain}_{number}"
    return free
