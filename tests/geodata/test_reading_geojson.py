"""Broken GeoJSON is refused with the feature and the cause; what can be mended is, and is said."""

import gzip
import json
import time

import numpy as np
import pytest
import shapely

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_geometries

SQUARE = [[119.0, 32.0], [119.001, 32.0], [119.001, 32.001], [119.0, 32.001], [119.0, 32.0]]


def feature(shape, **properties):
    return {"type": "Feature", "properties": properties, "geometry": shape}


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def point(x, y):
    return {"type": "Point", "coordinates": [x, y]}


@pytest.fixture
def read(tmp_path):
    def read(content, name="a.geojson", **options):
        path = tmp_path / name
        if isinstance(content, list):
            content = {"type": "FeatureCollection", "features": content}
        if isinstance(content, dict):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_geometries(path, **options)

    return read


def only_fault(error):
    (fault,) = error.value.faults
    assert error.value.sentence("zh")
    assert error.value.sentence("en")
    return fault


def test_a_sound_file_loads_as_it_is(read):
    reading = read([feature(polygon(SQUARE), code="320001", 名称="第一网格")])
    assert (reading.rows, reading.repaired, reading.driver) == (1, 0, "GeoJSON")
    assert (reading.faults, reading.notes, reading.dropped_columns) == ([], [], [])
    assert reading.frame["code"].tolist() == ["320001"]
    assert reading.frame["名称"].tolist() == ["第一网格"]
    assert reading.frame.index.tolist() == [1]
    assert reading.frame.crs.to_epsg() == 4326
    assert shapely.get_coordinates(reading.frame.geometry.array).tolist() == SQUARE


@pytest.mark.parametrize(
    ("geometry", "key"),
    [
        (None, "shape_missing"),
        ([], "shape_not_object"),
        ("POINT (1 1)", "shape_not_object"),
        ({"type": "Circle", "coordinates": [1, 1]}, "shape_unknown_type"),
        ({"type": ["Point"], "coordinates": [1, 1]}, "shape_unknown_type"),
        ({"coordinates": [1, 1]}, "shape_unknown_type"),
        ({"type": "Polygon"}, "shape_empty"),
        ({"type": "Polygon", "coordinates": []}, "shape_empty"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "shape_empty"),
        ({"type": "GeometryCollection", "geometries": []}, "shape_empty"),
        ({"type": "GeometryCollection"}, "shape_not_object"),
        (polygon([]), "shape_too_few"),
        (polygon(SQUARE[:2]), "shape_too_few"),
        (polygon([SQUARE[0], SQUARE[1], SQUARE[0]]), "shape_too_few"),
        (polygon("abc"), "shape_not_positions"),
        (polygon([1, 2, 3, 4]), "shape_not_positions"),
        (polygon([[1], [2], [3], [1]]), "shape_not_positions"),
        (polygon([["1", "2"], ["3", "4"], ["5", "6"], ["1", "2"]]), "shape_not_numbers"),
        (polygon([[True, 2], [3, 4], [5, 6], [True, 2]]), "shape_not_numbers"),
        (polygon([[None, 2], [3, 4], [5, 6], [None, 2]]), "shape_not_numbers"),
        (polygon([[119, 32]] * 4), "shape_degenerate"),
        (polygon([[119, 32], [119.1, 32], [119.2, 32], [119, 32]]), "shape_degenerate"),
        (point(1, "2"), "shape_not_numbers"),
        (point({}, []), "shape_not_numbers"),
        ({"type": "Point", "coordinates": [119.0]}, "shape_not_positions"),
        ({"type": "Point", "coordinates": {"x": 1}}, "shape_not_positions"),
        ({"type": "LineString", "coordinates": [[1, 2]]}, "shape_too_few"),
        ({"type": "LineString", "coordinates": [[1, 2], [1, 2]]}, "shape_degenerate"),
        (point(0, 0), "place_zero"),
        (point(119.0, 95.0), "place_impossible"),
        (point(32.0, 119.0), "place_impossible"),
        (point(10**400, 1), "shape_not_finite"),
    ],
)
def test_a_broken_feature_is_named_and_the_rest_loads(read, geometry, key):
    good = [feature(polygon(SQUARE), code=code) for code in "ab"]
    reading = read([good[0], feature(geometry, code="x"), good[1]])
    (fault,) = reading.faults
    assert (fault.key, fault.row) == (key, 2)
    assert fault.sentence("zh")
    assert fault.sentence("en")
    assert reading.refused == {2}
    assert reading.rows == len(reading.frame) == 3
    assert reading.frame.geometry.isna().tolist() == [False, True, False]
    assert reading.accepted["code"].tolist() == ["a", "b"]
    assert reading.accepted.index.tolist() == [1, 3]


@pytest.mark.parametrize("member", [None, 7, "x", {}, {"type": "feature", "geometry": point(1, 1)}])
def test_what_is_no_feature_is_named(read, member):
    reading = read([member, feature(point(119.0, 32.0), code="b")])
    assert [(fault.key, fault.row) for fault in reading.faults] == [("feature_not_feature", 1)]


def test_properties_that_are_none_are_named(read):
    broken = {"type": "Feature", "properties": [1], "geometry": point(119, 32)}
    reading = read([broken, feature(point(119.0, 32.0)), {**broken, "properties": None}])
    assert [(fault.key, fault.row) for fault in reading.faults] == [("feature_properties", 1)]


def test_an_open_ring_is_closed_where_the_polygon_is_valid_then(read):
    reading = read([feature(polygon(SQUARE[:-1]), code="a")])
    (note,) = reading.notes
    assert (note.key, note.row) == ("reading.ring_closed", 1)
    assert note.values["gap_m"] == pytest.approx(111, abs=2)
    assert note.sentence("zh")
    assert reading.repaired == 1
    assert reading.frame.geometry[1].equals(shapely.Polygon(SQUARE))


def test_an_open_ring_that_closing_cannot_mend_is_refused(read):
    hourglass = [[119, 32], [119.001, 32.001], [119.001, 32], [119, 32.001]]
    reading = read([feature(polygon(hourglass)), feature(polygon(SQUARE))])
    assert [(fault.key, fault.row) for fault in reading.faults] == [("shape_open_ring", 1)]


def test_an_invalid_polygon_is_repaired_and_the_change_of_area_said(read):
    hourglass = [[119, 32], [119.001, 32.001], [119.001, 32], [119, 32.001], [119, 32]]
    reading = read([feature(polygon(hourglass), code="a")])
    (note,) = reading.notes
    assert (note.key, note.row, reading.repaired) == ("reading.shape_repaired", 1, 1)
    # Two triangles that cancelled out: half of a cell of about 94 m by 111 m appears.
    assert note.values["area_change_m2"] == pytest.approx(94.5 * 110.9 / 2, rel=0.01)
    repaired = reading.frame.geometry[1]
    assert repaired.is_valid
    assert repaired.geom_type == "MultiPolygon"


def test_a_hole_outside_its_shell_becomes_a_part(read):
    away = [[x + 0.01, y] for x, y in SQUARE[::-1]]
    reading = read([feature(polygon(SQUARE, away), code="a")])
    assert reading.repaired == 1
    assert len(reading.frame.geometry[1].geoms) == 2


def test_all_degenerate_polygons_are_a_bad_file_with_every_cause(read):
    with pytest.raises(BadFile) as error:
        read([feature(polygon([[119, 32]] * 4)) for _ in range(3)])
    assert [(f.key, f.row) for f in error.value.faults] == [
        ("shape_degenerate", row) for row in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (feature(point(119, 32), code="a"), 1),
        (point(119, 32), 1),
        (polygon(SQUARE), 1),
        ({"type": "GeometryCollection", "geometries": [point(119, 32), polygon(SQUARE)]}, 2),
    ],
)
def test_a_feature_a_geometry_and_a_collection_are_understood(read, content, rows):
    assert read(content).rows == rows


def test_a_mixed_feature_keeps_its_polygons(read):
    mixed = {"type": "GeometryCollection", "geometries": [point(119, 32), polygon(SQUARE)]}
    reading = read([feature(mixed, code="a"), feature(polygon(SQUARE), code="b")])
    assert [note.key for note in reading.notes] == ["reading.collection_flattened"]
    assert reading.frame.geometry[1].geom_type == "Polygon"


def test_collections_nested_without_end_are_refused(read):
    deep = polygon(SQUARE)
    for _ in range(30):
        deep = {"type": "GeometryCollection", "geometries": [deep]}
    reading = read([feature(deep), feature(polygon(SQUARE))])
    assert [fault.key for fault in reading.faults] == ["shape_not_object"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf  \n", "file_empty"),
        (b"{", "json_broken"),
        (b'{"type": "FeatureCollection", "features": [', "json_broken"),
        (b"[" * 5000, "json_broken"),
        (b"{}", "json_not_geojson"),
        (b"[1, 2]", "json_not_geojson"),
        (b'{"type": "FeatureCollection"}', "json_not_geojson"),
        (b'{"type": "FeatureCollection", "features": {}}', "json_not_geojson"),
        (b'{"type": "FeatureCollection", "features": []}', "file_no_rows"),
        (b'{"type": "Topology"}', "json_not_geojson"),
        (b'{"type": "gdal_streamed_alg", "command_line": "gdal vector"}', "json_not_geojson"),
        (b'{"UTF8Encoding": true, "features": []}', "json_echarts"),
        (b'{"name": "caf\xe9 cr\xe8me"}', "encoding_unclear"),
        (b"<OGRVRTDataSource></OGRVRTDataSource>", "format_xml"),
        (b'<?xml version="1.0"?><kml/>', "format_xml"),
        (b"code,name\n1,2\n", "format_table"),
        (b"\x89PNG\r\n\x1a\n\0\0", "format_picture"),
        (b"[" + b"[]," * 2_000_000 + b"1]", "format_hostile"),
    ],
)
def test_what_is_no_geojson_is_a_bad_file(read, content, key):
    with pytest.raises(BadFile) as error:
        read(content)
    assert only_fault(error).key == key
    assert error.value.file == "a.geojson"


def test_broken_json_says_where(read):
    with pytest.raises(BadFile) as error:
        read('{"type": "FeatureCollection",\n"features": [}')
    assert only_fault(error).values == {"line": 2, "column": 14}


def test_nan_written_by_python_breaks_only_its_feature(read):
    reading = read([feature(point(119.0, float("nan"))), feature(point(119.0, 32.0))])
    assert [(fault.key, fault.row) for fault in reading.faults] == [("shape_not_finite", 1)]


def test_chinese_text_in_gbk_is_read_and_said(read):
    content = json.dumps([feature(point(119, 32), 名称="新都路社区")], ensure_ascii=False)
    content = f'{{"type": "FeatureCollection", "features": {content}}}'.encode("gbk")
    reading = read(content)
    assert reading.encoding == "gb18030"
    assert reading.frame["名称"].tolist() == ["新都路社区"]


def test_a_byte_order_mark_does_not_disturb(read):
    text = json.dumps(feature(point(119, 32), 名称="新都路"), ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16"):
        assert read(text.encode(encoding)).frame["名称"].tolist() == ["新都路"]


def test_property_values_become_exact_text(read):
    values = {
        "whole": 320102,
        "float": 180.0,
        "real": 0.1,
        "flag": True,
        "none": None,
        "text": " 0012 ",
        "fifteen": 321012001001001,
    }
    reading = read([feature(point(119, 32), **values), feature(point(119, 32))])
    row = reading.frame.drop(columns="geometry").loc[1].to_dict()
    assert row == {
        "whole": "320102",
        "float": "180",
        "real": "0.1",
        "flag": "true",
        "none": "",
        "text": "0012",
        "fifteen": "321012001001001",
    }
    assert (reading.frame.drop(columns="geometry").loc[2] == "").all()


@pytest.mark.parametrize(
    "number", [3210120010010010012, -3210120010010010012, 1e19, 32101200100100100123]
)
def test_numbers_of_more_than_fifteen_digits_are_refused_by_name(read, number):
    reading = read([feature(point(119, 32), code=number), feature(point(119, 32), code="1")])
    (fault,) = reading.faults
    assert (fault.key, fault.row, fault.field) == ("number_too_long", 1, "code")
    assert reading.accepted["code"].tolist() == ["1"]


def test_nested_properties_are_left_out_with_a_note(read):
    reading = read([feature(point(119, 32), code="a", cp=[1, 2], style={"fill": "red"})])
    assert list(reading.frame.columns) == ["code", "geometry"]
    assert [(note.key, note.field) for note in reading.notes] == [
        ("reading.column_nested", "cp"),
        ("reading.column_nested", "style"),
    ]


def test_the_id_of_a_feature_becomes_a_column(read):
    reading = read([{**feature(point(119, 32), name="玄武区"), "id": "320102"}])
    assert reading.frame["id"].tolist() == ["320102"]
    reading = read([{**feature(point(119, 32), id="7"), "id": 320102}])
    assert reading.frame[["feature_id", "id"]].to_numpy().tolist() == [["320102", "7"]]


def test_a_property_called_geometry_keeps_its_value(read):
    reading = read([feature(point(119, 32), geometry="triangle")])
    assert reading.frame["geometry_2"].tolist() == ["triangle"]
    assert reading.frame.geometry[1].geom_type == "Point"


def with_crs(name, *features, kind="name"):
    crs = {"type": kind, "properties": {"name": name}}
    return {"type": "FeatureCollection", "crs": crs, "features": list(features)}


def test_a_declared_crs_is_believed_and_three_dimensions_cut_to_two(read):
    metres = feature(point(452959.0, 3586318.0), code="a")
    reading = read(with_crs("urn:ogc:def:crs:EPSG::4549", metres))
    assert (reading.crs.label, reading.frame.crs.to_epsg()) == ("EPSG:4549", 4549)
    flat = feature({"type": "Point", "coordinates": [73.9, 18.5, 0.0]})
    reading = read(with_crs("urn:ogc:def:crs:EPSG::4979", flat))
    assert reading.crs.label == "EPSG:4326"
    assert not reading.frame.geometry[1].has_z


def test_a_crs_given_by_a_person_overrules_and_is_said(read):
    here = feature(point(119.5, 32.4))
    reading = read(with_crs("urn:ogc:def:crs:OGC:1.3:CRS84", here), crs="GCJ-02")
    assert (reading.crs.kind, reading.frame.crs) == ("gcj02", None)
    assert [note.key for note in reading.notes] == ["reading.crs_overruled"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (with_crs("urn:ogc:def:crs:EPSG::4610", feature(point(119, 32))), "crs_needs_parameters"),
        (with_crs("http://evil.example/crs", feature(point(119, 32))), "crs_unknown"),
        (with_crs("x", feature(point(119, 32)), kind="link"), "json_crs_unreadable"),
        ([feature(point(452959.0, 3586318.0))], "crs_missing"),
        (with_crs("EPSG:4490", feature(point(452959.0, 3586318.0))), "crs_misfit"),
        (
            [*(feature(point(32.0 + i / 10, 119.0)) for i in range(4)), feature(point(119, 32))],
            "shapes_swapped",
        ),
        (
            with_crs("EPSG:4549", *[feature(point(40452959.0 + i, 3586318.0)) for i in range(6)]),
            "crs_misfit",
        ),
    ],
)
def test_no_usable_coordinate_system_is_a_bad_file(read, content, key):
    with pytest.raises(BadFile) as error:
        read(content)
    assert only_fault(error).key == key


def test_metres_without_a_system_name_what_they_look_like(read):
    with pytest.raises(BadFile) as error:
        read([feature(point(40452959.0 + i, 3586318.0)) for i in range(6)])
    assert only_fault(error).values == {"hint": "EPSG:4528"}


def test_a_wrong_crs_argument_is_a_wrong_setting(read):
    with pytest.raises(BadSetting) as error:
        read([feature(point(119, 32))], crs="EPSG:4610")
    assert only_fault(error).key == "crs_needs_parameters"


def test_another_extension_is_said_and_the_content_decides(read):
    reading = read([feature(point(119, 32))], name="a.shp")
    assert [note.key for note in reading.notes] == ["reading.extension_differs"]
    assert reading.notes[0].sentence("zh")


def test_topojson_is_unrolled(read):
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.001, 0.001], "translate": [119, 32]},
        "arcs": [[[0, 0], [1, 0], [0, 1]], [[1, 1], [-1, 0], [0, -1]]],
        "objects": {
            "grids": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, 1]], "properties": {"code": "a"}},
                    {"type": "Polygon", "arcs": [[~1, ~0]], "properties": {"code": "b"}},
                    {"type": "Polygon", "arcs": [[0, 9]], "properties": {"code": "c"}},
                    {"type": "Point", "coordinates": [5, 5], "id": 7},
                    {"type": None},
                ],
            }
        },
    }
    reading = read(topology)
    assert reading.driver == "TopoJSON"
    assert [(f.key, f.row) for f in reading.faults] == [
        ("shape_not_positions", 3),
        ("shape_missing", 5),
    ]
    assert reading.frame.geometry[1].equals(shapely.Polygon(SQUARE))
    assert reading.frame.geometry[2].equals(shapely.Polygon(SQUARE))
    assert shapely.get_coordinates(reading.frame.geometry[4]) == pytest.approx(
        np.array([[119.005, 32.005]])
    )
    with pytest.raises(BadSetting) as error:
        read(topology, layer="towns")
    assert only_fault(error).key == "layer_none"


def test_topojson_of_one_shape_and_of_broken_arcs(read):
    plain = {"type": "Topology", "arcs": [SQUARE], "objects": {"g": {"type": "Polygon"}}}
    plain["objects"]["g"]["arcs"] = [[0]]
    assert read(plain).frame.geometry[1].equals(shapely.Polygon(SQUARE))
    many = {"type": "MultiPoint", "coordinates": [[119, 32], [119.1, 32.1]]}
    several = {"type": "GeometryCollection", "geometries": [many, 7, {"type": "Circle"}]}
    reading = read({**plain, "objects": {"g": several}})
    assert [(f.key, f.row) for f in reading.faults] == [
        ("feature_not_feature", 2),
        ("shape_unknown_type", 3),
    ]
    for arcs in (None, [[1, 2]], [[["a", 1]]]):
        with pytest.raises(BadFile) as error:
            read({**plain, "arcs": arcs})
        assert only_fault(error).key == "json_not_geojson"


def test_packed_geojson_is_read(read):
    text = json.dumps(feature(point(119, 32), code="a"))
    assert read(gzip.compress(text.encode()), name="a.geojson.gz").rows == 1


def test_a_layer_of_a_file_without_layers_is_a_wrong_setting(read):
    with pytest.raises(BadSetting) as error:
        read([feature(point(119, 32))], layer="grids")
    assert only_fault(error).key == "layer_single"


def test_100_000_points_are_read_in_seconds(read):
    members = ",".join(
        f'{{"type":"Feature","properties":{{"id":"JD{i}","kind":{i % 97}}},'
        f'"geometry":{{"type":"Point","coordinates":[{119 + i * 1e-6},32.4]}}}}'
        for i in range(100_000)
    )
    content = f'{{"type":"FeatureCollection","features":[{members}]}}'.encode()
    start = time.process_time()
    assert len(read(content).accepted) == 100_000
    assert time.process_time() - start < 8
