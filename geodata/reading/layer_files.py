"""Which reader a boundary file needs, told from its content and never from its name."""

from __future__ import annotations

import re
from pathlib import Path

from geodata.errors import BadFile, Fault
from geodata.notes import Note
from geodata.reading.archives import (
    Dataset,
    Limits,
    check_parsed,
    check_size,
    gather_folder,
    gather_shapefile,
    unpack_gzip,
    unpack_zip,
)
from geodata.reading.delimited import check_is_text
from geodata.reading.features import Features
from geodata.reading.gdal_files import (
    CHILD_KINDS,
    SHAPEFILE_MAGIC,
    SQLITE_MAGIC,
    read_by_child,
    read_geopackage,
    read_shapefile,
)
from geodata.reading.geojson import parse_geojson
from geodata.reading.kml import parse_kml

GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 4096
_KIND_BY_SUFFIX = {
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".topojson": "GeoJSON",
    ".shp": "Shapefile",
    ".gpkg": "GeoPackage",
    ".zip": "ZIP",
    ".kml": "KML",
    ".kmz": "ZIP",
    ".fgb": "FlatGeobuf",
    ".parquet": "GeoParquet",
    ".dxf": "DXF",
}
_KIND_OF_CONTENT = {
    "json": "GeoJSON",
    "shp": "Shapefile",
    "gpkg": "GeoPackage",
    "zip": "ZIP",
    "kml": "KML",
    "fgb": "FlatGeobuf",
    "parquet": "GeoParquet",
    "dxf": "DXF",
}
_MAGIC = (
    (b"PK", "zip"),
    (SQLITE_MAGIC, "gpkg"),
    (SHAPEFILE_MAGIC, "shp"),
    (b"fgb\x03fgb", "fgb"),
    (b"PAR1", "parquet"),
    (b"AutoCAD Binary DXF", "dxf"),
)
_KML = re.compile(rb"<(\w+:)?kml[\s>]")
_DXF = re.compile(rb"\A\s*(999\s[^\n]*\n\s*)*0\s+SECTION\b")


def load_features(
    path: Path, *, encoding: str | None, layer: str | None, isolated: bool, limits: Limits
) -> Features:
    """
    Read a file or folder by what its content is; the name only tells what was expected.

    Raises BadFile, and BadSetting for a layer that is not there or not clear.
    """
    file = path.name

    def load(dataset: Dataset) -> Features:
        inner = None if layer == dataset.name else layer
        if dataset.kind == "shp":
            return read_shapefile(
                dataset, encoding=encoding, isolated=isolated, limits=limits, file=file
            )
        if dataset.kind == "gpkg":
            return read_geopackage(
                dataset, layer=inner, isolated=isolated, limits=limits, file=file
            )
        (part,) = dataset.parts.values()
        if dataset.kind in CHILD_KINDS:
            return read_by_child(dataset, layer=inner, isolated=isolated, limits=limits, file=file)
        check_parsed(part.stat().st_size, limits, file)
        if dataset.kind == "kml":
            return parse_kml(part.read_bytes(), encoding=encoding, file=file)
        return parse_geojson(part.read_bytes(), encoding=encoding, layer=inner, file=file)

    if path.is_dir():
        return load(gather_folder(path, layer=layer))
    check_size(path, limits)
    with path.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    if head.startswith(GZIP_MAGIC):
        raw = unpack_gzip(path.read_bytes(), limits=limits, file=file)
        check_parsed(len(raw), limits, file)
        return parse_geojson(raw, encoding=encoding, layer=layer, file=file)
    kind = _sniff(head, file)
    if kind == "zip":
        with unpack_zip(path, limits=limits, layer=layer) as dataset:
            features = load(dataset)
    elif kind == "shp":
        features = load(gather_shapefile(path))
    else:
        features = load(Dataset(kind=kind, name=path.stem, parts={f".{kind}": path}))
    expected = _KIND_BY_SUFFIX.get(path.suffix.lower(), path.suffix.lstrip(".").upper())
    if expected and expected != _KIND_OF_CONTENT[kind]:
        values = {"expected": expected, "found": _KIND_OF_CONTENT[kind]}
        features.notes.append(Note(key="reading.extension_differs", values=values))
    return features


def _sniff(head: bytes, file: str) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    # Byte order marks and the NULs of UTF-16 apart, only the first sign matters.
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if not start:
        raise BadFile(Fault(key="file_empty"), file=file)
    if start.startswith((b"{", b"[")):
        return "json"
    if start.startswith(b"<"):
        if _KML.search(head.replace(b"\0", b"")):
            return "kml"
        raise BadFile(Fault(key="format_xml"), file=file)
    if _DXF.match(head):
        return "dxf"
    check_is_text(head, file)
    raise BadFile(Fault(key="format_unknown" if b"\0" in head else "format_table"), file=file)
