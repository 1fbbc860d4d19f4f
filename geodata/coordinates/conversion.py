"""Coordinate systems: which one a file means, and the exact way from it to the city's metres."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import AreaOfInterest, TransformerGroup

from geodata.coordinates.china_shift import (
    CHINA_BOX,
    bd09_to_wgs84,
    gcj02_to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from geodata.coordinates.datum import DatumEvidence, datum_evidence, find_better_datum
from geodata.coordinates.fit import Affine, apply_affine, parse_fit
from geodata.coordinates.metric_crs import choose_metric_crs
from geodata.coordinates.names import SHIFTED_NAMES, find_named_crs
from geodata.errors import BadSetting, Fault

__all__ = [
    "CHINA_BOX",
    "DatumEvidence",
    "DatumStep",
    "SourceCrs",
    "bd09_to_wgs84",
    "choose_metric_crs",
    "datum_evidence",
    "find_better_datum",
    "find_datum_step",
    "gcj02_to_wgs84",
    "lonlat_crs",
    "parse_crs",
    "shapes_to_metric",
    "snap_mm",
    "to_lonlat",
    "to_metric",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
]

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
Area = tuple[float, float, float, float]
Kind = Literal["crs", "gcj02", "bd09", "fit"]

_WGS84 = "EPSG:4326"
_SHIFTED: dict[Kind, tuple[str, Callable[[ArrayLike, ArrayLike], Pair]]] = {
    "gcj02": ("GCJ-02", gcj02_to_wgs84),
    "bd09": ("BD-09", bd09_to_wgs84),
}
_EPSG = re.compile(r"(?:.*\bEPSG\b[^0-9]*(?:[0-9.]+[:/])?)?([0-9]{4,6})", re.IGNORECASE)
_CRS84 = re.compile(r".*\bOGC\b.*\bCRS84h?", re.IGNORECASE)
_WKT = re.compile(
    r"\s*(GEOG|PROJ|GEOD|BOUND|COMP|BASE)[A-Z_0-9]*\s*[\[(]", re.IGNORECASE | re.DOTALL
)
_LONGEST_WKT = 20_000
_SHOWN_CHARACTERS = 60
# A definition that points to a grid file would make PROJ open a path of the sender's choice.
_GRID_FILES = re.compile(r"PARAMETERFILE|PROJ4_GRIDS|NADGRIDS=(?!@NULL)|GEOIDGRIDS", re.IGNORECASE)
# One and the same at this product's precision; PROJ alone calls the step "ballpark".
_WGS84_DATUMS = re.compile(
    r"(d_)?(world geodetic system 1984|wgs[ _]?(19)?84|china[ _]2000|cgcs[ _]?2000"
    r"|china geodetic coordinate system 2000)( ensemble| \(.*\))?",
    re.IGNORECASE,
)
# Their seven parameters differ from place to place and are not public: asked for, never guessed.
_LOCAL_DATUMS = re.compile(r".*(xian[ _]*(19)?80|beijing[ _]*(19)?54)", re.IGNORECASE)
_DEGREE = float(np.pi / 180.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCrs:
    """
    The coordinate system that a file's numbers are in, known to be convertible.

    For GCJ-02 and BD-09 `crs` is WGS 84, where they arrive after the shift is undone. `operation`
    and `accuracy_m` describe the datum step to WGS 84: "" and 0 when there is none to make.
    """

    kind: Kind
    crs: CRS
    label: str
    operation: str = ""
    accuracy_m: float | None = 0.0
    affine: Affine | None = None  # of a "fit": from the file's plane to metres of `crs`

    @property
    def is_lonlat(self) -> bool:
        """Tell whether the numbers are longitude and latitude in degrees."""
        return bool(self.crs.is_geographic)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumStep:
    """The change of datum that PROJ makes on the way, and how good it says it is."""

    name: str
    accuracy_m: float | None
    transformer: Transformer


@lru_cache(maxsize=1)
def lonlat_crs() -> SourceCrs:
    """Return WGS 84 longitude and latitude."""
    return SourceCrs(kind="crs", crs=CRS.from_user_input(_WGS84), label=_WGS84)


@lru_cache(maxsize=256)
def parse_crs(text: str) -> SourceCrs:
    """
    Return the coordinate system that `text` names, once a way from it to WGS 84 is known.

    Takes "EPSG:4549" and its URN and URL forms, what people call it (`names.py`: "GCJ-02", "百度",
    "CGCS2000 120度"), OGC CRS84, WKT, or a fit (`fit.py`). Three-dimensional and compound systems
    are cut to two dimensions. Raises BadSetting where the name is unknown, the system does not
    place things on a map, or the datum step needs parameters that nobody published (Xian 80,
    Beijing 54 without TOWGS84).
    """
    if (fit := parse_fit(text)) is not None:
        return SourceCrs(kind="fit", crs=parse_crs(fit[0]).crs, label="FIT", affine=fit[1])
    plain = re.sub(r"[\s_\-()]", "", unicodedata.normalize("NFKC", text)).lower()
    if kind := SHIFTED_NAMES.get(plain):
        return SourceCrs(kind=kind, crs=lonlat_crs().crs, label=_SHIFTED[kind][0])
    crs = _flatten_crs(_read_crs(text, plain))
    label = _label_crs(crs)
    if label.startswith("EPSG:"):
        # One form for one system, so that frames from different files go together.
        crs = CRS.from_user_input(label)
    if _is_wgs84(crs):
        return SourceCrs(kind="crs", crs=crs, label=label)
    step = find_datum_step(crs)
    return SourceCrs(
        kind="crs", crs=crs, label=label, operation=step.name, accuracy_m=step.accuracy_m
    )


def find_datum_step(
    crs: CRS, *, area: tuple[float, float, float, float] | None = None
) -> DatumStep:
    """
    Return the best datum step from `crs` to WGS 84 that can be made here, offline.

    `area` is west, south, east, north in degrees: of several published steps the one made for that
    area is taken. Never takes a "ballpark" step, which changes nothing and says nothing. Raises
    BadSetting where no step is left.
    """
    if not crs.is_bound and _LOCAL_DATUMS.match(_datum_name(crs)):
        raise BadSetting(Fault(key="crs_needs_parameters", values={"crs": _label_crs(crs)}))
    interest = None if area is None else AreaOfInterest(*area)
    with warnings.catch_warnings():
        # PROJ warns that a better step needs a grid file; the accuracy we report says as much.
        warnings.simplefilter("ignore")
        group = TransformerGroup(
            crs, _WGS84, always_xy=True, area_of_interest=interest, allow_ballpark=False
        )
    if not group.transformers:
        raise BadSetting(Fault(key="crs_no_way", values={"crs": _label_crs(crs)}))
    best = group.transformers[0]
    accuracy = None if best.accuracy < 0 else float(best.accuracy)
    return DatumStep(name=best.description, accuracy_m=accuracy, transformer=best)


def to_metric(x: ArrayLike, y: ArrayLike, source: SourceCrs, metric: CRS) -> Pair:
    """
    Convert coordinates of a file to metres of the city's `metric` system.

    Shapes in = shapes out, float64, x east and y north whatever the system's own axis order. What
    cannot be converted becomes NaN in both. CGCS2000 and WGS 84 count as one; every other change of
    datum is a published step (`find_datum_step`). Raises BadSetting where there is none.
    """
    here_x, here_y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    if source.affine is not None:
        here_x, here_y = apply_affine(source.affine, here_x, here_y)
    if source.kind in _SHIFTED:
        lon, lat = _SHIFTED[source.kind][1](here_x, here_y)
        return _from_wgs84(lon, lat, metric)
    crs = source.crs
    if _same_crs(crs, metric):
        return _only_finite(here_x, here_y)
    if _same_datum(crs, metric):
        return _from_own_lonlat(*_to_own_lonlat(here_x, here_y, crs), metric)
    return _from_wgs84(*_to_wgs84(here_x, here_y, crs), metric)


def to_lonlat(x_m: ArrayLike, y_m: ArrayLike, metric: CRS) -> Pair:
    """
    Convert metres of `metric` to WGS 84 degrees (lon, lat); shapes in = shapes out.

    What cannot be converted becomes NaN. Raises BadSetting when `metric` has no way to WGS 84.
    """
    return _to_wgs84(np.array(x_m, dtype=np.float64), np.array(y_m, dtype=np.float64), metric)


def shapes_to_metric(geometries: ArrayLike, source: SourceCrs, metric: CRS) -> NDArray[np.object_]:
    """
    Convert geometries of a file to metres of `metric`, vertex by vertex, 2D; None stays None.

    Not snapped: `snap_mm` follows. Raises BadSetting where there is no way between the systems.
    """
    array = np.array(geometries, dtype=object)
    xy = shapely.get_coordinates(array)
    x, y = to_metric(xy[:, 0], xy[:, 1], source, metric)
    flat = shapely.force_2d(array)
    return np.asarray(shapely.set_coordinates(flat, np.column_stack([x, y])), dtype=object)


def snap_mm(geometries: ArrayLike) -> NDArray[np.object_]:
    """
    Return the geometries with every coordinate a whole millimetre, metres in and out, 2D.

    Takes one array or GeoSeries of shapely geometries; None stays None. Vertices may come to lie on
    one another: check validity afterwards.
    """
    array = np.asarray(geometries, dtype=object)
    return np.asarray(shapely.transform(array, lambda xy: np.rint(xy * 1000.0) / 1000.0), object)


def _read_crs(text: str, plain: str) -> CRS:
    shown = text.strip()[:_SHOWN_CHARACTERS]
    if len(text) > _LONGEST_WKT or _GRID_FILES.search(text):
        raise BadSetting(Fault(key="crs_needs_file", values={"crs": shown}))
    try:
        if named := find_named_crs(plain):
            return CRS.from_user_input(named)
        if _WKT.match(text):
            return CRS.from_wkt(text)
        if _CRS84.fullmatch(text.strip()):
            return CRS.from_user_input(_WGS84)
        if found := _EPSG.fullmatch(text.strip()):
            return CRS.from_epsg(int(found[1]))
    except CRSError:
        pass
    raise BadSetting(Fault(key="crs_unknown", values={"crs": shown}))


def _flatten_crs(crs: CRS) -> CRS:
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    # Only where there is a height to cut: what comes back no longer knows its number.
    if not crs.is_bound and len(crs.axis_info) > 2 and (crs.is_geographic or crs.is_projected):
        crs = crs.to_2d()
    if not (crs.is_geographic or crs.is_projected):
        raise BadSetting(Fault(key="crs_not_a_map", values={"crs": _label_crs(crs)}))
    try:
        _conversion(crs)
    except ProjError:  # well-formed, of a projection or with a number that no map has
        fault = Fault(key="crs_unknown", values={"crs": _label_crs(crs)})
        raise BadSetting(fault) from None
    return crs


def _label_crs(crs: CRS) -> str:
    # Only a database entry that is this very system gives its number (70: only the names differ).
    authority = None if crs.is_bound else crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else crs.name[:_SHOWN_CHARACTERS]


def _datum_name(crs: CRS) -> str:
    base = crs.geodetic_crs
    return "" if base is None or base.datum is None else str(base.datum.name)


@lru_cache(maxsize=256)
def _is_wgs84(crs: CRS) -> bool:
    base = crs.geodetic_crs
    if crs.is_bound or base is None or not _WGS84_DATUMS.fullmatch(_datum_name(crs)):
        return False
    # A label over another ellipsoid or another zero meridian is a wrong label.
    ellipsoid, meridian = base.ellipsoid, base.prime_meridian
    return (
        ellipsoid is not None
        and meridian is not None
        and abs(ellipsoid.semi_major_metre - 6378137.0) < 1e-3
        and abs(ellipsoid.inverse_flattening - 298.2572) < 1e-3
        and meridian.longitude == 0
        and all(abs(axis.unit_conversion_factor - _DEGREE) < 1e-9 for axis in base.axis_info[:2])
    )


@lru_cache(maxsize=64)
def _same_crs(one: CRS, other: CRS) -> bool:
    return bool(one.equals(other, ignore_axis_order=True))


@lru_cache(maxsize=64)
def _same_datum(one: CRS, other: CRS) -> bool:
    if one.is_bound or other.is_bound:
        return False
    if _is_wgs84(one) and _is_wgs84(other):
        return True
    return bool(_base(one).equals(_base(other), ignore_axis_order=True))


def _base(crs: CRS) -> CRS:
    base = crs.geodetic_crs
    assert base is not None, "every map system stands on longitude and latitude"
    return base.to_2d()


@lru_cache(maxsize=64)
def _conversion(crs: CRS) -> Transformer | None:
    # Between a projected system and its own longitude and latitude only formulas run.
    if crs.is_geographic:
        return None
    return Transformer.from_crs(_base(crs), crs, always_xy=True)


@lru_cache(maxsize=64)
def _cached_step(crs: CRS, area: Area | None) -> DatumStep:
    return find_datum_step(crs, area=area)


def _to_own_lonlat(x: Floats, y: Floats, crs: CRS) -> Pair:
    conversion = _conversion(crs)
    return (x, y) if conversion is None else _run(conversion, x, y, direction="INVERSE")


def _from_own_lonlat(lon: Floats, lat: Floats, crs: CRS) -> Pair:
    conversion = _conversion(crs)
    return (lon, lat) if conversion is None else _run(conversion, lon, lat)


def _to_wgs84(x: Floats, y: Floats, crs: CRS) -> Pair:
    if crs.is_bound:
        return _run(_cached_step(crs, None).transformer, x, y)
    lon, lat = _to_own_lonlat(x, y, crs)
    if not _is_wgs84(crs):
        step = _cached_step(_base(crs), _whole_degrees(lon, lat))
        lon, lat = _run(step.transformer, lon, lat)
    return _only_finite(lon, lat)


def _from_wgs84(lon: Floats, lat: Floats, crs: CRS) -> Pair:
    if crs.is_bound:
        return _run(_cached_step(crs, None).transformer, lon, lat, direction="INVERSE")
    if not _is_wgs84(crs):
        step = _cached_step(_base(crs), _whole_degrees(lon, lat))
        lon, lat = _run(step.transformer, lon, lat, direction="INVERSE")
    return _only_finite(*_from_own_lonlat(lon, lat, crs))


def _whole_degrees(lon: Floats, lat: Floats) -> Area | None:
    # The middle of the data, not its edges: one wild coordinate must not choose the datum step.
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return None
    west, south = np.floor(np.median(lon[known])), np.floor(np.median(lat[known]))
    return float(west), float(south), float(west + 1), float(south + 1)


def _run(
    transformer: Transformer,
    x: Floats,
    y: Floats,
    *,
    direction: Literal["FORWARD", "INVERSE"] = "FORWARD",
) -> Pair:
    return _only_finite(*transformer.transform(x, y, direction=direction))


def _only_finite(x: ArrayLike, y: ArrayLike) -> Pair:
    out_x, out_y = np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)
    lost = ~(np.isfinite(out_x) & np.isfinite(out_y))
    out_x[lost], out_y[lost] = np.nan, np.nan
    return out_x, out_y
