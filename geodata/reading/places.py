"""The place of each row of a table: which columns hold it, and which rows have none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyproj import CRS

from geodata.coordinates import SourceCrs, lonlat_crs, parse_crs, to_lonlat
from geodata.errors import BadFile, BadSetting, Fault
from geodata.reading.traditional import simplify_header
from geodata.words import Word

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LON = frozenset(
    {"lon", "lng", "long", "longitude", "经度", "东经", "lonx", "lngx", "经度x"}
    | {"decimallongitude", "centerlon", "centerlng", "地理经度", "坐标经度", "经度坐标"}
)
_LAT = frozenset(
    {"lat", "latitude", "纬度", "北纬", "laty", "纬度y"}
    | {"decimallatitude", "centerlat", "地理纬度", "坐标纬度", "纬度坐标"}
)
_X = frozenset(
    {"x", "x坐标", "坐标x", "横坐标", "东坐标", "xcoord", "xcoordinate", "coordx", "coordinatex"}
    | {"pointx", "posx", "easting", "eastings", "east", "x轴坐标"}
)
_Y = frozenset(
    {"y", "y坐标", "坐标y", "纵坐标", "北坐标", "ycoord", "ycoordinate", "coordy", "coordinatey"}
    | {"pointy", "posy", "northing", "northings", "north", "y轴坐标"}
)
# What a header may say of the datum beside the axis.
_DATUM_WORDS = (
    ("GCJ-02", re.compile(r"gcj02|gcj|火星|高德|腾讯|amap")),
    ("BD-09", re.compile(r"bd09ll|bd09|bd|百度|baidu")),
    ("", re.compile(r"wgs84|wgs|cgcs2000|gps|大地2000")),
)
_PUNCTUATION = re.compile(r"[\s_\-.:：()（）\[\]【】/°*]+")
# 119°33′12.5″ with E or 东经 before or after.
_DEGREES_MINUTES = re.compile(
    r"([EWNS东西南北]?)[经纬]?(\d{1,3})[°度](?:(\d{1,2})[′'分])?(?:(\d{1,2}(?:\.\d+)?)(?:[″\"秒]|′′|''))?([EWNS]?)"
)
_PLAIN_DEGREES = re.compile(r"([EN东北])[经纬]?(\d{1,3}\.\d+)°?|(\d{1,3}\.\d+)°([EN]?)")
_COMMA_DECIMAL = re.compile(r"[+-]?\d{1,8},\d+")
_LONGEST_LON, _LONGEST_LAT, _SURELY_METRES = 180.0, 90.0, 1000.0
# A share above which a defect is the file's, not the row's.
_FILE_SHARE = 0.5
# Nearer to (0, 0) than this, in degrees or metres, nobody measured anything.
NOWHERE = 1e-9
_FIT_SHARE, _MISFIT_SHARE, _FIT_MARGIN_DEG, _FIT_SAMPLE = 0.9, 0.1, 3.0, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceColumns:
    """The two columns of a table that hold its coordinates."""

    x: str
    y: str
    metres: bool  # named like metres (x, y), though they may still hold degrees
    datum: str = ""  # GCJ-02 or BD-09 when the names say so


def find_place_columns(
    columns: Sequence[str],
    *,
    mapping: Mapping[str, str] | None = None,
    metres_first: bool = False,
    file: str | None = None,
) -> PlaceColumns | None:
    """
    Find the columns of coordinates by their names in Chinese or English, or as mapped.

    `mapping` may name "lon" and "lat", or "x" and "y". Longitude and latitude go before x and y
    (after them when a system in metres was declared: `metres_first`), plain names before those
    that say GCJ-02 or BD-09. None when there are no such columns. Raises BadSetting for half a
    mapping or an unknown column, BadFile when several pairs are possible.
    """
    mapped = _mapped_columns(columns, mapping or {}, file)
    if mapped is not None:
        return mapped
    kinds = [(False, _LON, _LAT), (True, _X, _Y)]
    for metres, x_names, y_names in reversed(kinds) if metres_first else kinds:
        for datum in ("", "GCJ-02", "BD-09"):
            x = _named(columns, x_names, datum)
            y = _named(columns, y_names, datum)
            if len(x) == 1 and len(y) == 1:
                return PlaceColumns(x=x[0], y=y[0], metres=metres, datum=datum)
            if len(x) > 1 and len(y) > 1:
                values = {"columns": ", ".join((*x, *y))}
                raise BadFile(Fault(key="place_ambiguous", values=values), file=file)
    return None


def parse_numbers(cells: pd.Series[str]) -> tuple[Floats, Bools]:
    """
    Read coordinates written as text: decimal numbers, also full-width, 119°33′12″, E119.55.

    Returns the numbers, NaN where there is none, and a mask of the cells that hold something else
    than a number (an empty cell holds nothing).
    """
    texts = pa.array(cells, pa.large_string(), from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    blank = pc.equal(texts, "").fill_null(True)
    filled = pc.if_else(blank, pa.scalar(None, pa.large_string()), texts)
    try:
        numbers = pc.cast(filled, pa.float64())
    except pa.ArrowInvalid:
        numbers = pa.array([_parse_number(text) for text in filled.to_pylist()], pa.float64())
    values = np.array(numbers.fill_null(np.nan).to_numpy(zero_copy_only=False))
    values[~np.isfinite(values)] = np.nan
    other = np.isnan(values) & ~np.asarray(blank.to_numpy(zero_copy_only=False), dtype=bool)
    return values, other


def check_places(
    x: Floats,
    y: Floats,
    other: Bools,
    *,
    names: PlaceColumns,
    source: SourceCrs,
    file: str | None = None,
) -> list[Fault]:
    """
    Name the rows without a usable place, and make their coordinates NaN in place.

    `other` marks rows whose cells hold no number. Raises BadFile when longitude and latitude, or
    east and north, are swapped throughout, or when hardly any place fits the coordinate system.
    """
    zero = (np.abs(x) < NOWHERE) & (np.abs(y) < NOWHERE)
    known = np.isfinite(x) & np.isfinite(y)
    masks = {"place_not_number": other, "place_missing": ~known & ~other, "place_zero": zero}
    if source.is_lonlat:
        wrong = known & ((np.abs(x) > _LONGEST_LON) | (np.abs(y) > _LONGEST_LAT))
        swapped = wrong & (np.abs(y) <= _LONGEST_LON) & (np.abs(x) <= _LONGEST_LAT)
        if swapped.sum() > _FILE_SHARE * known.sum():
            values = {"count": int(swapped.sum()), "x": names.x, "y": names.y}
            raise BadFile(Fault(key="places_swapped", values=values), file=file)
        if (wrong & (np.abs(y) > _SURELY_METRES)).sum() > _FILE_SHARE * known.sum():
            hint = suggest_crs(x[wrong], y[wrong])
            values = {"crs": source.label, "hint": hint}
            raise BadFile(Fault(key="crs_misfit", values=values), file=file)
        masks |= {"place_swapped": swapped, "place_impossible": wrong & ~swapped}
    else:
        placed = known & ~zero
        axes = {"x": names.x, "y": names.y}
        check_fit(x[placed], y[placed], source=source, names=axes, file=file)
    faults: list[Fault] = []
    for key, mask in masks.items():
        x[mask], y[mask] = np.nan, np.nan
        kind = {"place_missing": "empty", "place_not_number": "text"}.get(key, "number")
        field = names.y if key == "place_swapped" else names.x
        faults += [
            Fault(key=key, row=int(place) + 1, field=field, value_kind=kind)
            for place in np.flatnonzero(mask)
        ]
    faults.sort(key=lambda fault: fault.row or 0)
    return faults


def check_fit(
    x: Floats,
    y: Floats,
    *,
    source: SourceCrs,
    names: Mapping[str, str] | None = None,
    file: str | None = None,
) -> None:
    """
    Raise BadFile when projected coordinates lie far outside the area their system is made for.

    Says whether east and north are swapped (`names` are the columns to name then), or which systems
    the numbers look like. Systems without a known area pass.
    """
    area = None if source.kind == "fit" else source.crs.area_of_use
    if source.is_lonlat or area is None or x.size == 0:
        return
    step = -(-x.size // _FIT_SAMPLE)
    x, y = x[::step], y[::step]
    if _share_inside(x, y, source.crs) > _MISFIT_SHARE:
        return
    if plainly_degrees(x, y):
        raise BadFile(Fault(key="crs_degrees", values={"crs": source.label}), file=file)
    if names is not None and is_north_first(x, y, source):
        raise BadFile(Fault(key="crs_axes", values=dict(names)), file=file)
    values = {"crs": source.label, "hint": suggest_crs(x, y)}
    raise BadFile(Fault(key="crs_misfit", values=values), file=file)


def is_north_first(x: Floats, y: Floats, source: SourceCrs) -> bool:
    """Tell whether metres lie in the area of their system only when x is taken for the northing."""
    known = np.isfinite(x) & np.isfinite(y) & ~((np.abs(x) < NOWHERE) & (np.abs(y) < NOWHERE))
    if source.is_lonlat or source.kind == "fit" or source.crs.area_of_use is None:
        return False
    if not known.any():
        return False
    step = -(-int(known.sum()) // _FIT_SAMPLE)
    east, north = x[known][::step], y[known][::step]
    fits = _share_inside(east, north, source.crs) > _MISFIT_SHARE
    return not fits and _share_inside(north, east, source.crs) >= _FIT_SHARE


def plainly_degrees(x: Floats, y: Floats) -> bool:
    """Tell whether most numbers could be longitude and latitude, in this order or swapped."""
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return True
    within = (np.abs(x[known]) <= _LONGEST_LON) & (np.abs(y[known]) <= _LONGEST_LON)
    return bool(within.mean() > _FILE_SHARE)


def assume_lonlat(x: Floats, y: Floats, *, file: str | None = None) -> SourceCrs:
    """Return WGS 84 for numbers that are plainly degrees; raises BadFile for any others."""
    if plainly_degrees(x, y):
        return lonlat_crs()
    known = np.isfinite(x) & np.isfinite(y)
    values = {"hint": suggest_crs(x[known], y[known])}
    raise BadFile(Fault(key="crs_missing", values=values), file=file)


def suggest_crs(x: Floats, y: Floats) -> str | Word:
    """Name the systems of China that metres of this size may be in, for a person to choose."""
    east, north = float(np.median(x)), float(np.median(y))
    if (east < north and north > 1e7) or (east > 1e6 and 1e5 < north < 9e5):
        east, north = north, east
    if 25e6 <= east < 46e6:
        return f"EPSG:{4513 + int(east // 1e6) - 25}"
    if 13e6 <= east < 24e6:
        return f"EPSG:{4491 + int(east // 1e6) - 13}, EPSG:3857"
    if 8e6 <= east < 13e6:
        return "EPSG:3857"
    if 1e5 <= east <= 9e5 and 1.9e6 < north < 6e6:
        return "EPSG:4534 – EPSG:4554"
    return Word("reading.crs_own")


def datum_by_name(names: PlaceColumns) -> SourceCrs | None:
    """Return the shifted system that the names of the columns declare, if they do."""
    return parse_crs(names.datum) if names.datum else None


def _mapped_columns(
    columns: Sequence[str], mapping: Mapping[str, str], file: str | None
) -> PlaceColumns | None:
    for column in mapping.values():
        if column not in columns:
            values = {"column": column, "have": ", ".join(columns)}
            raise BadSetting(Fault(key="column_missing", values=values), file=file)
    for first, second, metres in (("lon", "lat", False), ("x", "y", True)):
        given = (mapping.get(first), mapping.get(second))
        if given[0] is not None and given[1] is not None:
            return PlaceColumns(x=given[0], y=given[1], metres=metres)
        if given != (None, None):
            raise BadSetting(Fault(key="place_half"), file=file)
    return None


def _named(columns: Sequence[str], names: frozenset[str], datum: str) -> list[str]:
    return [column for column in columns if _axis_and_datum(column, names) == datum]


def _axis_and_datum(column: str, names: frozenset[str]) -> str | None:
    plain = _PUNCTUATION.sub("", unicodedata.normalize("NFKC", column)).casefold()
    plain = simplify_header(plain)
    if plain in names:
        return ""
    for datum, words in _DATUM_WORDS:
        if words.search(plain) and words.sub("", plain, count=1) in names:
            return datum
    return None


def _parse_number(text: str | None) -> float | None:
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if _COMMA_DECIMAL.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        return float(plain) if "_" not in plain else None
    except ValueError:
        return _parse_degrees(plain)


def _parse_degrees(plain: str) -> float | None:
    plain = plain.upper()
    if found := _DEGREES_MINUTES.fullmatch(plain):
        before, degrees, minutes, seconds, after = found.groups()
        value = int(degrees) + int(minutes or 0) / 60.0 + float(seconds or 0) / 3600.0
        return -value if {before, after} & set("WS西南") else value
    if found := _PLAIN_DEGREES.fullmatch(plain):
        return float(found[2] or found[3])
    return None


def _share_inside(x: Floats, y: Floats, crs: CRS) -> float:
    lon, lat = to_lonlat(x, y, crs)
    area: Any = crs.area_of_use
    inside = (
        (lon >= area.west - _FIT_MARGIN_DEG)
        & (lon <= area.east + _FIT_MARGIN_DEG)
        & (lat >= area.south - _FIT_MARGIN_DEG)
        & (lat <= area.north + _FIT_MARGIN_DEG)
    )
    return float(inside.mean())
