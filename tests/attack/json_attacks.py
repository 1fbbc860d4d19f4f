"""GeoJSON and TopoJSON that lie, break off, nest, overflow, or carry shapes no map can have."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.attack.beacon import beacon
from tests.attack.corpus import EITHER, READ, REFUSED, Attack
from tests.attack.payloads import MARKUP

W, S, D = 120.0, 32.5, 0.002
GOOD = [[W, S], [W + D, S], [W + D, S + D], [W, S + D], [W, S]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: Any, /, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"code": "A1", **properties}, "geometry": geometry}


def collection(*features: Any, **beside: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **beside}


def dump(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def around(geometry: str) -> bytes:
    """A collection around a geometry that no JSON writer would write."""
    return dump(collection(feature(0))).replace(
        b'"geometry": 0', b'"geometry": ' + geometry.encode()
    )


def attacks() -> list[Attack]:
    """Return all of this family."""
    return [
        Attack(
            name=f"json: {name}", file="grid.geojson", kind="grids", content=content, expect=expect
        )
        for family in (texts, structures, geometries, numbers, properties, systems, topologies)
        for name, content, expect in family()
    ]


Item = tuple[str, Any, str]
TEXT = dump(collection(feature(polygon(GOOD))))


def texts() -> Iterator[Item]:
    yield "good", TEXT, READ
    yield "byte order mark", b"\xef\xbb\xbf" + TEXT, READ
    yield "two byte order marks", b"\xef\xbb\xbf" * 2 + TEXT, EITHER
    yield "UTF-16 little", b"\xff\xfe" + TEXT.decode().encode("utf-16-le"), READ
    yield "UTF-16 big", b"\xfe\xff" + TEXT.decode().encode("utf-16-be"), READ
    yield "UTF-16 without mark", TEXT.decode().encode("utf-16-le"), REFUSED
    yield "UTF-16 cut inside a unit", b"\xff\xfe" + TEXT.decode().encode("utf-16-le")[:-1], REFUSED
    yield "UTF-32", TEXT.decode().encode("utf-32"), REFUSED
    yield (
        "GB18030 name",
        dump(collection(feature(polygon(GOOD), name="网格甲乙丙"))).decode().encode("gb18030"),
        READ,
    )
    yield "overlong UTF-8", TEXT.replace(b"A1", b"\xc0\xaf1"), EITHER
    yield "lone surrogate in UTF-8", TEXT.replace(b"A1", b"\xed\xa0\x80"), REFUSED
    yield "lone surrogate escaped", TEXT.replace(b"A1", b"\\ud800"), EITHER
    yield "NUL in a text", TEXT.replace(b"A1", b"A\\u0000"), EITHER
    yield "NUL between tokens", TEXT.replace(b", ", b"\0, ", 1), REFUSED
    yield "NULs only", bytes(5_000), REFUSED
    yield "spaces only", b" \n\t" * 2_000, REFUSED
    yield "nothing", b"", REFUSED
    yield "one brace", b"{", REFUSED
    yield "null", b"null", REFUSED
    yield "a number", b"42", REFUSED
    yield "a text", b'"grid"', REFUSED
    yield "an array", b"[]", REFUSED
    yield "two documents", TEXT + TEXT, REFUSED
    yield "one feature a line", (dump(feature(polygon(GOOD))) + b"\n") * 2, REFUSED
    yield "text sequences with record separators", b"\x1e" + dump(feature(polygon(GOOD))), REFUSED
    yield "trailing comma", TEXT.replace(b"]}", b"],}"), REFUSED
    yield "comments", b"/* map */ " + TEXT, REFUSED
    yield "single quotes", TEXT.replace(b'"', b"'"), REFUSED
    yield "JSONP", b"load(" + TEXT + b")", REFUSED
    yield "JavaScript", b"var grids = " + TEXT, REFUSED
    yield (
        "a prototype",
        dump(collection(feature(polygon(GOOD), __proto__="x", constructor="y"))),
        READ,
    )
    yield "deep arrays", b"[" * 100_000, REFUSED
    yield "deep arrays closed", b"[" * 5_000 + b"]" * 5_000, REFUSED
    yield "deep objects", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, REFUSED
    yield "1,025 levels in a property", deep_property(1_025), REFUSED
    yield "500 levels in a property", deep_property(500), EITHER
    yield "brackets only", lambda: b"[[" * 3_000_000 + b"]]" * 3_000_000, REFUSED
    yield (
        "empty objects only",
        lambda: b'{"type":"FeatureCollection","features":[' + b"{}," * 900_000 + b"{}]}",
        REFUSED,
    )
    for places in (1, 7, 20, 45, 80, 120, len(TEXT) - 2, len(TEXT) - 1):
        yield f"cut after {places} bytes", TEXT[:places], REFUSED


def deep_property(levels: int) -> bytes:
    text = dump(collection(feature(polygon(GOOD), deep=0)))
    return text.replace(b'"deep": 0', b'"deep": ' + b"[" * levels + b"]" * levels)


def structures() -> Iterator[Item]:
    yield "no type", b'{"features": []}', REFUSED
    yield "type in capitals", TEXT.replace(b"FeatureCollection", b"FEATURECOLLECTION"), REFUSED
    yield "type is a list", b'{"type": ["FeatureCollection"], "features": []}', REFUSED
    yield "no features", b'{"type": "FeatureCollection"}', REFUSED
    yield "features null", b'{"type": "FeatureCollection", "features": null}', REFUSED
    yield "features an object", b'{"type": "FeatureCollection", "features": {"0": {}}}', REFUSED
    yield "features empty", dump(collection()), REFUSED
    yield "features of features", dump(collection(collection(feature(polygon(GOOD))))), REFUSED
    for wrong in (None, 1, "x", [], {}, True):
        yield f"a feature that is {wrong!r}", dump(collection(wrong)), REFUSED
        yield f"a geometry that is {wrong!r}", dump(collection(feature(wrong))), REFUSED
        tree = collection({"type": "Feature", "properties": wrong, "geometry": polygon(GOOD)})
        yield f"properties that are {wrong!r}", dump(tree), REFUSED
    yield "features twice", TEXT[:-1] + b', "features": []}', REFUSED
    yield "type twice", b'{"type": "Topology",' + TEXT[1:], READ
    yield "a property twice", TEXT.replace(b'"code"', b'"code": "B", "code"'), READ
    yield "geometry twice", TEXT.replace(b'"geometry"', b'"geometry": null, "geometry"'), READ
    yield "one bare feature", dump(feature(polygon(GOOD))), READ
    yield "a bare geometry", dump(polygon(GOOD)), REFUSED  # a grid without a code
    yield (
        "Esri JSON",
        b'{"geometryType": "esriGeometryPolygon", "features": [{"attributes": {}}]}',
        REFUSED,
    )
    yield (
        "ECharts' packed form",
        dump({**collection(feature(polygon(GOOD))), "UTF8Encoding": True}),
        REFUSED,
    )
    yield (
        "a GDALG pipeline",
        dump(
            {"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"}
        ),
        REFUSED,
    )
    yield (
        "a GDALG beside features",
        dump({**collection(), "command_line": "gdal vector pipeline ! read /etc/passwd"}),
        REFUSED,
    )


def geometries() -> Iterator[Item]:
    yield "bow-tie", shape([[W, S], [W + D, S + D], [W + D, S], [W, S + D], [W, S]]), READ
    yield (
        "spike",
        shape([[W, S], [W + D, S], [W + 9 * D, S], [W + D, S], [W + D, S + D], [W, S]]),
        EITHER,
    )
    yield "clockwise", shape(GOOD[::-1]), READ
    yield "closed twice", shape([*GOOD, GOOD[0], GOOD[0]]), READ
    yield "every point twice", shape([p for p in GOOD for _ in (0, 1)]), READ
    yield "open ring", shape(GOOD[:-1]), READ
    yield "open ring crossing itself", shape([GOOD[0], GOOD[2], GOOD[1], GOOD[3]]), REFUSED
    yield "one point", shape([GOOD[0]]), REFUSED
    yield "two points", shape(GOOD[:2]), REFUSED
    yield "three equal points", shape([GOOD[0]] * 3), REFUSED
    yield "four equal points", shape([GOOD[0]] * 4), REFUSED
    yield "flat", shape([GOOD[0], GOOD[1], [W + 2 * D, S], GOOD[0]]), REFUSED
    yield "no ring", dump(collection(feature(polygon()))), REFUSED
    yield "an empty ring", shape([]), REFUSED
    yield "empty multi-polygon", geometry("MultiPolygon", []), REFUSED
    yield "a multi-polygon with nothing in it", geometry("MultiPolygon", [[]]), REFUSED
    yield "a multi-polygon of a multi-polygon", geometry("MultiPolygon", [[[GOOD]]]), REFUSED
    yield (
        "a hole outside",
        dump(collection(feature(polygon(GOOD, [[x + 1, y] for x, y in GOOD])))),
        EITHER,
    )
    yield (
        "a hole larger than its ring",
        dump(
            collection(
                feature(
                    polygon(GOOD, [[W - 1, S - 1], [W + 1, S - 1], [W + 1, S + 1], [W - 1, S - 1]])
                )
            )
        ),
        EITHER,
    )
    yield "a hole that is the ring", dump(collection(feature(polygon(GOOD, GOOD)))), EITHER
    yield "a hole twice", dump(collection(feature(polygon(GOOD, inner(), inner())))), EITHER
    yield "heights", shape([[*p, 12.5] for p in GOOD]), READ
    yield "heights and measures", shape([[*p, 12.5, 3.0] for p in GOOD]), READ
    yield "some heights", shape([[*p, 1][: 2 + n % 2] for n, p in enumerate(GOOD)]), READ
    yield "a position of one number", shape([[W], *GOOD[1:]]), REFUSED
    yield "a position of a thousand numbers", shape([[*p, *[0] * 998] for p in GOOD]), READ
    yield "positions as objects", shape([{"lon": x, "lat": y} for x, y in GOOD]), REFUSED
    yield "positions as texts", shape([[str(x), str(y)] for x, y in GOOD]), REFUSED
    yield "positions with null", shape([[None, y] for _, y in GOOD]), REFUSED
    yield "positions as booleans", shape([[True, False]] * 4), REFUSED
    yield "a position of lists", shape([[[x], [y]] for x, y in GOOD]), REFUSED
    yield "coordinates as one text", geometry("Polygon", "120,32"), REFUSED
    yield "coordinates as an object", geometry("Polygon", {"a": 1}), REFUSED
    yield "no coordinates", dump(collection(feature({"type": "Polygon"}))), REFUSED
    for kind in ("Circle", "", "polygon", "CurvePolygon", None, 3, ["Polygon"], "Polygon\0"):
        yield f"a geometry of kind {kind!r}", geometry(kind, [GOOD]), REFUSED
    for kind, coordinates in (
        ("Point", [W, S]),
        ("MultiPoint", GOOD),
        ("LineString", GOOD),
        ("MultiLineString", [GOOD]),
    ):
        yield f"{kind} for a grid", geometry(kind, coordinates), REFUSED
    yield (
        "empty collection",
        dump(collection(feature({"type": "GeometryCollection", "geometries": []}))),
        REFUSED,
    )
    nested: dict[str, Any] = polygon(GOOD)
    for _ in range(50):
        nested = {"type": "GeometryCollection", "geometries": [nested]}
    yield "collections in collections", dump(collection(feature(nested))), REFUSED
    yield (
        "a polygon and a point collected",
        dump(
            collection(
                feature(
                    {
                        "type": "GeometryCollection",
                        "geometries": [polygon(GOOD), {"type": "Point", "coordinates": [W, S]}],
                    }
                )
            )
        ),
        EITHER,
    )
    yield (
        "across the date line",
        shape([[179.9, S], [-179.9, S], [-179.9, S + D], [179.9, S + D], [179.9, S]]),
        EITHER,
    )
    yield "over the pole", shape([[0, 89], [90, 89], [180, 90], [0, 91], [0, 89]]), REFUSED
    yield "longitude and latitude swapped", shape([[y, x] for x, y in GOOD]), REFUSED
    yield (
        "the whole world",
        shape([[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]),
        EITHER,
    )
    yield "at nowhere", shape([[0, 0]] * 4), REFUSED
    yield (
        "metres in degrees",
        shape(
            [[500_000 + 100 * x, 3_600_000 + 100 * y] for x, y in ((0, 0), (1, 0), (1, 1), (0, 0))]
        ),
        REFUSED,
    )
    yield (
        "narrower than a millimetre",
        shape([[W, S], [W + 1e-10, S], [W + 1e-10, S + 1e-10], [W, S]]),
        EITHER,
    )
    yield (
        "a grid within a grid",
        dump(collection(feature(polygon(GOOD)), feature(polygon(inner()), code="B"))),
        REFUSED,
    )
    yield (
        "twice the same grid",
        dump(collection(feature(polygon(GOOD)), feature(polygon(GOOD), code="B"))),
        REFUSED,
    )
    yield (
        "twice the same code",
        dump(collection(feature(polygon(GOOD)), feature(polygon(inner())))),
        REFUSED,
    )
    yield "one ring of a million corners", large_ring, REFUSED
    yield "a star of ten thousand crossings", star, EITHER


def shape(ring: Any) -> bytes:
    return dump(collection(feature(polygon(ring))))


def geometry(kind: Any, coordinates: Any) -> bytes:
    return dump(collection(feature({"type": kind, "coordinates": coordinates})))


def inner() -> list[list[float]]:
    return [[W + D / 4 + (x - W) / 4, S + D / 4 + (y - S) / 4] for x, y in GOOD]


def large_ring() -> bytes:
    turns = np.linspace(0, 2 * np.pi, 1_000_000)
    ring = np.round(np.column_stack([W + D * np.cos(turns), S + D * np.sin(turns)]), 9).tolist()
    ring[-1] = ring[0]
    return shape(ring)


def star() -> bytes:
    corners = 401
    ring = [
        [
            W + D * math.cos(n * 200 * math.tau / corners),
            S + D * math.sin(n * 200 * math.tau / corners),
        ]
        for n in range(corners)
    ]
    return shape([*ring, ring[0]])


def numbers() -> Iterator[Item]:
    for wrong in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e308", "9" * 400):
        yield (
            f"a coordinate of {wrong[:12]}",
            around(
                f'{{"type":"Polygon","coordinates":[[[{wrong},32],[120,33],[121,33],[{wrong},32]]]}}'
            ),
            REFUSED,
        )
    for wrong in (
        "01",
        "+1",
        ".5",
        "5.",
        "0x10",
        "1_0",
        "１２０",
        "1e",
        "--1",
        "nan",
        "True",
        "undefined",
    ):
        yield (
            f"a number written {wrong}",
            around(
                f'{{"type":"Polygon","coordinates":[[[{wrong},32],[120,33],[121,33],[120,32]]]}}'
            ),
            REFUSED,
        )
    for code in (
        "3210120010010010011",
        "1e19",
        "3.2101200100100100e18",
        "NaN",
        "1e400",
        "-0",
        "1.5",
        "true",
        "null",
        '""',
        '"   "',
        "[]",
        "{}",
        '"\\u0000"',
        '"\\u202e1A"',
        '"A\\nB"',
    ):
        yield f"a code of {code}", TEXT.replace(b'"A1"', code.encode()), EITHER
    yield (
        "a coordinate of ten thousand digits",
        around(
            '{"type":"Polygon","coordinates":[[[120.'
            + "1" * 10_000
            + ",32],[120,33],[121,33],[120,32]]]}"
        ),
        EITHER,
    )


def properties() -> Iterator[Item]:
    yield (
        "ten thousand properties",
        dump(collection(feature(polygon(GOOD), **{f"p{n}": n for n in range(10_000)}))),
        EITHER,
    )
    yield (
        "a property of a megabyte",
        dump(collection(feature(polygon(GOOD), note="x" * 1_000_000))),
        EITHER,
    )
    yield (
        "a property name of a megabyte",
        dump(collection(feature(polygon(GOOD), **{"x" * 1_000_000: 1}))),
        EITHER,
    )
    yield (
        "a nameless property",
        dump(collection(feature(polygon(GOOD), **{"": "x", " ": "y"}))),
        READ,
    )
    yield "a property named geometry", dump(collection(feature(polygon(GOOD), geometry="x"))), READ
    yield (
        "columns of Getu's own",
        dump(collection(feature(polygon(GOOD), uid=1, rule="manual", system="x"))),
        EITHER,
    )
    for number, payload in enumerate(MARKUP):
        yield (
            f"markup {number} in a name",
            dump(collection(feature(polygon(GOOD), name=payload, body=payload))),
            READ,
        )


def systems() -> Iterator[Item]:
    def with_crs(crs: Any) -> bytes:
        return dump(collection(feature(polygon(GOOD)), crs=crs))

    def called(name: Any) -> bytes:
        return with_crs({"type": "name", "properties": {"name": name}})

    yield (
        "a linked system",
        with_crs({"type": "link", "properties": {"href": beacon()}}),
        REFUSED,
    )
    yield "a system from a file", called("file:///etc/passwd"), REFUSED
    yield "a system from the network", called(beacon()), REFUSED
    yield "a system of another body", called("ESRI:0"), REFUSED
    yield "a system of 10 MB", lambda: called("X" * 10_000_000), REFUSED
    yield (
        "a pipeline for a system",
        called("+proj=pipeline +step +proj=axisswap +order=2,1"),
        REFUSED,
    )
    yield (
        "a grid shift file for a system",
        called("+proj=longlat +nadgrids=/etc/passwd +no_defs"),
        REFUSED,
    )
    yield "a system without a name", called(""), REFUSED
    yield "a system that is a number", called(4326), REFUSED
    yield "a system that is a text", with_crs("EPSG:4326"), REFUSED
    yield "CRS84", called("urn:ogc:def:crs:OGC:1.3:CRS84"), READ
    yield "the system null", with_crs(None), READ
    yield "metres that are degrees", called("EPSG:4549"), REFUSED


def topologies() -> Iterator[Item]:
    def topology(**changes: Any) -> bytes:
        tree: dict[str, Any] = {
            "type": "Topology",
            "arcs": [GOOD],
            "objects": {"a": {"type": "Polygon", "arcs": [[0]], "properties": {"code": "A1"}}},
        }
        return dump({**tree, **changes})

    def member(**changes: Any) -> bytes:
        return topology(
            objects={
                "a": {"type": "Polygon", "arcs": [[0]], "properties": {"code": "A1"}, **changes}
            }
        )

    yield "topology", topology(), READ
    yield "topology without arcs", topology(arcs=None), REFUSED
    yield "topology with no arc", topology(arcs=[]), REFUSED
    yield "topology of two layers", topology(objects={"a": {}, "b": {}}), REFUSED
    yield "topology of no layer", topology(objects={}), REFUSED
    yield "topology with a list of layers", topology(objects=[1]), REFUSED
    yield "topology with an arc too far", member(arcs=[[7]]), REFUSED
    yield "topology with an arc before the first", member(arcs=[[-9]]), REFUSED
    yield "topology with arcs of texts", member(arcs=[["0"]]), REFUSED
    yield "topology with arcs too deep", member(arcs=[[[[0]]]]), REFUSED
    yield "topology with endless arcs", member(arcs=[[0] * 1_000]), EITHER
    yield (
        "topology with a huge scale",
        topology(transform={"scale": [1e308, 1e308], "translate": [0, 0]}),
        REFUSED,
    )
    yield (
        "topology with a scale of nothing",
        topology(transform={"scale": [0, 0], "translate": [W, S]}),
        REFUSED,
    )
    yield "topology with half a transform", topology(transform={"scale": [1, 1]}), REFUSED
    yield "topology with properties of a list", member(properties=[1]), REFUSED
    yield "topology of an unknown kind", member(type="Sphere"), REFUSED
    yield "topology whose kind is a list", member(type=["Polygon"]), REFUSED
    yield "topology arcs of a million empties", lambda: topology(arcs=[[]] * 300_000), REFUSED
    yield (
        "topology one arc ten thousand times in ten thousand rings",
        lambda: topology(
            arcs=[GOOD * 200],
            objects={
                "a": {
                    "type": "MultiPolygon",
                    "arcs": [[[0] * 1_000]] * 1_000,
                    "properties": {"code": "A1"},
                }
            },
        ),
        REFUSED,
    )
