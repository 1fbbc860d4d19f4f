"""Archives: bombs, names that leave the folder, links, locks, lists that lie, nests."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from tests.attack import json_attacks, shapefile_attacks
from tests.attack.archives import PACKED, STORED, lie_about, link_in_zip, overlapping, zip_of
from tests.attack.beacon import beacon
from tests.attack.corpus import EITHER, READ, REFUSED, Attack

GOOD = json_attacks.TEXT
Item = tuple[str, bytes | Callable[[], bytes], str]

HOSTILE_NAMES = (
    "../grids.geojson",
    "../../../../../../tmp/getu-was-here.geojson",
    "a/../../grids.geojson",
    "/tmp/getu-was-here.geojson",
    "//server/share/grids.geojson",
    "\\\\server\\share\\grids.geojson",
    "..\\grids.geojson",
    "C:\\grids.geojson",
    "c:grids.geojson",
    "grids\0.geojson",
    "grids\n.geojson",
    "grids\x1b[2J.geojson",
    "x" * 300 + ".geojson",
    "/".join(["d"] * 200) + "/grids.geojson",
    "..",
    "../",
)
ODD_NAMES = (
    "网格.geojson",
    "./grids.geojson",
    "a b/grids.geojson",
    "grids.geojson.json",
    "GRIDS.GEOJSON",
    "-rf.geojson",
    "$(touch x).geojson",
    "con.geojson",
    "grids.geojson ",
    "vsicurl/http:/127.0.0.1:9/grids.geojson",
)


def attacks() -> list[Attack]:
    """Return all of this family."""
    return [
        Attack(name=f"zip: {name}", file="grids.zip", kind="grids", content=content, expect=expect)
        for family in (names, bombs, lists, contents)
        for name, content, expect in family()
    ]


def names() -> Iterator[Item]:
    for name in HOSTILE_NAMES:
        yield f"a member called {name[:44]!r}", with_name(name), REFUSED
        yield f"{name[:44]!r} beside a good one", with_name(name, beside=True), REFUSED
    for name in ODD_NAMES:
        yield f"a member called {name!r}", with_name(name), EITHER
    gbk = zip_of({"abcd.geojson": GOOD}).replace(b"abcd", "网格".encode("gbk"))
    yield "a member called in GBK", gbk, READ
    yield (
        "a member called in no encoding",
        zip_of({"abcd.geojson": GOOD}).replace(b"abcd", b"\xff\xfe\x81\xff"),
        EITHER,
    )
    yield "a name that is text and path in two lists", twice_named(), EITHER
    for target in ("/etc/passwd", "../../getu.sqlite", "grids.geojson"):
        yield f"a link to {target}", link_in_zip("grids.geojson", target, {}), REFUSED
        yield (
            f"a link to {target} beside a good one",
            link_in_zip("link.shp", target, {"grids.geojson": GOOD}),
            REFUSED,
        )
    yield (
        "a link as .dbf",
        link_in_zip(
            "grids.dbf",
            "/etc/passwd",
            {f"grids{k}": v for k, v in shapefile_attacks.parts_of().items() if k != ".dbf"},
        ),
        REFUSED,
    )
    yield "a folder called as a file", zip_of({"grids.geojson/": b""}), REFUSED
    yield (
        "one name twice",
        zip_of({"a.geojson": GOOD, "b.geojson": b"{}"}).replace(b"b.geojson", b"a.geojson"),
        EITHER,
    )


def with_name(name: str, *, beside: bool = False) -> bytes:
    stand_in = "q" * len(name.encode())
    members = {stand_in: GOOD, **({"grids.geojson": GOOD} if beside else {})}
    raw = zip_of(members).replace(stand_in.encode(), name.encode())
    if name.isascii():
        return raw
    # The flag that says that names are UTF-8.
    out = bytearray(raw)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", out, out.index(mark) + at, 0x800)
    return bytes(out)


def twice_named() -> bytes:
    raw = zip_of({"grids.geojson": GOOD})
    return raw.replace(b"grids.geojson", b"../xx.geojson", 1)


def bombs() -> Iterator[Item]:
    yield "a flat bomb", lambda: zip_of({"grids.geojson": b"[" * 400_000_000}), REFUSED
    yield (
        "a flat bomb of spaces before a map",
        lambda: zip_of({"grids.geojson": b" " * 200_000_000 + GOOD}),
        REFUSED,
    )
    yield (
        "a Shapefile bomb",
        lambda: zip_of({**shapefile(), "grids.shp": shapefile()["grids.shp"] + bytes(350_000_000)}),
        REFUSED,
    )
    yield (
        "a bomb beside a good map",
        lambda: zip_of({"grids.geojson": GOOD, "x.bin": bytes(400_000_000)}),
        REFUSED,
    )
    yield (
        "a bomb that says it is small",
        lambda: lie_about(zip_of({"grids.geojson": bytes(50_000_000)}), size=1_000),
        REFUSED,
    )
    yield (
        "a bomb that says it is nothing",
        lambda: lie_about(zip_of({"grids.geojson": bytes(50_000_000)}), size=0),
        REFUSED,
    )
    yield (
        "a small map that says it is huge",
        lie_about(zip_of({"grids.geojson": GOOD}), size=2**32 - 2),
        REFUSED,
    )
    yield (
        "an overlapping bomb",
        lambda: overlapping("grids0000.geojson", bytes(20_000_000), 150),
        REFUSED,
    )
    yield (
        "more overlapping members than may be",
        lambda: overlapping("grids0000.geojson", GOOD, 20_000),
        REFUSED,
    )
    yield (
        "a nested bomb",
        lambda: zip_of({"inner.zip": zip_of({"grids.geojson": bytes(100_000_000)})}),
        REFUSED,
    )
    nested = zip_of({"grids.geojson": GOOD})
    for _ in range(20):
        nested = zip_of({"inner.zip": nested}, method=STORED)
    yield "twenty nests", nested, REFUSED
    yield (
        "five hundred members",
        zip_of({f"m{n}.txt": b"x" for n in range(500)} | {"grids.geojson": GOOD}),
        EITHER,
    )
    yield (
        "twenty thousand members",
        lambda: zip_of({f"m{n}.txt": b"" for n in range(20_000)}),
        REFUSED,
    )
    yield (
        "a comment of 64 kB full of ends",
        zip_of({"grids.geojson": GOOD})[:-2] + struct.pack("<H", 65_000) + b"PK\x05\x06" * 16_250,
        REFUSED,
    )


def shapefile() -> dict[str, bytes]:
    return {f"grids{end}": raw for end, raw in shapefile_attacks.parts_of().items()}


def lists() -> Iterator[Item]:
    good = zip_of({"grids.geojson": GOOD})
    listed, end = good.index(b"PK\x01\x02"), good.rindex(b"PK\x05\x06")
    yield "good", good, READ
    yield "without a list", good[:listed], REFUSED
    yield "without an end", good[:end], REFUSED
    yield "without a body", good[listed:], REFUSED
    yield "two archives in a row", good + good, EITHER
    yield "rubbish before", b"rubbish" + good, REFUSED
    yield "a program before", b"PK" + bytes(50) + good, EITHER
    yield "empty", zip_of({}), REFUSED
    for length in (2, 4, 10, 29, 30, 43, listed + 10, end - 1, end + 4, end + 21):
        yield f"cut after {length} bytes", good[:length], REFUSED
    fields = {
        "method": (10, 2),
        "flags": (8, 2),
        "sum": (16, 4),
        "packed size": (20, 4),
        "size": (24, 4),
        "name length": (28, 2),
        "extra length": (30, 2),
        "offset": (42, 4),
    }
    for name, (at, width) in fields.items():
        for value in (b"\xff" * width, b"\x63" + bytes(width - 1)):
            out = good[: listed + at] + value + good[listed + at + width :]
            yield (
                f"the list says a {name} of {value.hex()}",
                out,
                REFUSED if name in {"method", "sum", "offset"} else EITHER,
            )
    ends = {"members": (10, 2), "list size": (12, 4), "list place": (16, 4), "disk": (4, 2)}
    for name, (at, width) in ends.items():
        out = good[: end + at] + b"\xff" * width + good[end + at + width :]
        yield f"the end says a wrong {name}", out, EITHER
    locked = bytearray(good)
    locked[6] |= 1
    locked[listed + 8] |= 1
    yield "locked", bytes(locked), REFUSED
    for method in (1, 6, 9, 12, 14, 93, 95, 99):
        out = bytearray(good)
        struct.pack_into("<H", out, 8, method)
        struct.pack_into("<H", out, listed + 10, method)
        yield f"packed by method {method}", bytes(out), REFUSED
    broken = bytearray(zip_of({"grids.geojson": GOOD * 3}))
    broken[60] ^= 0xFF
    yield "a broken body", bytes(broken), REFUSED


def contents() -> Iterator[Item]:
    yield "two maps", zip_of({"a.geojson": GOOD, "b.geojson": GOOD}), REFUSED
    yield (
        "two Shapefiles",
        zip_of({**shapefile(), **{"x" + k: v for k, v in shapefile().items()}}),
        REFUSED,
    )
    yield (
        "parts in two folders",
        zip_of({("a/" if k.endswith("shp") else "b/") + k: v for k, v in shapefile().items()}),
        REFUSED,
    )
    yield (
        "a Shapefile deep in folders",
        zip_of({f"a/b/c/{k}": v for k, v in shapefile().items()}),
        READ,
    )
    yield (
        "parts in mixed case",
        zip_of({k.upper() if k.endswith("dbf") else k: v for k, v in shapefile().items()}),
        READ,
    )
    yield (
        "Macintosh leftovers",
        zip_of({**shapefile(), **{f"__MACOSX/._{k}": b"\0\5\x16\7" for k in shapefile()}}),
        READ,
    )
    yield (
        "a workbook",
        zip_of(
            {
                "[Content_Types].xml": b"<Types/>",
                "xl/workbook.xml": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
            }
        ),
        REFUSED,
    )
    yield "a text document", zip_of({"word/document.xml": b"<x/>"}), REFUSED
    yield (
        "a KMZ",
        zip_of(
            {"doc.kml": f"<kml><NetworkLink><href>{beacon()}</href></NetworkLink></kml>".encode()}
        ),
        REFUSED,
    )
    yield "stored, not packed", zip_of(shapefile(), method=STORED), READ
    yield "packed", zip_of(shapefile(), method=PACKED), READ
    for name in (
        "grids.vrt",
        "grids.gml",
        "grids.kml",
        "grids.sqlite",
        "grids.osm",
        "grids.tab",
        "grids.csv",
    ):
        yield f"only a {name}", zip_of({name: b"<OGRVRTDataSource/>"}), REFUSED
