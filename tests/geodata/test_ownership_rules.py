"""Every point gets one owner or none, one rule, its distance and its near-line flag."""

from __future__ import annotations

import math
from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.hard_places import hard_points, rough_lattice
from geodata.errors import BadGrid
from geodata.ownership import RULES, OwnerIndex, own_points, raster_search, to_millimetres
from geodata.ownership.line_tree import settle_nearest
from tests.geodata.ownership_cases import drawings, points_at
from tests.geodata.ownership_oracle import Oracle

CRS = "EPSG:4549"
METRE = 1000.0


def box_m(west, south, east, north):
    return shapely.box(west * METRE, south * METRE, east * METRE, north * METRE)


def rules_of(owned):
    return [RULES[code] for code in owned.rule]


def own(polygons, *points, special=None, **limits):
    x, y = (np.array(values, float) * METRE for values in zip(*points, strict=True))
    owned = OwnerIndex(polygons, special=special).own(x, y, **limits)
    return list(zip(owned.owner.tolist(), rules_of(owned), strict=True))


def test_the_rules_have_the_codes_that_the_kernels_write():
    for name in RULES:
        assert RULES[getattr(raster_search, name.upper())] == name


@hypothesis_settings(max_examples=150)
@given(st.data())
def test_owner_and_rule_are_those_of_the_definition(data):
    polygons = data.draw(drawings())
    special = data.draw(st.lists(st.booleans(), min_size=len(polygons), max_size=len(polygons)))
    points = data.draw(points_at(polygons))
    near_m = data.draw(st.sampled_from([0.0, 0.005, 0.02, 1.0]))
    index = OwnerIndex(polygons, special=special, cells=data.draw(st.sampled_from([None, 8, 64])))
    owned = index.own(points[:, 0], points[:, 1], near_m=near_m)
    found = list(zip(owned.owner.tolist(), rules_of(owned), strict=True))
    oracle = Oracle(polygons, special)
    assert found == [oracle.own(x, y, near_m) for x, y in points]


def test_a_shared_edge_and_corner_go_to_the_first_grid():
    four = [box_m(0, 0, 10, 10), box_m(10, 0, 20, 10), box_m(0, 10, 10, 20), box_m(10, 10, 20, 20)]
    found = own(four, (10, 5), (10, 10), (15, 10), (0, 5), (20, 20), (5, 5))
    assert found == [
        (0, "edge"), (0, "edge"), (1, "edge"), (0, "inside"), (3, "inside"), (0, "inside"),
    ]  # fmt: skip


def test_two_grids_on_the_same_land_are_an_overlap_until_their_common_edge():
    found = own([box_m(0, 0, 10, 10), box_m(5, 0, 15, 10)], (7, 5), (5, 5), (7, 0), (12, 5))
    assert found == [(0, "overlap"), (0, "overlap"), (0, "edge"), (1, "inside")]


def test_a_special_grid_goes_before_the_general_one_around_it():
    city = [box_m(0, 0, 100, 100), box_m(20, 20, 40, 40), box_m(40, 20, 60, 40)]
    special = [False, True, True]
    found = own(city, (30, 30), (20, 30), (40, 30), (70, 70), special=special)
    assert found == [(1, "special"), (1, "special"), (1, "special"), (0, "inside")]
    alone = own(city[1:], (40, 30), (30, 30), special=[True, True])
    assert alone == [(0, "edge"), (0, "inside")]


def test_a_point_in_a_gap_goes_to_the_nearest_grid_within_the_limit():
    two = [box_m(0, 0, 10, 10), box_m(14, 0, 24, 10)]
    assert own(two, (13, 5), (11, 5), near_m=2) == [(1, "near"), (0, "near")]
    assert own(two, (12, 5), near_m=2) == [(0, "near")]  # equally near: the first
    assert own(two, (12, 5), near_m=1.999) == [(-1, "none")]
    assert own(two, (12, 5)) == [(-1, "none")]


def test_a_point_exactly_at_the_limit_is_near_even_across_a_slanting_edge():
    slanting = shapely.Polygon([(0, 0), (40_000, 30_000), (0, 30_000)])
    index = OwnerIndex([slanting])
    for along in range(1, 200):
        # 3-4-5: whole millimetres, exactly 5 m off the edge
        x, y = 4.0 * along * 40 + 3_000, 3.0 * along * 40 - 4_000
        assert RULES[index.own([x], [y], near_m=5).rule[0]] == "near"
        assert RULES[index.own([x + 0.001], [y], near_m=5).rule[0]] == "none"


@hypothesis_settings(max_examples=60)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(-5000, 5000), st.booleans())
def test_a_tie_between_two_slanting_edges_goes_to_the_first_grid(dx, dy, along, swap):
    """Both edges are mirror images about the origin, so a point of the axis is equally near."""
    one = shapely.Polygon([(dx, dy), (dx + 3000, dy + 1000), (dx + 2000, dy + 5000)])
    two = shapely.Polygon([(-dx, -dy), (-dx - 3000, -dy - 1000), (-dx - 2000, -dy - 5000)])
    polygons = [two, one] if swap else [one, two]
    points = [(0.0, 0.0), (along / 7, 0.0), (0.0, along / 3)]
    oracle = Oracle(polygons)
    owned = OwnerIndex(polygons).own(*zip(*points, strict=True), near_m=50)
    found = list(zip(owned.owner.tolist(), rules_of(owned), strict=True))
    assert found == [oracle.own(x, y, 50) for x, y in points]


def test_the_exact_answer_lists_as_many_rivals_as_there_are():
    spokes = [
        shapely.Polygon(
            [
                (1000 * math.cos(angle), 1000 * math.sin(angle)),
                (2000 * math.cos(angle - 0.01), 2000 * math.sin(angle - 0.01)),
                (2000 * math.cos(angle + 0.01), 2000 * math.sin(angle + 0.01)),
            ]
        )
        for angle in np.linspace(0, 2 * math.pi, 150, endpoint=False)
    ]
    index = OwnerIndex(spokes)
    owner, within = settle_nearest(0.0, 0.0, distance=1000.0, limit=1001.0, tree=index._tree)
    oracle = Oracle(spokes)
    assert (owner, within) == (oracle.own(0.0, 0.0, near_m=1.001)[0], True)


def test_distances_and_flags_are_those_of_geos():
    polygons = rough_lattice(12, seed=8)
    points = hard_points(polygons, 1_500, seed=9)
    rng = np.random.default_rng(1)
    spread = rng.uniform(-0.1, 1.1, (3_000, 2)) * 7_000_000 + [504_000_000, 3_590_000_000]
    points = np.vstack([points, spread])
    owned = OwnerIndex(polygons).own(points[:, 0], points[:, 1], near_m=40, near_line_m=15)
    placed = np.isfinite(points).all(axis=1)
    shapes = shapely.points(np.where(placed[:, None], points, np.nan))
    with np.errstate(over="ignore", invalid="ignore"):
        to_any = shapely.distance(shapes, shapely.multipolygons(polygons.tolist())) / METRE
        to_own = shapely.distance(shapes, shapely.boundary(polygons)[owned.owner]) / METRE
    owned_ones = owned.owner >= 0
    clear = owned_ones & (np.abs(to_own - 15) > 15e-9)
    np.testing.assert_array_equal(owned.near_line[clear], (to_own <= 15)[clear])
    assert owned.near_line[clear].any()
    assert not owned.near_line[clear].all()
    assert not owned.near_line[~owned_ones].any()
    known = np.isfinite(owned.distance_m)
    np.testing.assert_allclose(
        owned.distance_m[known], to_any[known].astype(np.float32), rtol=3e-7, atol=1e-9
    )
    covered = np.isin(owned.rule, [RULES.index("inside"), RULES.index("edge")])
    assert (owned.distance_m[covered] == 0).all()
    assert (to_any[placed & ~known] > 99_000).all()


def test_the_near_line_flag_turns_where_the_distance_does():
    """The flag compares doubles; it may be off by no more than one part in 1e9."""
    polygons = rough_lattice(6, seed=2)
    index = OwnerIndex(polygons)
    rng = np.random.default_rng(4)
    points = rng.uniform(0, 1, (2_000, 2)) * 7_000_000 + [504_000_000, 3_590_000_000]
    owner = index.find(points[:, 0], points[:, 1])
    points, owner = points[owner >= 0][:300], owner[owner >= 0][:300]
    exact = shapely.distance(shapely.points(points), shapely.boundary(polygons[owner])) / METRE
    for (x, y), distance in zip(points, exact, strict=True):
        assert index.own([x], [y], near_line_m=distance * (1 + 1e-9)).near_line[0]
        assert not index.own([x], [y], near_line_m=distance * (1 - 1e-9)).near_line[0]


def test_every_point_is_counted_once():
    polygons = rough_lattice(10, seed=5)[:70]
    points = hard_points(polygons, 2_000, seed=6)
    owned = OwnerIndex(polygons).own(points[:, 0], points[:, 1], near_m=100)
    counts = np.bincount(owned.owner + 1, minlength=len(polygons) + 1)
    assert counts.sum() == len(points)
    by_rule = np.bincount(owned.rule, minlength=len(RULES))
    assert by_rule.sum() == len(points)
    unowned = by_rule[RULES.index("none")] + by_rule[RULES.index("no_place")]
    assert counts[0] == unowned
    assert (np.isfinite(points).all(axis=1) == (owned.rule != RULES.index("no_place"))).all()


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_do_not_change_the_answer(threads):
    polygons = rough_lattice(10, seed=5)
    points = hard_points(polygons, 30_000, seed=7)
    special = np.arange(len(polygons)) % 7 == 0
    index = OwnerIndex(polygons, special=special)
    x, y = points[:, 0], points[:, 1]
    one, more = (index.own(x, y, near_m=30, threads=n) for n in (1, threads))
    for name in ("owner", "rule", "distance_m", "near_line"):
        np.testing.assert_array_equal(getattr(one, name), getattr(more, name))
    np.testing.assert_array_equal(one.owner[one.rule != 2], index.find(x, y)[one.rule != 2])


# --- frames -------------------------------------------------------------------------------------


def grid_frame(**columns):
    cells = [shapely.box(x, y, x + 10, y + 10) for x in (0, 10, 20) for y in (0, 10)]
    codes = ["g1", "g10", "g2", "g3", "g4", "g5"]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=cells, crs=CRS)


def test_the_order_of_rows_does_not_matter():
    grids = grid_frame(kind=["general", "special", *["general"] * 4])
    x, y = np.meshgrid(np.arange(-2, 33, 2.5), np.arange(-2, 23, 2.5))
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x.ravel(), y.ravel()), crs=CRS)
    expected = own_points(points, grids, near_m=2)
    rng = np.random.default_rng(3)
    for _ in range(4):
        mixed = grids.iloc[rng.permutation(len(grids))]
        some = points.iloc[rng.permutation(len(points))]
        found = own_points(some, mixed, near_m=2)
        pd.testing.assert_frame_equal(
            found.sort_index().drop(columns="owner"), expected.drop(columns="owner")
        )
        codes = mixed["code"].to_numpy()
        owned = found["owner"].to_numpy() >= 0
        assert (codes[found["owner"][owned]] == found["grid_code"][owned]).all()


def test_ties_go_to_the_smaller_uid_else_to_the_smaller_code_as_text():
    points = gpd.GeoSeries.from_xy([10, 10], [5, 10], crs=CRS)
    by_code = own_points(points, grid_frame())
    assert by_code["grid_code"].tolist() == ["g1", "g1"]
    by_uid = own_points(points, grid_frame(uid=[6, 5, 4, 3, 2, 1]))
    assert by_uid["grid_code"].tolist() == ["g2", "g3"]
    assert by_uid["rule"].tolist() == ["edge", "edge"]


def test_what_is_no_point_has_no_place_and_keeps_its_row():
    points = gpd.GeoSeries(
        [None, shapely.Point(), shapely.Point(5, 5), shapely.LineString([(0, 0), (1, 1)])],
        index=list("abcd"),
        crs=CRS,
    )
    found = own_points(points, grid_frame())
    assert found.index.tolist() == list("abcd")
    assert found["rule"].tolist() == ["no_place", "no_place", "inside", "no_place"]
    assert found["owner"].tolist() == [-1, -1, 0, -1]
    assert found["grid_code"].isna().tolist() == [True, True, False, True]


def test_plain_numbers_are_taken_for_metres_of_the_grids():
    found = own_points(([5.0, 99.0], [5.0, 5.0]), grid_frame())
    assert found["grid_code"].tolist()[0] == "g1"
    assert found["rule"].tolist() == ["inside", "none"]
    assert found["distance_m"].tolist() == [0, 69]


def test_a_corner_in_metres_is_that_corner_in_millimetres():
    whole = np.random.default_rng(0).integers(-(2**32), 2**32, 100_000).astype(float)
    assert (to_millimetres(whole / 1000) == whole).all()
    between = whole / 1000 + 0.00025
    assert (to_millimetres(between) != np.rint(between * 1000)).mean() > 0.99


@pytest.mark.parametrize(
    ("points", "grids", "keys"),
    [
        (gpd.GeoSeries.from_xy([1], [1], crs=4326), grid_frame(), ["ownership_crs_differs"]),
        (gpd.GeoSeries.from_xy([1], [1]), grid_frame(), ["ownership_crs_differs"]),
        (([1.0], [1.0]), grid_frame().to_crs(4326), ["grid_crs_not_metric"]),
        (
            ([1.0], [1.0]),
            grid_frame().set_crs(None, allow_override=True).drop(columns="code"),
            ["grid_no_code", "grid_crs_not_metric"],
        ),
    ],
)
def test_frames_that_do_not_fit_are_refused_with_all_their_faults(points, grids, keys):
    with pytest.raises(BadGrid) as refused:
        own_points(points, grids)
    assert [fault.key for fault in refused.value.faults] == keys
    for lang in ("zh", "en"):
        assert refused.value.sentence(lang)


@given(st.fractions(0, 1))
@hypothesis_settings(max_examples=5)
def test_the_oracle_itself_knows_a_square(part):
    oracle = Oracle([shapely.box(0, 0, 1, 1)])
    x = float(part)
    assert oracle.own(x, 0.5) == (0, "inside")
    assert oracle.own(x, 1.0000001, near_m=1e-3) == (0, "near")
    assert oracle.own(Fraction(1, 2) + 2, 0.0) == (-1, "none")
