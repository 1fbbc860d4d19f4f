"""GeoJSON answers are small, exact, plain and carry an honest ETag."""

from __future__ import annotations

import gzip

import brotli
import geopandas as gpd
import numpy as np
import orjson
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.encode import compress, encode_features, join_features, make_etag
from layers.grid_edges import AREAS
from layers.grid_risk import GRIDS, read_risk


def frame(**columns):
    count = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(119.5, 32.4)] * count, crs=4326)


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_arrives_as_it_is_and_never_as_markup(names):
    body = join_features(encode_features(frame(name=names), fields=("name",)))
    assert b"<" not in body
    assert b">" not in body
    assert [f["properties"]["name"] for f in orjson.loads(body)["features"]] == names


def test_only_known_plain_values_of_declared_columns_are_sent():
    rows = frame(
        name=["甲", None], count=[1.5, np.nan], far=[np.inf, 2.0], odd=[{"a": 1}, object()],
        number=np.array([7, 8]), secret=["x", "y"],
    )  # fmt: skip
    fields = ("name", "count", "far", "odd", "number", "absent")
    features = [orjson.loads(part) for part in encode_features(rows, fields=fields)]
    assert [f["properties"] for f in features] == [
        {"name": "甲", "count": 1.5, "number": 7},
        {"far": 2.0, "number": 8},
    ]
    assert [f["id"] for f in features] == [0, 1]


def test_shared_vertices_stay_shared_and_move_less_than_a_hand(picture, facts):
    features = orjson.loads(GRIDS.draw(picture))["features"]
    exact = facts.grids.finest().to_crs(4326).geometry
    for feature, shape in zip(features, exact, strict=True):
        drawn = shapely.geometry.shape(feature["geometry"])
        apart = shapely.hausdorff_distance(drawn.exterior, shape.exterior)
        assert apart <= 0.8e-6
    before = len(
        np.unique(np.concatenate([shapely.get_coordinates(s) for s in exact]).round(9), axis=0)
    )
    after = np.concatenate(
        [np.array(ring) for f in features for ring in f["geometry"]["coordinates"]]
    )
    assert len(np.unique(after, axis=0)) <= before


def test_the_label_point_lies_inside_its_grid(picture):
    for source in (GRIDS, AREAS):
        for feature in orjson.loads(source.draw(picture))["features"]:
            shape = shapely.geometry.shape(feature["geometry"])
            assert shape.contains(shapely.Point(feature["properties"]["lp"]))


def test_the_id_is_the_row_of_the_figures(picture, facts):
    ids = [f["id"] for f in orjson.loads(GRIDS.draw(picture))["features"]]
    assert ids == list(range(len(facts.grids.finest())))
    assert len(read_risk(picture).values) == len(ids)


def test_multi_part_and_holed_grids_are_encoded_whole():
    hole = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    both = shapely.MultiPolygon([hole, shapely.box(6, 6, 7, 7)])
    (part,) = encode_features(gpd.GeoDataFrame({"a": [1]}, geometry=[both], crs=4326), fields=())
    drawn = shapely.geometry.shape(orjson.loads(part)["geometry"])
    assert drawn.equals(both)


def test_a_row_without_a_place_has_no_geometry_and_a_mixture_is_refused():
    nowhere = gpd.GeoDataFrame({"a": [1]}, geometry=[None], crs=4326)
    (part,) = encode_features(nowhere, fields=("a",))
    assert orjson.loads(part)["geometry"] is None
    line = shapely.LineString([(0, 0), (1, 1)])
    (part,) = encode_features(gpd.GeoDataFrame(geometry=[line], crs=4326), fields=())
    assert orjson.loads(part)["geometry"]["coordinates"] == [[0, 0], [1, 1]]
    mixed = gpd.GeoDataFrame(geometry=[shapely.GeometryCollection([line])], crs=4326)
    with pytest.raises(ValueError, match="GeometryCollection"):
        encode_features(mixed, fields=())


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_an_etag_names_exactly_its_bytes(first, second):
    assert (make_etag(first) == make_etag(second)) == (first == second)
    assert make_etag(first).startswith('"')
    assert make_etag(first, "gzip") != make_etag(first)


@given(st.binary(max_size=2_000))
def test_compression_is_repeatable_and_reads_back(body):
    assert gzip.decompress(compress(body, "gzip")) == body
    assert brotli.decompress(compress(body, "br")) == body
    assert compress(body, "gzip") == compress(body, "gzip")
