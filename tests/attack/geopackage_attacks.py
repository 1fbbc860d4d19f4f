"""GeoPackages: views without end, cells that grow, blobs that lie, other databases by this name."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas

from tests.attack.archives import zip_of
from tests.attack.beacon import beacon
from tests.attack.corpus import EITHER, READ, REFUSED, Attack
from tests.city import square

Item = tuple[str, bytes | Callable[[], bytes], str]
COUNTING = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
LAYER = "grids"


def attacks() -> list[Attack]:
    """Return all of this family."""
    found = []
    for name, content, expect in (*heads(), *schemas(), *blobs()):
        found.append(
            Attack(
                name=f"gpkg: {name}",
                file="grids.gpkg",
                kind="grids",
                content=content,
                expect=expect,
            )
        )
    found.append(
        Attack(
            name="gpkg: in a zip",
            file="grids.zip",
            kind="grids",
            content=lambda: zip_of({"grids.gpkg": good()}),
            expect=READ,
        )
    )
    return found


@cache
def good() -> bytes:
    """Return a small good GeoPackage."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "grids.gpkg"
        frame = geopandas.GeoDataFrame(
            {"code": ["A1", "A2"], "name": ["甲", "乙"]},
            geometry=[square(0, 0), square(1, 0)],
            crs="EPSG:4549",
        )
        frame.to_file(path, driver="GPKG", layer=LAYER)
        return path.read_bytes()


def after(*statements: str) -> Callable[[], bytes]:
    """Return what makes the good file changed by SQL."""

    def make() -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "grids.gpkg"
            path.write_bytes(good())
            connection = sqlite3.connect(path)
            # Triggers of the format ask functions that only GDAL has.
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type='trigger'"
            ).fetchall():
                connection.execute(f'DROP TRIGGER "{name}"')
            connection.execute("PRAGMA writable_schema=ON")
            for statement in statements:
                connection.execute(statement)
            connection.commit()
            connection.close()
            return path.read_bytes()

    return make


def view(sql: str) -> Callable[[], bytes]:
    """Return what makes the layer a view of this select, registered like a table."""
    return after(
        f"ALTER TABLE {LAYER} RENAME TO hidden",
        f"CREATE VIEW {LAYER} AS {sql}",
        f"UPDATE gpkg_contents SET table_name = '{LAYER}'",
        f"UPDATE gpkg_geometry_columns SET table_name = '{LAYER}'",
        "DELETE FROM gpkg_extensions",
    )


def heads() -> Iterator[Item]:
    raw = good()
    yield "good", raw, READ
    for length in (
        0,
        15,
        16,
        17,
        68,
        71,
        99,
        100,
        512,
        1_024,
        4_095,
        4_096,
        8_192,
        len(raw) // 2,
        len(raw) - 4_096,
        len(raw) - 1,
    ):
        yield f"cut after {length} bytes", raw[:length], REFUSED
    yield "another application's number", raw[:68] + b"\0\0\0\0" + raw[72:], REFUSED
    yield "another SQLite file", raw[:68] + b"MPBX" + raw[72:], REFUSED
    for at, name in (
        (16, "page size"),
        (18, "write version"),
        (19, "read version"),
        (28, "page count"),
        (44, "schema format"),
        (56, "text encoding"),
    ):
        for value in (0, 1, 255):
            out = bytearray(raw)
            out[at] = value
            yield f"{name} of {value}", bytes(out), EITHER
    yield "pages of zeros", raw[:4_096] + bytes(len(raw) - 4_096), REFUSED
    yield "pages of ones", raw[:4_096] + b"\xff" * (len(raw) - 4_096), REFUSED
    yield "a tail of rubbish", raw + b"\xff" * 10_000, EITHER


def schemas() -> Iterator[Item]:
    yield (
        "a view without end",
        view(f"{COUNTING} SELECT n AS fid, geom, code FROM c, hidden"),
        REFUSED,
    )
    yield (
        "a view of huge cells",
        view("SELECT fid, geom, hex(zeroblob(100000000)) AS code FROM hidden"),
        REFUSED,
    )
    yield (
        "a view that reads a file",
        view("SELECT fid, geom, readfile('/etc/passwd') AS code FROM hidden"),
        REFUSED,
    )
    yield (
        "a view that loads a program",
        view("SELECT fid, geom, load_extension('/tmp/x') AS code FROM hidden"),
        REFUSED,
    )
    yield (
        "a view of GDAL's functions",
        view("SELECT fid, geom, ogr_geocode('x') AS code FROM hidden"),
        REFUSED,
    )
    yield "a view of nothing", view("SELECT fid, geom, code FROM nowhere"), REFUSED
    yield "a view of itself", view(f"SELECT fid, geom, code FROM {LAYER}"), REFUSED
    yield "a plain view", view("SELECT fid, geom, code, name FROM hidden"), REFUSED
    yield (
        "cells that grow when read",
        after(
            f"ALTER TABLE {LAYER} ADD COLUMN big TEXT GENERATED ALWAYS AS (hex(zeroblob(100000000))) VIRTUAL"
        ),
        REFUSED,
    )
    yield (
        "cells that are counted when read",
        after(f"ALTER TABLE {LAYER} ADD COLUMN big GENERATED ALWAYS AS (length(code)) VIRTUAL"),
        REFUSED,
    )
    yield (
        "a table of another driver",
        after(
            f"UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE {LAYER} USING VirtualOGR(\"/etc/passwd\")', rootpage=0 WHERE name='{LAYER}'"
        ),
        REFUSED,
    )
    yield (
        "a table of text search",
        after(
            f"ALTER TABLE {LAYER} RENAME TO hidden",
            f"CREATE VIRTUAL TABLE {LAYER} USING fts5(code)",
        ),
        REFUSED,
    )
    yield (
        "a schema that is no SQL",
        after(f"UPDATE sqlite_master SET sql='rubbish' WHERE name='{LAYER}'"),
        REFUSED,
    )
    yield (
        "a trigger on reading",
        after(
            f"CREATE TRIGGER t AFTER INSERT ON {LAYER} BEGIN SELECT load_extension('/tmp/x'); END"
        ),
        READ,
    )
    yield "no layer listed", after("DELETE FROM gpkg_contents"), EITHER
    yield "no geometry column listed", after("DELETE FROM gpkg_geometry_columns"), REFUSED
    yield (
        "a layer that is not there",
        after("UPDATE gpkg_contents SET table_name='nowhere'"),
        EITHER,
    )
    yield (
        "a geometry column that is not there",
        after("UPDATE gpkg_geometry_columns SET column_name='nowhere'"),
        REFUSED,
    )
    yield (
        "two layers",
        after(
            f"CREATE TABLE second AS SELECT * FROM {LAYER}",
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('second', 'features', 'second', 4549)",
            "INSERT INTO gpkg_geometry_columns VALUES ('second', 'geom', 'POLYGON', 4549, 0, 0)",
        ),
        REFUSED,
    )
    yield (
        "a layer named by SQL",
        after("UPDATE gpkg_contents SET identifier='x\"; DROP TABLE grids; --'"),
        READ,
    )
    yield "no rows", after(f"DELETE FROM {LAYER}"), REFUSED
    yield "no systems", after("DELETE FROM gpkg_spatial_ref_sys"), EITHER
    yield "an unknown system", after("UPDATE gpkg_geometry_columns SET srs_id=-1"), REFUSED
    yield (
        "a system of rubbish",
        after(
            "UPDATE gpkg_spatial_ref_sys SET definition='rubbish', organization='X', organization_coordsys_id=1"
        ),
        EITHER,
    )
    yield (
        "a system from the network",
        after(f"UPDATE gpkg_spatial_ref_sys SET definition='{beacon()}', organization='http'"),
        EITHER,
    )
    yield "a code of 16 MB", after(f"UPDATE {LAYER} SET code = hex(zeroblob(8000000))"), EITHER
    yield "a code that is no text", after(f"UPDATE {LAYER} SET code = x'ff00fe'"), EITHER
    yield (
        "a code in no encoding",
        after(f"UPDATE {LAYER} SET code = CAST(x'fffe81' AS TEXT)"),
        EITHER,
    )
    yield "a code with a NUL", after(f"UPDATE {LAYER} SET code = 'A' || char(0) || fid"), EITHER
    yield (
        "a date of zeros",
        after(f"ALTER TABLE {LAYER} ADD COLUMN d DATE", f"UPDATE {LAYER} SET d='0000-00-00'"),
        EITHER,
    )
    yield (
        "a moment of nowhere",
        after(
            f"ALTER TABLE {LAYER} ADD COLUMN d DATETIME",
            f"UPDATE {LAYER} SET d='9999-99-99T99:99:99Z'",
        ),
        EITHER,
    )


def blobs() -> Iterator[Item]:
    def with_blob(expression: str) -> Callable[[], bytes]:
        return after(f"UPDATE {LAYER} SET geom = {expression} WHERE fid = 1")

    def of(raw: bytes) -> Callable[[], bytes]:
        return with_blob(f"x'{raw.hex()}'")

    head = b"GP\0\1" + struct.pack("<i", 4549)
    yield "a missing shape", with_blob("NULL"), EITHER
    yield "an empty blob", with_blob("x''"), EITHER
    yield "a text for a shape", with_blob("'POLYGON EMPTY'"), EITHER
    yield "a number for a shape", with_blob("42"), EITHER
    yield "half a shape", with_blob("substr(geom, 1, length(geom) / 2)"), EITHER
    yield "a shape without a head", with_blob("substr(geom, 9)"), EITHER
    yield "a head without a shape", of(head), EITHER
    yield "a head of an unknown version", of(b"GP\xff\xff" + bytes(40)), EITHER
    yield "a shape of an unknown kind", of(head + b"\1" + struct.pack("<I", 99)), EITHER
    for kind in (3, 6, 7):
        for count in (2**32 - 1, 2**31, 10_000_000):
            yield (
                f"a shape {kind} of {count} parts",
                of(head + b"\1" + struct.pack("<II", kind, count) + bytes(16)),
                EITHER,
            )
    nested = (b"\1" + struct.pack("<II", 7, 1)) * 5_000 + b"\1" + struct.pack("<I", 1) + bytes(16)
    yield "collections in collections", of(head + nested), EITHER
    ring = struct.pack("<I", 4) + struct.pack("<8d", *[float("nan")] * 8)
    yield "corners that are no numbers", of(head + b"\1" + struct.pack("<II", 3, 1) + ring), EITHER
    curve = b"\1" + struct.pack("<III", 8, 3, 0)
    yield "a curve", of(head + curve + bytes(40)), EITHER
    yield "a point", of(head + b"\1" + struct.pack("<Idd", 1, 500_100.0, 3_600_100.0)), EITHER
    yield (
        "the other byte order",
        of(b"GP\0\0" + struct.pack(">i", 4549) + b"\0" + struct.pack(">III", 3, 1, 0)),
        EITHER,
    )
