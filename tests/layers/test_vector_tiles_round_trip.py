"""What is written into a vector tile is what a reader of the specification finds in it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.layer import Tile
from layers.shape_tile import BUFFER, cut_shapes, to_world
from layers.vector_tile import (
    EXTENT,
    LINE,
    POLYGON,
    Column,
    Shapes,
    encode_layer,
    make_column,
    make_points,
)
from tests.layers.mvt_reader import read_tile

COORDINATE = st.integers(-(2**20), 2**20)
VALUE = st.one_of(
    st.text(max_size=8), st.integers(-(2**62), 2**63), st.booleans(),
    st.floats(allow_nan=False, width=64),
)  # fmt: skip


def shoelace(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))


@given(st.lists(st.tuples(COORDINATE, COORDINATE, st.integers(1, 2**63 - 1)), min_size=1))
def test_points_and_ids_come_back(rows):
    x, y, ids = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    layer = read_tile(encode_layer("dots", make_points(x, y), ids=ids))["dots"]
    assert (layer["version"], layer["extent"]) == (2, EXTENT)
    assert [(*f["parts"][0][0], f["id"]) for f in layer["features"]] == rows
    assert {f["kind"] for f in layer["features"]} == {1}


@given(st.lists(VALUE, min_size=1, max_size=12), st.data())
def test_properties_come_back_with_their_type_and_are_sent_once(values, data):
    codes = data.draw(st.lists(st.integers(-1, len(values) - 1), min_size=1, max_size=30))
    column = Column(codes=np.array(codes, np.int32), values=values)
    zeros = np.zeros(len(codes), np.int32)
    body = encode_layer("any", make_points(zeros, zeros), columns={"a": column, "b": column})
    for code, feature in zip(codes, read_tile(body)["any"]["features"], strict=True):
        expected = {} if code < 0 else {"a": values[code], "b": values[code]}
        assert feature["properties"] == expected
        assert [type(v) for v in feature["properties"].values()] == [
            type(v) for v in expected.values()
        ]


@given(
    st.lists(
        st.lists(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=9), min_size=1,
                 max_size=3),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_lines_of_several_parts_come_back(features):
    parts = [part for feature in features for part in feature]
    shapes = Shapes(
        kind=LINE,
        xy=np.array([point for part in parts for point in part], np.int32),
        starts=np.cumsum([0, *(len(part) for part in parts)]),
        parts=np.cumsum([0, *(len(feature) for feature in features)]),
    )
    found = read_tile(encode_layer("lines", shapes))["lines"]["features"]
    assert [feature["parts"] for feature in found] == features


def test_missing_values_are_left_out_and_none_makes_no_layer():
    column = make_column(np.array(["甲", None, "乙"], object))
    three = np.arange(3, dtype=np.int32)
    found = read_tile(encode_layer("x", make_points(three, three), columns={"n": column}))["x"]
    assert [f["properties"] for f in found["features"]] == [{"n": "甲"}, {}, {"n": "乙"}]
    none = np.zeros(0, np.int32)
    assert encode_layer("x", make_points(none, none)) == b""
    assert make_column(np.array([1.5, np.nan])).codes.tolist() == [0, -1]


def random_polygons(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = rng.uniform(0.32, 0.68, (count, 2))
    rings = []
    for middle in middles:
        angle = np.sort(rng.uniform(0, 2 * np.pi, 40))
        reach = rng.uniform(0.05, 0.3, 40)[:, None]
        outer = middle + reach * np.stack([np.cos(angle), np.sin(angle)], 1)
        hole = shapely.Point(middle).buffer(0.02)
        rings.append(shapely.make_valid(shapely.Polygon(outer)).difference(hole))
    return np.array(rings, object)


@pytest.mark.parametrize("z", [0, 1, 3])
def test_polygons_cover_the_same_ground_tile_by_tile(z):
    shapes = random_polygons(4, 12)
    kept = np.zeros(len(shapes))
    side = 1 << z
    for x in range(side):
        for y in range(side):
            cut, origin = cut_shapes(shapes, Tile(z=z, x=x, y=y), kind=POLYGON, step=1)
            body = encode_layer("areas", cut)
            if not body:
                continue
            for place, feature in zip(origin, read_tile(body)["areas"]["features"], strict=True):
                outer, *holes = feature["parts"]
                assert feature["closed"] == len(feature["parts"])
                assert shoelace(outer) > 0
                assert all(shoelace(hole) < 0 for hole in holes)
                low, high = np.min(outer), np.max(outer)
                assert low >= -BUFFER
                assert high <= EXTENT + BUFFER
                area = shapely.make_valid(shapely.Polygon(outer, holes))
                tile = shapely.box(0, 0, EXTENT, EXTENT)
                kept[place] += area.intersection(tile).area / (EXTENT * side) ** 2
    assert kept == pytest.approx(shapely.area(shapes), rel=0.02)


def test_lines_leave_one_tile_where_they_enter_the_next():
    line = np.array([shapely.LineString([(0.1, 0.2), (0.9, 0.7)])], object)
    left, right = (cut_shapes(line, Tile(z=1, x=x, y=0), kind=LINE, step=4)[0].xy for x in (0, 1))
    slope = np.diff(left, axis=0)[0] / np.diff(right, axis=0)[0]
    assert left[-1][0] == EXTENT + BUFFER
    assert right[0][0] == -BUFFER
    assert slope[0] == pytest.approx(slope[1], rel=0.01)


def test_points_closer_than_a_step_and_rings_too_small_are_dropped_but_ends_stay():
    tile = Tile(z=0, x=0, y=0)
    fine = np.stack([np.linspace(0.1, 0.9, 9_000), np.full(9_000, 0.5)], 1)
    cut, _ = cut_shapes(np.array([shapely.LineString(fine)], object), tile, kind=LINE, step=8)
    assert np.abs(np.diff(cut.xy[:, 0])).min() >= 8
    assert cut.xy[[0, -1], 0].tolist() == [round(0.1 * EXTENT), round(0.9 * EXTENT)]
    speck = np.array([shapely.box(0.5, 0.5, 0.5005, 0.5005)], object)
    kept, origin = cut_shapes(speck, tile, kind=POLYGON, step=1, least_area=16.0)
    assert len(kept) == len(origin) == 0


def test_world_positions_are_those_of_the_snapshot():
    from geodata.snapshots.snapshot import tile_position  # noqa: PLC0415 - the other way to the same figure

    lon, lat = np.array([119.56, -70.0, 0.0]), np.array([32.43, -33.0, 0.0])
    points = to_world(shapely.points(lon, lat))
    x, y = tile_position(lon, lat)
    assert shapely.get_x(points) * 2.0**32 == pytest.approx(x.astype(float), abs=1.5)
    assert shapely.get_y(points) * 2.0**32 == pytest.approx(y.astype(float), abs=1.5)
