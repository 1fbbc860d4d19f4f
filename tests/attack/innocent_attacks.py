"""Other formats under innocent names: what would make GDAL read our files or ask the network."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attack.archives import zip_of
from tests.attack.beacon import beacon
from tests.attack.corpus import REFUSED, Attack


def documents() -> dict[str, str]:
    """Return documents by name; {beacon} is filled in by `attacks`."""
    vrt = '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource{0}>{1}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    return {
        "VRT of a file": vrt.format("", "/etc/passwd"),
        "VRT of a table": vrt.format("", "CSV:/etc/passwd"),
        "VRT of a neighbour": vrt.format(' relativeToVRT="1"', "getu.sqlite"),
        "VRT of the network": vrt.format("", "/vsicurl/{beacon}"),
        "VRT of a program": vrt.format("", "/vsistdin/"),
        "VRT inside VRT": vrt.format("", vrt.format("", "/etc/passwd").replace("<", "&lt;")),
        "VRT by another root": "<VRTDataset><SRS>{beacon}</SRS></VRTDataset>",
        "WFS": "<OGRWFSDataSource><URL>{beacon}</URL></OGRWFSDataSource>",
        "WMS": "<GDAL_WMS><Service name='WMS'><ServerUrl>{beacon}</ServerUrl></Service></GDAL_WMS>",
        "WFS capabilities": "<wfs:WFS_Capabilities><ows:Get xlink:href='{beacon}'/></wfs:WFS_Capabilities>",
        "GML with an outer schema": "<gml:FeatureCollection xsi:schemaLocation='x {beacon}'/>",
        "GML with an outer entity": "<!DOCTYPE x [<!ENTITY a SYSTEM '{beacon}'>]><gml:FeatureCollection>&a;</gml:FeatureCollection>",
        "GML with a file as entity": "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><gml:FeatureCollection>&a;</gml:FeatureCollection>",
        "XML with a parameter entity": "<!DOCTYPE x [<!ENTITY % a SYSTEM '{beacon}'> %a;]><x/>",
        "a billion laughs": laughs(),
        "a quadratic blow-up": f"<!DOCTYPE x [<!ENTITY a '{'a' * 50_000}'>]><x>{'&a;' * 20_000}</x>",
        "KML with a network link": "<kml><NetworkLink><Link><href>{beacon}</href></Link></NetworkLink></kml>",
        "GPX": "<gpx><trk><trkseg><trkpt lat='32.5' lon='120'/></trkseg></trk></gpx>",
        "OSM": "<osm version='0.6'><node id='1' lat='32.5' lon='120'/></osm>",
        "SVG": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "HTML": "<!DOCTYPE html><script src='{beacon}'></script>",
        "XML of nothing": "<?xml version='1.0'?>",
        "GeoRSS": "<rss><channel><item><georss:point>32 120</georss:point></item></channel></rss>",
        "MapInfo": 'Version 300\nCharset "Neutral"\nDelimiter ","\nColumns 1\nData\n',
        "an archive by name": "/vsizip//etc/passwd",
        "a database by name": "PG:host=127.0.0.1 dbname=x",
        "a network file by name": "/vsicurl/{beacon}",
        "PDF": "%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
        "PostScript": "%!PS-Adobe-3.0\n(/etc/passwd) run\n",
        "a shell script": "#!/bin/sh\ntouch /tmp/getu-was-here\n",
        "a pickle": "cposix\nsystem\n(S'touch /tmp/getu-was-here'\ntR.",
        "YAML": "!!python/object/apply:os.system ['touch /tmp/getu-was-here']\n",
        "TOML": "[x]\ny = 1\n",
        "PEM": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
    }


def laughs() -> str:
    entities = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    return f"<!DOCTYPE x [<!ENTITY l0 'ha'>{entities}]><gml:FeatureCollection>&l11;</gml:FeatureCollection>"


BINARIES: dict[str, bytes] = {
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "JPEG": b"\xff\xd8\xff\xe0" + bytes(64),
    "TIFF": b"II*\0" + bytes(64),
    "an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "Parquet": b"PAR1" + bytes(64) + b"PAR1",
    "Arrow": b"ARROW1\0\0" + bytes(64),
    "FlatGeobuf": b"fgb\x03fgb\x00" + bytes(64),
    "NetCDF": b"CDF\x01" + bytes(64),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "OSM packed": b"\0\0\0\x0d\n\x09OSMHeader\x18" + bytes(64),
    "a program": b"\x7fELF\x02\x01\x01" + bytes(64),
    "a Windows program": b"MZ" + bytes(64),
    "7-Zip": b"7z\xbc\xaf\x27\x1c" + bytes(64),
    "RAR": b"Rar!\x1a\x07\x01\0" + bytes(64),
    "tar": b"grids.geojson" + bytes(87) + b"0000644\0" + bytes(400),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(64),
    "xz": b"\xfd7zXZ\0" + bytes(64),
    "bzip2": b"BZh9" + bytes(64),
    "MapInfo's binary": b"\x00\x00\x00\x00" + bytes(200),
    "a fake Shapefile": b"\0\0\x27\x0a" + bytes(96),
    "one byte": b"\x1f",
    "a gzip head": b"\x1f\x8b",
}


def attacks() -> list[Attack]:
    """Return all of this family."""
    found = []
    for name, text in documents().items():
        raw = text.replace("{beacon}", beacon()).encode()
        found += under_names(name, raw)
    for name, raw in BINARIES.items():
        found += under_names(name, raw)
    found += under_names("SQLite that reads a file", spatialite)
    return found


def under_names(name: str, content: bytes | Callable[[], bytes]) -> list[Attack]:
    """Return one document as a map, as a table, in a zip, and packed by another name."""
    raw = content() if callable(content) else content
    return [
        Attack(name=f"name: {name} as {file}", file=file, kind=kind, content=body, expect=REFUSED)
        for file, kind, body in (
            ("grids.geojson", "grids", raw),
            ("grids.shp", "grids", raw),
            ("grids.gpkg", "grids", raw),
            ("cases.csv", "incidents", raw),
            ("grids.zip", "grids", zip_of({"grids.geojson": raw})),
        )
    ]


def spatialite() -> bytes:
    """Return a SQLite file whose table would be another file, opened by GDAL's own module."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.sqlite"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE x (a)")
            connection.execute("PRAGMA writable_schema=ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = 'CREATE VIRTUAL TABLE x USING VirtualOGR(\"/etc/passwd\")'"
            )
        connection.close()
        return path.read_bytes()
