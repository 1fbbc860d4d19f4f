"""Rows with a place: a table, or a file of shapes read as one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from geodata.errors import BadSetting, Fault
from geodata.reading.archives import Limits
from geodata.reading.files import Reading, read_points
from geodata.reading.heard import Heard, hear_nothing
from geodata.reading.tables import read_table

# What is read as shapes, each a row; all else is a table or refused as none.
SHAPE_SUFFIXES = (
    ".gpkg", ".geojson", ".json", ".shp", ".kml", ".kmz", ".fgb", ".parquet", ".dxf", ".zip",
)  # fmt: skip


def read_rows(
    path: Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    mapping: Mapping[str, str] | None = None,
    layer: str | None = None,
    isolated: bool = False,
    limits: Limits | None = None,
    swapped: bool = False,
    heard: Heard = hear_nothing,
) -> Reading:
    """
    Read a table (`read_table`) or a file of shapes (`read_points`) as rows with a place each.

    `layer` names a sheet of a workbook or a layer of a file. The places of shapes are their own:
    raises BadSetting where `mapping` names columns for them.
    """
    if path.is_dir() or path.suffix.lower() not in SHAPE_SUFFIXES:
        return read_table(
            path,
            crs=crs,
            encoding=encoding,
            mapping=mapping,
            sheet=layer,
            limits=limits,
            swapped=swapped,
            heard=heard,
        )
    for field in ("lon", "lat", "x", "y", "lonlat"):
        if field in (mapping or {}):
            fault = Fault(key="place_is_shape", field=field, values={"field": field})
            raise BadSetting(fault, file=path.name)
    return read_points(
        path,
        crs=crs,
        encoding=encoding,
        layer=layer,
        isolated=isolated,
        limits=limits,
        swapped=swapped,
    )
