"""Shapefiles in a zip: cut, lying, mixed up, wrongly encoded, with the wrong system beside."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas
import pyogrio
import shapely

from tests.attack.archives import zip_of
from tests.attack.beacon import beacon
from tests.attack.corpus import EITHER, READ, REFUSED, Attack
from tests.city import square

Parts = dict[str, bytes]
Item = tuple[str, Parts, str]
NAMES = ("甘棠第一网格", "龙川第二网格")


def attacks() -> list[Attack]:
    """Return all of this family."""
    return [
        Attack(
            name=f"shapefile: {name}",
            file="grids.zip",
            kind="grids",
            content=lambda parts=parts: zip_of({f"grids{end}": raw for end, raw in parts.items()}),
            expect=expect,
        )
        for family in (cut, lies, mixed, texts, systems, shapes)
        for name, parts, expect in family()
    ]


@cache
def parts_of(kind: str = "polygons", encoding: str = "UTF-8") -> Parts:
    """Return the parts of a small good Shapefile, by suffix."""
    shapes, columns = _LAYERS[kind]()
    with TemporaryDirectory() as name:
        path = Path(name) / "grids.shp"
        frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4549")
        pyogrio.write_dataframe(frame, path, encoding=encoding)
        return {one.suffix: one.read_bytes() for one in sorted(Path(name).iterdir())}


_LAYERS: dict[str, Any] = {
    "polygons": lambda: (
        [square(0, 0), square(1, 0)],
        {"code": ["A1", "A2"], "name": NAMES, "households": [12, 13]},
    ),
    "points": lambda: ([square(0, 0).centroid, square(1, 0).centroid], {"code": ["A1", "A2"]}),
    "other": lambda: ([square(5, 5)] * 3, {"code": ["B1", "B2", "B3"]}),
    "heights": lambda: (
        shapely.force_3d([square(0, 0), square(1, 0)], 7.0),
        {"code": ["A1", "A2"]},
    ),
    "missing": lambda: ([square(0, 0), None], {"code": ["A1", "A2"]}),
    "dates": lambda: (
        [square(0, 0), square(1, 0)],
        {"code": ["A1", "A2"], "checked": ["2026-05-01", "2026-05-02"]},
    ),
}


def changed(suffix: str, at: int, raw: bytes, kind: str = "polygons") -> Parts:
    """Return the good parts with bytes of one replaced."""
    parts = dict(parts_of(kind))
    old = parts[suffix]
    parts[suffix] = old[:at] + raw + old[at + len(raw) :]
    return parts


def cut_to(suffix: str, length: int) -> Parts:
    parts = dict(parts_of())
    parts[suffix] = parts[suffix][:length]
    return parts


def cut() -> Iterator[Item]:
    yield "good", parts_of(), READ
    fields = {
        ".shp": (0, 4, 24, 28, 32, 36, 99, 100, 104, 108, 112, 144, 152, 160, 200),
        ".shx": (0, 4, 24, 28, 32, 36, 99, 100, 104, 108),
        ".dbf": (0, 1, 4, 8, 10, 12, 31, 32, 43, 48, 64, 96, 128, 129, 140, 300),
    }
    for suffix, places in fields.items():
        for place in places:
            if place < len(parts_of()[suffix]) - 1:
                yield f"{suffix} cut after {place} bytes", cut_to(suffix, place), REFUSED
    for suffix in (".prj", ".cpg"):
        for place in (0, 1, 3, 40):
            expect = REFUSED if suffix == ".prj" else READ
            yield (
                f"{suffix} cut after {place} bytes",
                cut_to(suffix, place),
                EITHER if place > 3 else expect,
            )


def lies() -> Iterator[Item]:
    huge, negative = struct.pack(">i", 2**31 - 1), struct.pack(">i", -1)
    for suffix in (".shp", ".shx"):
        yield f"{suffix} of another kind of file", changed(suffix, 0, b"\0\0\0\1"), REFUSED
        yield f"{suffix} says it is huge", changed(suffix, 24, huge), REFUSED
        yield f"{suffix} says it is less than nothing", changed(suffix, 24, negative), REFUSED
        yield f"{suffix} says it is empty", changed(suffix, 24, struct.pack(">i", 50)), EITHER
        yield f"{suffix} of an unknown version", changed(suffix, 28, b"\xff" * 4), EITHER
        for kind in (0, 1, 3, 8, 11, 13, 15, 31, 4, 99, -1):
            expect = REFUSED if kind in {4, 99, -1} else EITHER
            yield (
                f"{suffix} says its shapes are {kind}",
                changed(suffix, 32, struct.pack("<i", kind)),
                expect,
            )
        yield f"{suffix} says its bounds are no numbers", changed(suffix, 36, b"\xff" * 32), EITHER
    for place, name in ((100, "offset"), (104, "length")):
        for value in (huge, negative, bytes(4), struct.pack(">i", 51), struct.pack(">i", 1 << 20)):
            yield f".shx says a {name} of {value.hex()}", changed(".shx", place, value), EITHER
    for place, name in ((100, "number"), (104, "length")):
        yield f".shp says a record {name} is huge", changed(".shp", place, huge), EITHER
    for kind in (0, 1, 3, 15, 31, 77):
        yield (
            f".shp says a record is a {kind}",
            changed(".shp", 108, struct.pack("<i", kind)),
            EITHER,
        )
    for place, name in ((144, "parts"), (148, "points"), (152, "first part")):
        for count in (0, -1, 1, 2**31 - 1, 10_000_000):
            yield (
                f".shp says {count} {name}",
                changed(".shp", place, struct.pack("<i", count)),
                EITHER,
            )
    for name, value in (
        ("no number", float("nan")),
        ("endless", float("inf")),
        ("too far", 1e300),
        ("tiny", 5e-324),
    ):
        yield (
            f".shp has a corner that is {name}",
            changed(".shp", 156, struct.pack("<d", value)),
            EITHER,
        )
    for count in (0, 1, 3, 2**31, 2**32 - 1):
        yield f".dbf says {count} records", changed(".dbf", 4, struct.pack("<I", count)), REFUSED
    for length in (0, 1, 31, 32, 33, 64, 65_535):
        yield (
            f".dbf says a header of {length} bytes",
            changed(".dbf", 8, struct.pack("<H", length)),
            REFUSED,
        )
        yield (
            f".dbf says a record of {length} bytes",
            changed(".dbf", 10, struct.pack("<H", length)),
            REFUSED,
        )
    for version in (0, 0x04, 0x30, 0x83, 0xF5, 0xFF):
        yield f".dbf of version {version:x}", changed(".dbf", 0, bytes([version])), EITHER
    for kind in (b"N", b"F", b"D", b"L", b"M", b"B", b"G", b"\0", b"\xff"):
        yield f".dbf says a field is of kind {kind!r}", changed(".dbf", 43, kind), EITHER
    for width in (0, 1, 20, 255):
        yield f".dbf says a field is {width} wide", changed(".dbf", 48, bytes([width])), REFUSED
    yield ".dbf says a field has 255 decimals", changed(".dbf", 32 * 3 + 17, b"\xff"), EITHER
    yield ".dbf has a nameless field", changed(".dbf", 32, bytes(11)), EITHER
    yield ".dbf has a field called twice", changed(".dbf", 64, b"code\0"), EITHER
    yield ".dbf has a field name without end", changed(".dbf", 32, b"x" * 11), EITHER
    yield ".dbf has no end of its header", changed(".dbf", 32 * 4, b"\x20"), EITHER
    header = struct.unpack_from("<H", parts_of()[".dbf"], 8)[0]
    yield ".dbf has its first row deleted", changed(".dbf", header, b"*"), EITHER
    yield ".dbf has an unknown mark on a row", changed(".dbf", header, b"\xff"), EITHER


def mixed() -> Iterator[Item]:
    good, other = parts_of(), parts_of("other")
    for suffix in (".shp", ".shx", ".dbf"):
        expect = EITHER if suffix == ".shp" else REFUSED
        yield f"{suffix} of another layer", {**good, suffix: other[suffix]}, expect
        yield f"no {suffix}", {end: raw for end, raw in good.items() if end != suffix}, REFUSED
        yield f"an empty {suffix}", {**good, suffix: b""}, REFUSED
        yield f"{suffix} of zeros", {**good, suffix: bytes(len(good[suffix]))}, REFUSED
        yield f"{suffix} of ones", {**good, suffix: b"\xff" * len(good[suffix])}, REFUSED
        yield f"{suffix} twice as long", {**good, suffix: good[suffix] * 2}, EITHER
        yield f"{suffix} that is text", {**good, suffix: b"<html>" * 200}, REFUSED
    yield ".shp for .shx", {**good, ".shx": good[".shp"]}, REFUSED
    yield ".shx for .shp", {**good, ".shp": good[".shx"]}, REFUSED
    yield ".dbf and .shp swapped", {**good, ".shp": good[".dbf"], ".dbf": good[".shp"]}, REFUSED
    yield (
        "points with the table of polygons",
        {**good, **{k: parts_of("points")[k] for k in (".shp", ".shx")}},
        REFUSED,
    )
    yield "an index that lies", {**good, ".qix": b"SQT\1\1\0\0\0" + b"\xff" * 64}, READ
    yield "another index that lies", {**good, ".sbn": b"\xff" * 200, ".sbx": b"\xff" * 200}, READ
    yield (
        "an attribute index that lies",
        {
            **good,
            ".idm": b"<OGRMILayerAttrIndex><MIIDFilename>/etc/passwd</MIIDFilename></OGRMILayerAttrIndex>",
            ".ind": b"x",
        },
        READ,
    )


def texts() -> Iterator[Item]:
    for encoding in ("UTF-8", "GB18030", "GBK"):
        for claim in (
            b"UTF-8",
            b"GBK",
            b"936",
            b"1252",
            b"ISO-8859-1",
            b"nonsense",
            b"",
            b"\xff\xfe",
            b"x" * 100_000,
        ):
            parts = {**parts_of("polygons", encoding), ".cpg": claim}
            yield (
                f"text in {encoding} and a claim of {claim[:10]!r}",
                parts,
                READ,
            )
    header = struct.unpack_from("<H", parts_of()[".dbf"], 8)[0]
    yield "text in no encoding", changed(".dbf", header + 81, b"\xff\xfe\x81\x81\xff\xff"), REFUSED
    yield "NULs in a text", changed(".dbf", header + 1, b"A\x001"), EITHER
    yield "a date of zeros", dated(b"00000000"), EITHER
    yield "a date of stars", dated(b"********"), EITHER
    yield "a date of the 31st of February", dated(b"20260231"), EITHER
    yield "a number of stars", stars(), EITHER


def dated(text: bytes) -> Parts:
    parts = dict(parts_of("dates"))
    # A date field is eight characters of kind D; the text field here is turned into one.
    raw = bytearray(parts[".dbf"])
    header = struct.unpack_from("<H", raw, 8)[0]
    record = struct.unpack_from("<H", raw, 10)[0]
    first = raw[48]
    raw[header + 1 + first : header + 1 + first + 8] = text
    assert record > first + 8
    return {**parts, ".dbf": bytes(raw)}


def stars() -> Parts:
    raw = parts_of()[".dbf"]
    at = raw.rindex(b"13")
    return changed(".dbf", at - 3, b"*****")


def systems() -> Iterator[Item]:
    good = parts_of()

    def with_prj(text: str | bytes) -> Parts:
        return {**good, ".prj": text.encode() if isinstance(text, str) else text}

    yield "no .prj", {end: raw for end, raw in good.items() if end != ".prj"}, REFUSED
    yield (
        "a .prj of another place",
        with_prj(
            'PROJCS["UTM",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000],PARAMETER["False_Northing",0],PARAMETER["Central_Meridian",-177],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0],UNIT["Meter",1]]'
        ),
        EITHER,
    )
    yield (
        "a .prj of degrees",
        with_prj(
            'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]'
        ),
        REFUSED,
    )
    yield "a .prj of rubbish", with_prj("rubbish"), REFUSED
    yield "a .prj of bytes", with_prj(bytes(range(256))), REFUSED
    yield "a .prj of another file", with_prj("/etc/passwd"), REFUSED
    yield "a .prj from the network", with_prj(beacon()), REFUSED
    yield "a .prj that nests without end", with_prj("PROJCS[" * 5_000), REFUSED
    yield "a .prj of a megabyte", with_prj("x" * 1_000_000), REFUSED
    yield "a .prj with a mark", with_prj(b"\xef\xbb\xbf" + good[".prj"]), READ
    yield (
        "a .prj with a shift file",
        with_prj("+proj=longlat +nadgrids=/etc/passwd +type=crs"),
        REFUSED,
    )
    yield "a .prj of a local system", with_prj('LOCAL_CS["Arbitrary",UNIT["Meter",1]]'), REFUSED
    yield (
        "a .prj of an old datum",
        with_prj(
            'GEOGCS["Xian 1980",DATUM["Xian_1980",SPHEROID["Xian 1980",6378140,298.257]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
        ),
        REFUSED,
    )


def shapes() -> Iterator[Item]:
    yield "points for grids", parts_of("points"), REFUSED
    yield "heights", parts_of("heights"), READ
    yield "a missing shape", parts_of("missing"), EITHER
    yield "no shape at all", no_rows(), REFUSED
    yield "an open ring", open_ring(), EITHER


def no_rows() -> Parts:
    parts = dict(parts_of())
    for suffix in (".shp", ".shx"):
        raw = bytearray(parts[suffix][:100])
        struct.pack_into(">i", raw, 24, 50)
        parts[suffix] = bytes(raw)
    raw = bytearray(parts[".dbf"])
    struct.pack_into("<I", raw, 4, 0)
    header = struct.unpack_from("<H", raw, 8)[0]
    parts[".dbf"] = bytes(raw[:header]) + b"\x1a"
    return parts


def open_ring() -> Parts:
    x, y = struct.unpack_from("<dd", parts_of()[".shp"], 156)
    return changed(".shp", 156, struct.pack("<dd", x + 30.0, y))
