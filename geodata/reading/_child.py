"""
The one place where GDAL and Arrow open files of other people, in a child process for uploads.

Stands alone, for the child must not load more than it needs: `python -I _reading_child.py JOB`
takes a JSON job, limits itself, hides every other driver, and writes what it read to its standard
output as a JSON header and plain buffers, so that the parent unpacks nothing that could run code.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import struct
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, BinaryIO

# One file, one driver: what a file is was told from its content before.
ALLOWED_DRIVERS = {
    ".shp": "ESRI Shapefile", ".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".dxf": "DXF",
}  # fmt: skip
PARQUET, GEOPACKAGE = ".parquet", ".gpkg"
# Exit codes of the child; the parent knows them by these names.
EXIT_REFUSED, EXIT_MEMORY, EXIT_TOO_LARGE, EXIT_NOT_CLOSED = 3, 4, 5, 6
# Every byte of ISO-8859-1 is a character: text comes through untouched, to be decoded with care.
RAW_TEXT = "ISO-8859-1"
_NETWORK_OFF = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "/closed",
    "CPL_CURL_ENABLE_VSIMEM": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "SHAPE_RESTORE_SHX": "NO",
}
_SKIP = "OGR_SKIP"
_OTHER_DRIVERS = (
    "ESRI Shapefile,GPKG,"
    "MEM,PCIDSK,PDS4,VICAR,PDF,MBTiles,EEDA,OGCAPI,GDALG,MapInfo File,LVBAG,S57,DGN,OGR_VRT,CSV,"
    "GML,GPX,LIBKML,KML,GeoJSON,GeoJSONSeq,ESRIJSON,TopoJSON,OGR_GMT,SQLite,WAsP,OpenFileGDB,DXF,"
    "FlatGeobuf,GeoRSS,VFK,PGDUMP,OSM,GPSBabel,OGR_PDS,WFS,OAPIF,EDIGEO,Idrisi,ODS,XLSX,"
    "Elasticsearch,Carto,AmigoCloud,SXF,Selafin,JML,PLSCENES,CSW,VDV,MVT,NGW,MapML,GTFS,PMTiles,"
    "JSONFG,MiraMonVector,ADBC,AVCBin,AVCE00,AIVector,HTTP"
)
_TABLES = "SELECT name, type, sql FROM sqlite_master"
_COMPUTED = (
    "SELECT m.name FROM sqlite_master m, pragma_table_xinfo(m.name) c"
    " WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.hidden > 1"
)
_GEOPACKAGE_TABLES = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys")
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\b", re.IGNORECASE)
_HEADER = struct.Struct("<Q")
# A smaller GeoPackage is read before pyarrow is loaded.
_MANY_BYTES = 2_000_000
_OUT_OF_MEMORY = re.compile("(out of|enough) memory|cannot allocate|malloc", re.IGNORECASE)


class LayerRefused(Exception):
    """GDAL would not read it; `key` names the fault, `values` fill its sentence."""

    def __init__(self, key: str, **values: str) -> None:
        self.key = key
        self.values = values
        super().__init__(key)


@dataclass(slots=True, kw_only=True)
class RawLayer:
    """One layer as GDAL gives it; text columns hold ISO-8859-1 for raw bytes (`RAW_TEXT`)."""

    driver: str
    crs_text: str | None
    names: list[str]  # raw text too
    columns: list[Sequence[Any]]  # Arrow's chunked arrays where there are `points`
    dropped: list[str]  # columns of a kind that text cannot stand for
    wkb: Sequence[bytes | None]
    points: memoryview | None = None  # all x, then all y in place of `wkb`, little-endian doubles


def read_layer(path: str, *, layer: str | None) -> RawLayer:
    """
    Read one layer with the allowed drivers only; `path` is a plain local file.

    Raises LayerRefused when another driver would open it, when the layer is not clear, or when GDAL
    cannot read it.
    """
    suffix = os.path.splitext(path)[1]  # noqa: PTH122  (the child loads no more than it needs)
    if suffix == PARQUET:
        return _read_parquet(path)
    import numpy as np  # noqa: PLC0415
    import pyogrio  # noqa: PLC0415

    pyogrio.set_gdal_config_options(_NETWORK_OFF)
    try:
        with warnings.catch_warnings():
            # What GDAL warns of (order of rings, odd field types) is checked by Getu or harmless.
            warnings.simplefilter("ignore")
            name = _choose_layer(pyogrio.list_layers(path), layer)
            large = _is_large(path)
            if suffix == GEOPACKAGE:
                _check_tables(path, name)  # before GDAL counts the rows
                if not large:
                    _check_pages(path, name)
            info = pyogrio.read_info(path, layer=name, encoding=RAW_TEXT)
            driver = info["driver"]
            if driver != ALLOWED_DRIVERS[suffix]:
                raise LayerRefused("format_hostile")
            if large and info["geometry_type"] == "Point":
                columns = load_columns().read_points(
                    path, layer=name, meanwhile=lambda: _check_pages(path, name)
                )
                if columns is not None:
                    return RawLayer(**columns, driver=driver)
            elif large:
                _check_pages(path, name)
            meta, _, wkb, columns = pyogrio.raw.read(
                path, layer=name, encoding=RAW_TEXT, force_2d=True, datetime_as_string=True
            )
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        UnboundLocalError,  # pyogrio's own, where the name of a coordinate system is no UTF-8
        ValueError,
    ) as error:
        if _OUT_OF_MEMORY.search(str(error)):
            raise MemoryError from error
        raise LayerRefused("file_unreadable") from error
    kept = [not (column.dtype == object and _has_bytes(column)) for column in columns]
    names = [str(name) for name in meta["fields"]]
    return RawLayer(
        driver=driver,
        crs_text=meta["crs"],
        names=[name for name, keep in zip(names, kept, strict=True) if keep],
        columns=[
            column.tolist() if isinstance(column, np.ndarray) else list(column)
            for column, keep in zip(columns, kept, strict=True)
            if keep
        ],
        dropped=[name for name, keep in zip(names, kept, strict=True) if not keep],
        wkb=wkb,
    )


def load_columns() -> ModuleType:
    """Return the readers by columns, loaded by their file: the child knows no packages."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    file = os.path.join(here, "_child_columns.py")  # noqa: PTH118
    spec = importlib.util.spec_from_file_location("_child_columns", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read_parquet(path: str) -> RawLayer:
    columns = load_columns()
    try:
        return RawLayer(**columns.read_parquet(path))
    except columns.Refused as refused:
        raise LayerRefused(str(refused)) from refused


def _is_large(path: str) -> bool:
    return path.endswith(GEOPACKAGE) and os.stat(path).st_size >= _MANY_BYTES  # noqa: PTH116


def write_layer(layer: RawLayer, out: BinaryIO) -> None:
    """Write a layer as a JSON header, one JSON list a column, and the geometries end to end."""
    if layer.points is not None:
        load_columns().write_points(layer, out)
        return
    lengths = [-1 if one is None else len(one) for one in layer.wkb]
    header = {
        "driver": layer.driver,
        "crs_text": layer.crs_text,
        "names": layer.names,
        "dropped": layer.dropped,
        "lengths": lengths,
    }
    for part in (header, *layer.columns):
        _write_block(out, json.dumps(part).encode())
    for one in layer.wkb:
        if one is not None:
            out.write(one)


def unpack_layer(raw: bytes) -> RawLayer:
    """Return what `write_layer` wrote. Raises ValueError when it is cut short or malformed."""
    header, at = _read_block(raw, 0)
    if "packed" in header:
        return RawLayer(**load_columns().unpack_points(raw, header, at))
    columns = []
    for _ in header["names"]:
        column, at = _read_block(raw, at)
        columns.append(column)
    wkb: list[bytes | None] = []
    for length in header["lengths"]:
        wkb.append(None if length < 0 else raw[at : at + length])
        at += max(length, 0)
    if at != len(raw) or any(len(column) != len(wkb) for column in columns):
        raise ValueError("the child's answer is cut short")
    return RawLayer(
        driver=header["driver"],
        crs_text=header["crs_text"],
        names=header["names"],
        columns=columns,
        dropped=header["dropped"],
        wkb=wkb,
    )


def main(job_text: str) -> int:
    """Do one job; the exit code says how it went."""
    job = json.loads(job_text)
    limit_self(job)
    close_other_drivers(job_text)
    try:
        write_layer(read_layer(job["path"], layer=job["layer"]), sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except LayerRefused as refused:
        sys.stderr.write(json.dumps({"key": refused.key, "values": refused.values}))
        return EXIT_REFUSED
    except MemoryError:
        return EXIT_MEMORY
    except OSError:
        return EXIT_TOO_LARGE
    return 0


def limit_self(job: dict[str, Any]) -> None:
    """Take the limits of a job: memory, processor time, size of the answer, open files."""
    import resource  # noqa: PLC0415  (exists on Unix only)

    for name, value in (
        (resource.RLIMIT_AS, job["memory_bytes"]),
        (resource.RLIMIT_CPU, job["cpu_s"]),
        (resource.RLIMIT_FSIZE, job["result_bytes"]),
        (resource.RLIMIT_NOFILE, job["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (value, value))


def close_other_drivers(job_text: str) -> None:
    """Load GDAL without any other driver, starting over when it has one that we do not know."""
    path = str(json.loads(job_text)["path"])
    if path.endswith(PARQUET):
        return
    # None of these is needed, and each costs time and memory.
    for name in ("geopandas", "pandas", "shapely", *([] if _is_large(path) else ["pyarrow"])):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    allowed = {driver for suffix, driver in ALLOWED_DRIVERS.items() if path.endswith(suffix)}
    again = _SKIP in os.environ
    others = [name for name in _OTHER_DRIVERS.split(",") if name not in allowed]
    os.environ.setdefault(_SKIP, ",".join(others))
    os.environ.update(_NETWORK_OFF)
    import pyogrio  # noqa: PLC0415

    left = set(pyogrio.list_drivers()) - allowed
    if not left:
        return
    if again:
        raise SystemExit(EXIT_NOT_CLOSED)
    os.environ[_SKIP] += "," + ",".join(sorted(left))
    os.execv(sys.executable, [sys.executable, "-I", __file__, job_text])  # noqa: S606


def _choose_layer(listed: Any, layer: str | None) -> str:
    names = [str(name) for name, kind in listed if kind is not None]
    if layer is not None:
        if layer not in names:
            raise LayerRefused("layer_none", layer=layer, layers=", ".join(sorted(names)))
        return layer
    if not names:
        raise LayerRefused("file_no_rows")
    if len(names) > 1:
        raise LayerRefused("layer_unclear", layers=", ".join(sorted(names)))
    return names[0]


def _check_tables(path: str, layer: str) -> None:
    # A view or a computed column runs its maker's statement at each read: it may never end, or make
    # gigabytes out of nothing.
    for name, kind, statement in _ask(path, _TABLES):
        if name == layer and (kind != "table" or _VIRTUAL.match(statement or "")):
            raise LayerRefused("geopackage_view", layer=layer)
    if any(name == layer for (name,) in _ask(path, _COMPUTED)):
        raise LayerRefused("geopackage_view", layer=layer)


def _check_pages(path: str, layer: str) -> None:
    # A damaged page would silently cost the rows on it.
    # Only what is read is checked: an index of shapes can be half of the file, and is not used.
    for table in (layer, *_GEOPACKAGE_TABLES):
        quoted = table.replace("'", "''")
        if _ask(path, f"PRAGMA quick_check('{quoted}')") != [("ok",)]:
            raise LayerRefused("geopackage_damaged")


def _ask(path: str, question: str) -> list[tuple[Any, ...]]:
    import pyogrio  # noqa: PLC0415

    columns = pyogrio.raw.read(path, sql=question, encoding="UTF-8")[3]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _has_bytes(column: Any) -> bool:
    return any(isinstance(value, bytes) or hasattr(value, "shape") for value in column)


def _write_block(out: BinaryIO, block: bytes) -> None:
    out.write(_HEADER.pack(len(block)))
    out.write(block)


def _read_block(raw: bytes, at: int) -> tuple[Any, int]:
    if len(raw) < at + _HEADER.size:
        raise ValueError("the child's answer is cut short")
    (length,) = _HEADER.unpack_from(raw, at)
    start = at + _HEADER.size
    return json.loads(raw[start : start + length]), start + length


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
