"""Places that a table writes in unusual ways: both numbers in one cell, a system for each row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs, lonlat_crs, parse_crs, to_metric
from geodata.errors import BadSetting, Fault
from geodata.reading.places import parse_numbers
from geodata.reading.traditional import simplify_header

Floats = NDArray[np.float64]

_PAIR_NAMES = frozenset(
    {
        "坐标",
        "经纬度",
        "坐标点",
        "点位坐标",
        "地理坐标",
        "位置坐标",
        "gps坐标",
        "gps",
        "定位",
        "经纬度坐标",
        "空间坐标",
        "空间位置",
        "点坐标",
        "wkt",
        "geom",
        "geometry",
    }
    | {"lonlat", "lnglat", "latlon", "latlng", "location", "coordinate", "coordinates", "xy"}
)
_LAT_FIRST_NAMES = frozenset({"latlon", "latlng"})
_SYSTEM_NAMES = frozenset(
    {
        "坐标系",
        "坐标系统",
        "坐标类型",
        "坐标参考系",
        "crs",
        "epsg",
        "srid",
        "datum",
        "coordinatesystem",
    }
)
_PUNCTUATION = re.compile(r"[\s_\-.:：()（）\[\]/]+")
# Not a decimal comma: "119,55" is one number, "119.55,32.42" and "119, 32" are two.
_PAIR = re.compile(r"[\[(（【]?\s*(.+?)\s*(?:[,，;；、|]|\s)\s*(.+?)\s*[\])）】]?")
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_WKT_NUMBER = rf"{_NUMBER}(?:E[+-]?\d{{1,3}})?"
# As databases write it: what follows the two numbers is a height or a measure.
_WKT_POINT = re.compile(
    rf"(?:SRID=4326;)?\s*POINT\s*(?:Z|M|ZM)?\s*\(\s*({_WKT_NUMBER})(?:\s+|\s*,\s*)"
    rf"({_WKT_NUMBER})(?:\s+{_WKT_NUMBER}){{0,2}}\s*\)",
    re.IGNORECASE,
)
_THREE = re.compile(rf"\W*{_NUMBER}(?:[,;、|\s]+{_NUMBER}){{2,}}\W*")  # which two, nobody knows
_MOST = 0.5
_SAMPLE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPlaces:
    """Longitudes and latitudes found in one column; `other` marks cells that hold no pair."""

    column: str
    lon: Floats
    lat: Floats
    other: NDArray[np.bool_]


def read_pairs(frame: pd.DataFrame, *, column: str | None = None) -> PairedPlaces | None:
    """
    Read the one column that holds longitude and latitude together; None when there is none.

    `column` names it, else its name must say so and most of its cells be two numbers. Which comes
    first is read off the numbers (beyond ±90° only a longitude lies); where both orders are
    possible the column's name decides, and longitude comes first.
    """
    names = [column] if column is not None else [n for n in frame.columns if _is_pair_name(n)]
    for name in names:
        first, second, other = _split(frame[name])
        filled = (frame[name] != "").to_numpy(bool)
        paired = np.isfinite(first) & np.isfinite(second)
        if column is None and paired.sum() <= _MOST * max(filled.sum(), 1):
            continue
        if _lat_first(first[paired], second[paired], name):
            first, second = second, first
        return PairedPlaces(column=name, lon=first, lat=second, other=other)
    return None


def find_system_column(columns: Sequence[str], mapping: Mapping[str, str]) -> str | None:
    """Return the column that names a coordinate system for each row, or None."""
    if "crs" in mapping:
        return mapping["crs"]
    named = [name for name in columns if _plain(name) in _SYSTEM_NAMES]
    return named[0] if len(named) == 1 else None


def unite_systems(
    x: Floats, y: Floats, systems: pd.Series[str], *, field: str, default: SourceCrs | None
) -> tuple[Floats, Floats, list[Fault], list[str]]:
    """
    Bring rows in several coordinate systems to longitude and latitude in WGS 84.

    `systems` names each row's; an empty cell means `default`, and without one WGS 84. A row whose
    system is unknown or cannot be converted is a fault and loses its place. Returns lon, lat, the
    faults, and the labels of the systems met.
    """
    lon, lat = np.full(len(x), np.nan), np.full(len(y), np.nan)
    faults: list[Fault] = []
    labels: set[str] = set()
    target = lonlat_crs()
    for name in systems.unique():
        rows = (systems == name).to_numpy(bool)
        try:
            source = parse_crs(name) if name else default or target
        except BadSetting:
            faults += [
                Fault(key="crs_row_unknown", row=int(place) + 1, field=field, value_kind="text")
                for place in np.flatnonzero(rows)
            ]
            continue
        labels.add(source.label)
        lon[rows], lat[rows] = to_metric(x[rows], y[rows], source, target.crs)
    return lon, lat, sorted(faults, key=lambda fault: fault.row or 0), sorted(labels)


def _split(cells: pd.Series[str]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    halves = cells.map(_find_halves)
    texts = [
        pd.Series([found[part] if found else "" for found in halves], dtype="str")
        for part in (1, 2)
    ]
    (first, wrong), (second, also) = (parse_numbers(text) for text in texts)
    unread = halves.isna().to_numpy(bool) & (cells != "").to_numpy(bool)
    return first, second, wrong | also | unread


def _find_halves(text: str) -> re.Match[str] | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain[:5].upper() in ("POINT", "SRID="):
        return _WKT_POINT.fullmatch(plain)
    return None if _THREE.fullmatch(plain) else _PAIR.fullmatch(plain)


def _lat_first(first: Floats, second: Floats, name: str) -> bool:
    if len(first) and (np.abs(first) > 90).any() != (np.abs(second) > 90).any():
        return bool((np.abs(second) > 90).any())
    return _plain(name) in _LAT_FIRST_NAMES


def _is_pair_name(name: str) -> bool:
    return _plain(name) in _PAIR_NAMES


def _plain(name: str) -> str:
    plain = _PUNCTUATION.sub("", unicodedata.normalize("NFKC", name)).casefold()
    return simplify_header(plain)
