"""Who covers a point is what real arithmetic says, for any drawing and any double."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.contest import print_row
from bench.exactness import RESOLUTIONS, run_exactness
from bench.hard_places import awkward_drawings, geos_covering, hard_points, rough_lattice
from geodata.ownership import RULES, OwnerIndex
from geodata.ownership.raster_search import turn_exactly
from tests.geodata.ownership_cases import drawings, lattices, points_at
from tests.geodata.ownership_oracle import Oracle

CELLS = st.sampled_from([None, 8, 16, 64])


@hypothesis_settings(max_examples=150)
@given(st.data())
def test_the_owner_is_the_first_grid_that_covers_the_point(data):
    polygons = data.draw(drawings())
    points = data.draw(points_at(polygons))
    astray = data.draw(st.sampled_from([0, 10**4, 10**7, -(10**9)]))
    if astray:  # all other grids now lie in a few cells, which are divided
        polygons.insert(len(polygons) // 2, shapely.box(astray, astray, astray + 9, astray + 9))
    special = data.draw(st.lists(st.booleans(), min_size=len(polygons), max_size=len(polygons)))
    index = OwnerIndex(polygons, special=special, cells=data.draw(CELLS))
    oracle = Oracle(polygons, special)
    expected = [oracle.find(x, y) for x, y in points]
    assert index.find(points[:, 0], points[:, 1]).tolist() == expected
    assert [index.find_one(x, y) for x, y in points] == expected


@hypothesis_settings(max_examples=80)
@given(st.data())
def test_corners_a_hair_beside_the_lines_of_the_raster_change_nothing(data):
    """Cells of 1e7 units: their safety margin is 10 units, so whole numbers lie within it."""
    cell, cells = 10**7, 8
    beside = st.tuples(st.integers(1, cells - 1), st.integers(-45, 45))
    number = st.one_of(beside.map(lambda p: cell * p[0] + p[1]), st.integers(cell, 7 * cell))
    corners = st.lists(st.tuples(number, number), min_size=3, max_size=6, unique=True)
    polygons = [shapely.Polygon(ring) for ring in data.draw(st.lists(corners, max_size=3))]
    whole = cell * cells
    polygons += [shapely.box(0, 0, 1, 1), shapely.box(whole - 1, whole - 1, whole, whole)]
    points = np.array(
        data.draw(st.lists(st.tuples(number, number), min_size=30, max_size=30)), float
    )
    index = OwnerIndex(polygons, cells=cells)
    oracle = Oracle(polygons)
    expected = [oracle.find(x, y) for x, y in points]
    assert index.find(points[:, 0], points[:, 1]).tolist() == expected


@hypothesis_settings(max_examples=25)
@given(st.data())
def test_corners_on_the_lines_of_the_raster_change_nothing(data):
    """Lines of cells that doubles cannot name, and points a rounding beside them."""
    cells, step = 8, data.draw(st.sampled_from([3, 7, 11, 49, 10**6 + 3]))
    on_line = st.integers(0, cells).map(lambda line: line * step)
    corners = st.lists(st.tuples(on_line, on_line), min_size=3, max_size=5, unique=True)
    polygons = [shapely.Polygon(ring) for ring in data.draw(st.lists(corners, max_size=4))]
    polygons.append(shapely.Polygon([(0, 0), (cells * step, cells * step), (0, 1)]))
    x, y = (value.ravel() for value in np.meshgrid(*[np.arange(cells + 1.0) * step] * 2))
    to = np.array(data.draw(st.lists(st.sampled_from([-np.inf, np.inf]), min_size=4, max_size=4)))
    x = np.concatenate([x, np.nextafter(x, to[0]), x, np.nextafter(x, to[1])])
    y = np.concatenate([y, y, np.nextafter(y, to[2]), np.nextafter(y, to[3])])
    oracle = Oracle(polygons)
    expected = [oracle.find(*point) for point in zip(x, y, strict=True)]
    assert OwnerIndex(polygons, cells=cells).find(x, y).tolist() == expected


@hypothesis_settings(max_examples=30)
@given(st.data())
def test_points_a_rounding_beside_long_edges_are_on_their_side(data):
    """So near that the rounded product cannot tell the side; at corners and along the edges."""
    number = st.integers(-(2**32), 2**32)
    corners = st.lists(st.tuples(number, number), min_size=3, max_size=4, unique=True)
    polygons = [shapely.Polygon(data.draw(corners)) for _ in range(2)]
    ends = shapely.get_coordinates(polygons)
    part = data.draw(st.lists(st.floats(0, 1), min_size=12, max_size=12))
    part = np.array([*part, 1e-9, 1e-12, 0.5, 1 / 3, -1e-9])[:, None, None]
    points = (ends[:-1] + part * (ends[1:] - ends[:-1])).reshape(-1, 2)
    points = np.vstack([points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf)])
    oracle = Oracle(polygons)
    expected = [oracle.own(x, y) for x, y in points]
    index = OwnerIndex(polygons, cells=data.draw(CELLS))
    owned = index.own(points[:, 0], points[:, 1])
    found = zip(owned.owner.tolist(), [RULES[code] for code in owned.rule], strict=True)
    assert list(found) == expected
    assert index.find(points[:, 0], points[:, 1]).tolist() == [owner for owner, _ in expected]


@hypothesis_settings(max_examples=40)
@given(st.data())
def test_in_a_seamless_drawing_only_points_outside_it_are_unowned(data):
    polygons = data.draw(lattices())
    whole = shapely.unary_union(polygons)
    points = data.draw(points_at(polygons, count=40))
    points = points[np.isfinite(points).all(axis=1)]
    owner = OwnerIndex(polygons).find(points[:, 0], points[:, 1])
    inside = shapely.contains_properly(whole, shapely.points(points))
    assert (owner[inside] >= 0).all()


PLACE = st.floats(-(2.0**40), 2.0**40)
CORNER = PLACE.map(lambda value: value if abs(value) > 1e-100 else 0.0)


@hypothesis_settings(max_examples=300)
@given(CORNER, CORNER, CORNER, CORNER, PLACE, PLACE)
def test_the_sign_of_a_turn_is_exact(ax, ay, bx, by, x, y):
    assert turn_exactly(ax, ay, bx, by, x, y) == sign_of_turn(ax, ay, bx, by, x, y)


@hypothesis_settings(max_examples=200)
@given(*[st.integers(-(2**32), 2**32) for _ in range(4)], st.integers(-3, 4), st.data())
def test_the_sign_beside_a_line_is_exact(ax, ay, bx, by, times, data):
    """On the line through two whole points, and the smallest step beside it that there is."""
    x, y = float(ax + times * (bx - ax)), float(ay + times * (by - ay))
    side = data.draw(st.sampled_from([-np.inf, np.inf]))
    for px, py in ((x, y), (float(np.nextafter(x, side)), y), (x, float(np.nextafter(y, side)))):
        found = turn_exactly(float(ax), float(ay), float(bx), float(by), px, py)
        assert found == sign_of_turn(ax, ay, bx, by, px, py)


def sign_of_turn(*numbers):
    ax, ay, bx, by, x, y = map(Fraction, numbers)
    exact = (ax - x) * (by - y) - (ay - y) * (bx - x)
    return (exact > 0) - (exact < 0)


def agree_with_geos(polygons, points, *, cells=None):
    index = OwnerIndex(polygons, cells=cells)
    owner = index.find(points[:, 0], points[:, 1])
    expected, count = geos_covering(polygons, points)
    np.testing.assert_array_equal(owner, expected)
    twice = index.find(points[:, 0], points[:, 1], threads=2)
    np.testing.assert_array_equal(twice, owner)
    owned = index.own(points[:, 0], points[:, 1], near_line_m=0)
    np.testing.assert_array_equal(owned.owner, owner)
    return owner, count


@pytest.mark.parametrize("name", awkward_drawings(2))
def test_hard_points_have_the_owner_that_geos_finds(name):
    polygons = awkward_drawings(12)[name]
    points = hard_points(polygons, 4_000, seed=5)
    _, count = agree_with_geos(polygons, points)
    if name != "one":
        assert (count > 1).sum() > 1_000


@pytest.mark.parametrize("cells", [8, 200, 4096])
def test_two_hundred_thousand_hard_points_at_any_resolution(cells):
    polygons = rough_lattice(25, seed=3)
    points = hard_points(polygons, 22_000, seed=11)
    assert len(points) > 200_000
    owner, count = agree_with_geos(polygons, points, cells=cells)
    np.testing.assert_array_equal(owner >= 0, count > 0)


def test_a_run_over_every_sort_of_hard_place_finds_no_other_owner_than_geos():
    rows = list(run_exactness(points=40_000, side=6))
    assert len(rows) == len(RESOLUTIONS) * len(awkward_drawings(2)) + 1
    assert rows[-1]["n"] == sum(row["n"] for row in rows[:-1]) >= 40_000
    assert all(row["equal"] for row in rows), rows


@pytest.mark.long
def test_eighteen_million_hard_places_have_the_owner_that_geos_finds(capsys):
    *_, total = run_exactness(points=18_000_000)
    with capsys.disabled():
        print(f"\n{print_row(total)}")
    assert total["n"] >= 18_000_000
    assert total["equal"], total["note"]
