"""Places of posted events: degrees or metres, in the system the event names, into the city's."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.city import City
from geodata.coordinates import SourceCrs, lonlat_crs, parse_crs, to_metric
from geodata.errors import BadSetting, Fault

PLACE_FIELDS = ("lon", "lat", "x", "y", "crs")
FARTHEST_M = 1e8  # no map's plane is larger
# Names and numbers only: a WKT text of a stranger is nothing to compile at every request.
_CRS_NAME = re.compile(r"EPSG:\d{4,6}|(?:GCJ|BD|WGS|CGCS)[- _]?\d{2,4}", re.IGNORECASE)


def place_events(
    events: list[Any], city: City, faults: list[Fault]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return each event's place in whole millimetres of the city's system, NaN for none.

    `lon`, `lat` are degrees, WGS 84 unless `crs` says otherwise; `x`, `y` metres of a projected
    `crs`. What is wrong with a place goes into `faults`, row 1 for the first event.
    """
    x_mm, y_mm = np.full(len(events), np.nan), np.full(len(events), np.nan)
    groups: dict[str, tuple[SourceCrs, list[tuple[int, float, float]]]] = {}
    for row, event in enumerate(events, start=1):
        if not isinstance(event, dict):
            continue
        found = _place_of(event, row, faults)
        if found is not None:
            source, a, b = found
            groups.setdefault(source.label, (source, []))[1].append((row, a, b))
    if groups and not city.crs_text:
        faults.append(Fault(key="city_without_crs"))
        return x_mm, y_mm
    for source, places in groups.values():
        rows, xs, ys = (np.array(column) for column in zip(*places, strict=True))
        x_m, y_m = to_metric(xs, ys, source, city.crs)
        lost = ~((np.abs(x_m) < FARTHEST_M) & (np.abs(y_m) < FARTHEST_M))
        faults += [
            Fault(key="place_impossible", row=int(row), field="crs" if lost.all() else "lon")
            for row in rows[lost]
        ]
        x_mm[rows - 1], y_mm[rows - 1] = np.rint(x_m * 1000), np.rint(y_m * 1000)
    return x_mm, y_mm


def _place_of(
    event: dict[str, Any], row: int, faults: list[Fault]
) -> tuple[SourceCrs, float, float] | None:
    given = [name for name in PLACE_FIELDS if event.get(name) is not None]
    if not given:
        return None
    source = _crs_of(event.get("crs"))
    if source is None:
        faults.append(Fault(key="post_crs", row=row, field="crs"))
        return None
    pair = ("lon", "lat") if source.is_lonlat else ("x", "y")
    if set(given) - {"crs"} != set(pair):
        faults.append(Fault(key="post_pair", row=row, field=given[0]))
        return None
    a, b = event[pair[0]], event[pair[1]]
    key = _fault_of(a, b, lonlat=source.is_lonlat)
    if key:
        faults.append(Fault(key=key, row=row, field=pair[0]))
        return None
    return source, float(a), float(b)


def _crs_of(name: Any) -> SourceCrs | None:
    if name is None:
        return lonlat_crs()
    if not isinstance(name, str) or not _CRS_NAME.fullmatch(name.strip()):
        return None
    try:
        return parse_crs(name.strip())
    except BadSetting:
        return None


def _fault_of(a: Any, b: Any, *, lonlat: bool) -> str:
    for value in (a, b):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "place_not_number"
    if a == 0 and b == 0:
        return "place_zero"
    if not (math.isfinite(a) and math.isfinite(b)):
        return "place_impossible"
    wide, high = (180, 90) if lonlat else (FARTHEST_M, FARTHEST_M)
    return "place_impossible" if abs(a) > wide or abs(b) > high else ""
