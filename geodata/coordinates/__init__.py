"""Coordinates: systems recognised, converted exactly, or refused with the reason."""

from __future__ import annotations

from geodata.coordinates.conversion import (
    CHINA_BOX,
    DatumEvidence,
    DatumStep,
    SourceCrs,
    bd09_to_wgs84,
    choose_metric_crs,
    datum_evidence,
    find_better_datum,
    find_datum_step,
    gcj02_to_wgs84,
    lonlat_crs,
    parse_crs,
    shapes_to_metric,
    snap_mm,
    to_lonlat,
    to_metric,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

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
