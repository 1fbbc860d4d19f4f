"""KML, KMZ, FlatGeobuf, GeoParquet and DXF: good ones to be broken, and ones that lie."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq

from tests.attack.archives import lie_about, link_in_zip, zip_of
from tests.attack.beacon import beacon
from tests.attack.corpus import EITHER, READ, REFUSED, Attack
from tests.attack.payloads import MARKUP
from tests.city import EPSG, square

Item = tuple[str, bytes | Callable[[], bytes], str]
RING = "120.0,32.5,0 120.002,32.5,0 120.002,32.502,0 120.0,32.502,0 120.0,32.5,0"
DEEP, MANY = 500, 200_000


def attacks() -> list[Attack]:
    """Return all of this family."""
    found = []
    for family, file, options, items in (
        ("kml", "grids.kml", (), kmls),
        ("kmz", "grids.kmz", (), kmzs),
        ("flatgeobuf", "grids.fgb", (), flatgeobufs),
        ("parquet", "grids.parquet", (), parquets),
        ("dxf", "grids.dxf", ("--crs", f"EPSG:{EPSG}"), dxfs),
    ):
        for name, content, expect in items():
            found.append(
                Attack(
                    name=f"{family}: {name}",
                    file=file,
                    kind="grids",
                    content=content,
                    expect=expect,
                    options=options,
                )
            )
    return found


def mark(ring: str = RING, *, code: str = "A1", more: str = "") -> str:
    """Return one placemark that is a grid."""
    return (
        f"<Placemark><name>格</name><ExtendedData><Data name='code'><value>{code}</value></Data>"
        f"{more}</ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}"
        "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )


def kml(*marks: str, before: str = "", root: str = "kml") -> bytes:
    """Return a document around placemarks."""
    inside = "".join(marks)
    return f'<?xml version="1.0"?>{before}<{root}><Document>{inside}</Document></{root}>'.encode()


def kmls() -> Iterator[Item]:
    yield "good", kml(mark()), READ
    yield "in UTF-16", kml(mark()).decode().replace("1.0", "1.0", 1).encode("utf-16"), EITHER
    yield "says another encoding", kml(mark()).replace(b'"1.0"', b'"1.0" encoding="x"', 1), EITHER
    yield "an entity", kml(mark(), before='<!DOCTYPE k [<!ENTITY a "b">]>'), REFUSED
    outer = f"<!DOCTYPE k [<!ENTITY a SYSTEM '{beacon()}'>]>"
    yield "an outer entity", kml(mark(), "<name>&a;</name>", before=outer), REFUSED
    file = "<!DOCTYPE k [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    yield "a file as entity", kml(mark(), "<name>&a;</name>", before=file), REFUSED
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    bomb = f"<!DOCTYPE k [<!ENTITY l0 'ha'>{laughs}]>"
    yield "a billion laughs", kml(mark(code="&l11;"), before=bomb), REFUSED
    link = f"<NetworkLink><Link><href>{beacon()}</href></Link></NetworkLink>"
    yield "a network link", kml(link, mark()), READ
    yield "only a network link", kml(link), REFUSED
    style = f"<Style><IconStyle><Icon><href>{beacon()}</href></Icon></IconStyle></Style>"
    yield "an icon elsewhere", kml(style, mark()), READ
    yield "an include", kml(f"<x:include xmlns:x='x' href='{beacon()}'/>", mark()), EITHER
    yield "deep folders", kml("<Folder>" * DEEP + mark() + "</Folder>" * DEEP), REFUSED
    nested = "<MultiGeometry>" * DEEP + "</MultiGeometry>" * DEEP
    yield "deep shapes", kml(f"<Placemark>{nested}</Placemark>"), REFUSED
    yield "no end", kml(mark())[:-20], REFUSED
    yield "no namespace closed", b"<kml><Document><Placemark></Document></kml>", REFUSED
    yield "empty", b"", REFUSED
    yield "another root", kml(mark(), root="gml"), REFUSED
    yield "no coordinates", kml(mark("")), REFUSED
    yield "words as coordinates", kml(mark("东,西 南,北")), REFUSED
    for text in ("NaN,NaN", "1e400,1", "inf,inf", "-,-", "120.0", ",,", "120,32.5,0,0,0"):
        yield f"coordinates {text}", kml(mark(f"{text} {RING[:40]}")), EITHER
    yield "two corners", kml(mark("120,32 121,33")), REFUSED
    yield "on the moon", kml(mark("720,95 721,95 721,96 720,95")), REFUSED
    bow = "120,32.5 120.002,32.502 120.002,32.5 120,32.502 120,32.5"
    yield "a bow tie", kml(mark(bow)), EITHER
    yield "many corners", lambda: kml(mark(f"{RING} " * (MANY // 5))), EITHER
    yield "many data", lambda: kml(mark(more="<Data name='a'/>" * 20_000)), EITHER
    yield "a long code", lambda: kml(mark(code="9" * 1_000_000)), EITHER
    yield "a null sign", kml(mark(code="A\x00B")), REFUSED
    yield "the same code twice", kml(mark(), mark()), REFUSED
    for number, text in enumerate(MARKUP[:12]):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        yield f"markup {number}", kml(mark(code=escaped)), EITHER


def kmzs() -> Iterator[Item]:
    good = zip_of({"doc.kml": kml(mark())})
    yield "good", good, READ
    yield "no kml inside", zip_of({"doc.txt": kml(mark())}), REFUSED
    yield "two kml inside", zip_of({"a.kml": kml(mark()), "b.kml": kml(mark())}), EITHER
    yield "a path upwards", zip_of({"../doc.kml": kml(mark())}), REFUSED
    yield "an absolute path", zip_of({"/tmp/getu-was-here": b"x", "doc.kml": kml(mark())}), REFUSED
    yield "a link", link_in_zip("doc.kml", "/etc/passwd", {}), REFUSED
    yield "a bomb", lambda: zip_of({"doc.kml": kml(mark(), " " * 400_000_000)}), REFUSED
    yield "a lying size", lie_about(good, size=10), REFUSED
    yield "a zip inside", zip_of({"doc.kmz": good}), REFUSED
    yield (
        "an entity inside",
        zip_of({"doc.kml": kml(before='<!DOCTYPE k [<!ENTITY a "b">]>')}),
        (REFUSED),
    )
    yield "cut", good[: len(good) // 2], REFUSED


@cache
def made(driver: str) -> bytes:
    """Return two good grids in a format."""
    frame = geopandas.GeoDataFrame(
        {"code": ["A1", "A2"], "name": ["甲", "乙"]},
        geometry=[square(0, 0), square(1, 0)],
        crs=EPSG,
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "grids"
        if driver == "FlatGeobuf":
            frame.to_file(path.with_suffix(".fgb"), driver=driver)
            return path.with_suffix(".fgb").read_bytes()
        frame.to_parquet(path)
        return path.read_bytes()


def flatgeobufs() -> Iterator[Item]:
    good = made("FlatGeobuf")
    yield "good", good, READ
    yield "only the mark", good[:8], REFUSED
    for part in range(1, 16):
        yield f"cut at {part} of 16", good[: len(good) * part // 16], REFUSED
    for at in range(8, 80, 4):  # sizes and offsets of the header, which the rest is found by
        for value in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"):
            yield f"{value.hex()} at {at}", good[:at] + value + good[at + 4 :], EITHER
    yield "a huge header", good[:8] + struct.pack("<I", 0xFFFFFFF0) + good[12:], REFUSED
    yield "no header", good[:8] + struct.pack("<I", 0) + good[12:], REFUSED
    yield "another version", good[:3] + b"\x09" + good[4:], REFUSED
    yield "twice", good + good, EITHER


def repacked(change: Callable[[pa.Table], pa.Table]) -> bytes:
    """Return the good GeoParquet with its table changed."""
    out = pa.BufferOutputStream()
    pq.write_table(change(pq.read_table(pa.BufferReader(made("parquet")))), out)
    return bytes(out.getvalue())


def with_geo(old: bytes, new: bytes) -> bytes:
    """Return the good GeoParquet with what it says of its shapes changed."""

    def change(table: pa.Table) -> pa.Table:
        about = dict(table.schema.metadata)
        about[b"geo"] = about[b"geo"].replace(old, new)
        return table.replace_schema_metadata(about)

    return repacked(change)


def with_shapes(*shapes: bytes | None) -> bytes:
    """Return the good GeoParquet with other bytes as shapes."""
    return repacked(
        lambda table: table.set_column(
            table.column_names.index("geometry"), "geometry", pa.array(shapes, pa.binary())
        )
    )


def parquets() -> Iterator[Item]:
    good = made("parquet")
    yield "good", good, READ
    for part in range(1, 16):
        yield f"cut at {part} of 16", good[: len(good) * part // 16], REFUSED
    for back in range(4, 44, 4):  # the foot says where everything is
        place = len(good) - 4 - back
        yield f"foot overwritten {back}", good[:place] + b"\xff" * 4 + good[place + 4 :], EITHER
    yield "a huge foot", good[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1", REFUSED
    yield "no foot", good[:-8] + struct.pack("<I", 0) + b"PAR1", REFUSED
    yield "no shapes named", with_geo(b"geometry", b"geometri"), REFUSED
    yield "another encoding", with_geo(b"WKB", b"WKX"), EITHER
    yield "broken words on shapes", with_geo(b"{", b"["), REFUSED
    yield "no bytes as shapes", with_shapes(None, None), REFUSED
    yield "empty bytes as shapes", with_shapes(b"", b""), REFUSED
    yield "text as shapes", with_shapes(b"POLYGON", b"POINT"), REFUSED
    rings = struct.pack("<BII", 1, 3, 0xFFFFFFFF)
    yield "rings without end", with_shapes(rings, rings), REFUSED
    corners = struct.pack("<BIII", 1, 3, 1, 0xFFFFFFFF)
    yield "corners without end", with_shapes(corners, corners), REFUSED
    many = struct.pack("<BII", 1, 7, 1) * DEEP
    yield "collections in collections", with_shapes(many, many), REFUSED
    yield "no rows", repacked(lambda table: table.slice(0, 0)), REFUSED
    yield "the same code twice", repacked(lambda table: pa.concat_tables([table, table])), REFUSED


def dxf(*entities: str) -> bytes:
    """Return a drawing of these entities."""
    body = "".join(entities)
    return f"0\nSECTION\n2\nENTITIES\n{body}0\nENDSEC\n0\nEOF\n".encode()


def line(*corners: tuple[object, object], layer: str = "A1", closed: int = 1) -> str:
    """Return a line of corners as a drawing writes it."""
    places = "".join(f"10\n{x}\n20\n{y}\n" for x, y in corners)
    return f"0\nLWPOLYLINE\n8\n{layer}\n90\n{len(corners)}\n70\n{closed}\n{places}"


def dxfs() -> Iterator[Item]:
    west, south = 500_000, 3_600_000
    area = [(west, south), (west + 200, south), (west + 200, south + 200), (west, south + 200)]
    good = dxf(line(*area))
    yield "a closed line", good, EITHER
    yield "no end", good[:-30], EITHER
    yield "empty", dxf(), REFUSED
    yield "only a section", b"0\nSECTION\n", REFUSED
    yield "an open line", dxf(line(*area, closed=0)), REFUSED
    yield "more corners said", good.replace(b"90\n4", b"90\n2000000000"), EITHER
    yield "corners below nothing", good.replace(b"90\n4", b"90\n-4"), EITHER
    for text in ("NaN", "1e400", "inf", "x", "", "1,5", "-" * 50):
        yield f"corner {text[:4]}", dxf(line((text, south), *area[1:])), EITHER
    yield "a long layer", dxf(line(*area, layer="层" * 100_000)), EITHER
    yield "markup as layer", dxf(line(*area, layer=MARKUP[0])), EITHER
    yield "many entities", lambda: dxf(*[line(*area)] * 20_000), EITHER
    yield "no numbers", b"0\nSECTION\n2\nENTITIES\nx\ny\nz\n", REFUSED
    block = "0\nBLOCK\n2\nB\n0\nINSERT\n2\nB\n10\n0\n20\n0\n0\nENDBLK\n"
    loop = f"0\nSECTION\n2\nBLOCKS\n{block}0\nENDSEC\n"
    insert = "0\nINSERT\n2\nB\n10\n0\n20\n0\n"
    yield "a block within itself", loop.encode() + dxf(insert), REFUSED
    rows = "0\nINSERT\n2\nB\n10\n0\n20\n0\n70\n30000\n71\n30000\n44\n1\n45\n1\n"
    plain = "0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n2\nB\n" + line(*area) + "0\nENDBLK\n0\nENDSEC\n"
    yield "a block nine hundred million times", plain.encode() + dxf(rows), REFUSED
    spline = "0\nSPLINE\n8\nA1\n70\n1\n71\n2000000000\n72\n2000000000\n73\n2000000000\n"
    yield "a curve without end", dxf(spline), REFUSED
    yield "binary", b"AutoCAD Binary DXF\r\n\x1a\x00" + bytes(200), REFUSED
    yield "a picture elsewhere", dxf(f"0\nIMAGE\n1\n{beacon()}\n"), REFUSED
