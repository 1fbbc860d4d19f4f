"""Where the rows of a file lie in the city, and which rows have ids that can be trusted."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import SourceCrs, choose_metric_crs, shapes_to_metric, to_metric
from geodata.errors import BadFile, Fault
from geodata.notes import Note
from geodata.reading import Reading
from geodata.reading.cells import MOST_DIGITS

Floats = NDArray[np.float64]
# What a spreadsheet makes of a long number: 3.21012E+17. Its last digits are lost.
_ROUNDED = r"\d(\.\d+)?[eE]\+\d{2,}"
_ID_BYTES = 8
_ROWS_NAMED = 5


def raw_places(reading: Reading) -> tuple[Floats, Floats, SourceCrs]:
    """
    Return the coordinates as the file has them, NaN for none, and their system.

    A polygon's or line's place is a point on it. Raises BadFile for a table without coordinates.
    """
    if reading.crs is None:
        raise BadFile(Fault(key="place_columns_missing"), file=reading.file)
    if reading.x is not None and reading.y is not None:
        return reading.x, reading.y, reading.crs
    if "geometry" not in reading.frame:
        raise BadFile(Fault(key="place_columns_missing"), file=reading.file)
    shapes = reading.frame.geometry.to_numpy()
    inside = np.where(shapely.get_type_id(shapes) == 0, shapes, shapely.point_on_surface(shapes))
    return shapely.get_x(inside), shapely.get_y(inside), reading.crs


def tell_reduced(reading: Reading) -> list[Note]:
    """Say of which rows the place is a point on a line or an area; none for points alone."""
    if "geometry" not in reading.frame:
        return []
    frame = reading.frame
    rows = frame.index[shapely.get_dimensions(frame["geometry"].to_numpy(object)) > 0]
    if not len(rows):
        return []
    named = tuple(str(row) for row in rows[:_ROWS_NAMED])
    more = ("…",) if len(rows) > _ROWS_NAMED else ()
    return [Note(key="report.reduced", values={"n": f"{len(rows):,}", "rows": (*named, *more)})]


def place_rows(reading: Reading, metric: pyproj.CRS) -> tuple[Floats, Floats]:
    """Return each row's place in whole millimetres of `metric`, NaN for none."""
    x, y, source = raw_places(reading)
    x_m, y_m = to_metric(x, y, source, metric)
    return np.rint(x_m * 1000), np.rint(y_m * 1000)


def shape_rows(reading: Reading, metric: pyproj.CRS) -> NDArray[np.object_]:
    """Return each row's line or area as WKT in metres of `metric`, to the millimetre."""
    assert reading.crs is not None, "read_geometries always knows the coordinate system"
    shapes = reading.frame.geometry.to_numpy()
    known = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    texts = np.full(len(shapes), "", object)
    metres = shapes_to_metric(shapes[known], reading.crs, metric)
    texts[known] = shapely.to_wkt(metres, rounding_precision=3)
    return texts


def metric_for(city: City, reading: Reading) -> pyproj.CRS:
    """Return the city's coordinate system, or the one to choose for it by where the file lies."""
    if city.crs_text:
        return city.crs
    x, y, source = raw_places(reading)
    if not source.is_lonlat and source.crs.axis_info[0].unit_name == "metre":
        return source.crs
    return choose_metric_crs(x, y)


def unused_columns(reading: Reading, used: set[str]) -> pd.DataFrame:
    """
    Return the columns that no field took, to be kept as attributes.

    Coordinates are left out unless they were shifted: then the original is kept beside our own.
    """
    shifted = reading.crs is not None and reading.crs.kind != "crs"
    place = set() if shifted or reading.place_columns is None else set(reading.place_columns)
    left_out = used | place | {"geometry"}
    return pd.DataFrame(reading.frame[[c for c in reading.frame.columns if c not in left_out]])


def rounded_ids(ids: pd.Series[str], *, field: str) -> list[Fault]:
    """Return a fault for each id that a spreadsheet has rounded."""
    rounded = ids.str.fullmatch(_ROUNDED).to_numpy(bool)
    kind = f"number of more than {MOST_DIGITS} digits"
    return [
        Fault(key="number_too_long", row=int(row), field=field, value_kind=kind)
        for row in ids.index[rounded]
    ]


def make_ids(frame: pd.DataFrame) -> pd.Series[str]:
    """
    Return an id for each row by its content; the second of two equal rows gets an id of its own.

    So the same rows loaded again are the same records, whatever else is in the file.
    """
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore")).fillna("").astype(str)
    if "geometry" in frame:
        plain[":place"] = shapely.to_wkt(frame["geometry"].to_numpy(object))
    seen: Counter[str] = Counter()
    ids = []
    for cells in zip(*(plain[name] for name in plain.columns), strict=True):
        text = "\0".join(map(str, cells))
        seen[text] += 1
        name = f"{text}\0{seen[text]}".encode()
        ids.append(hashlib.blake2b(name, digest_size=_ID_BYTES).hexdigest())
    return pd.Series(ids, index=frame.index)
