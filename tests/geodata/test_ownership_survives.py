"""Drawings and points that nobody should have made are answered all the same, in bounded memory."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import numpy as np
import pytest
import shapely

from bench.hard_places import geos_covering, hard_points, rough_lattice
from geodata.errors import BadGrid
from geodata.ownership import RULES, OwnerIndex, raster_index
from geodata.ownership import owners as ownership
from geodata.ownership.raster_pack import NEST

KERNELS = Path(ownership.__file__).parent
NOTHING = [
    [],
    [None],
    [shapely.Polygon()],
    [shapely.MultiPolygon(), None],
    [shapely.Polygon([(0, 0), (1, 1), (2, 2)])],
    [shapely.Polygon([(3, 3), (3, 3), (3, 3)])],
]


@pytest.mark.parametrize("polygons", NOTHING, ids=str)
def test_grids_without_land_own_nothing(polygons):
    index = OwnerIndex(polygons)
    assert index.find([0.0, 1.0, 3.0], [0.0, 1.0, 3.0]).tolist() == [-1, -1, -1]
    assert index.find_one(1.0, 1.0) == -1
    owned = index.own([1.0, np.nan], [1.0, 1.0], near_m=100)
    assert [RULES[code] for code in owned.rule] == ["none", "no_place"]
    assert np.isnan(owned.distance_m).all()
    assert not owned.near_line.any()
    assert len(OwnerIndex.of_metres(polygons).find([], [])) == 0


def test_grids_without_land_keep_their_rank():
    polygons = [None, shapely.box(0, 0, 10, 10), shapely.Polygon(), shapely.box(10, 0, 20, 10)]
    index = OwnerIndex(polygons, special=[True, False, False, False])
    assert index.find([5, 10, 15, 25], [5, 5, 5, 5]).tolist() == [1, 1, 3, -1]
    assert index.own([25], [5], near_m=1).owner.tolist() == [3]


def test_no_points_no_answer():
    index = OwnerIndex([shapely.box(0, 0, 1, 1)])
    assert index.find([], []).shape == (0,)
    assert index.own([], []).owner.shape == (0,)


@pytest.mark.parametrize(
    "extent",
    [(0, 0, 1, 1), (0, 0, 1e12, 1), (4e9, 4e9, 4e9 + 1, 4e9 + 1), (0, 0, 1e-9, 1e-9)],
)
def test_one_grid_of_any_size_is_found(extent):
    west, south, east, north = extent
    index = OwnerIndex([shapely.box(*extent)])
    inside = index.find([west, east, (west + east) / 2], [south, north, (south + north) / 2])
    assert inside.tolist() == [0, 0, 0]
    outside = index.find(
        [np.nextafter(west, -np.inf), np.nextafter(east, np.inf), west, east],
        [south, north, np.nextafter(south, -np.inf), np.nextafter(north, np.inf)],
    )
    assert outside.tolist() == [-1, -1, -1, -1]


def test_grids_of_a_few_roundings_across_are_still_exact():
    """Far from the origin doubles are coarse; the raster gives way, the answer does not."""
    start = 2.0**40
    ulp = np.spacing(start)
    for size in (2, 9, 60, 900, 20_000):
        low = start + ulp * np.array([0, size, 0, size])
        south = start + ulp * np.array([0, 0, size, size])
        polygons = shapely.box(low, south, low + size * ulp, south + size * ulp)
        rng = np.random.default_rng(size)
        points = start + ulp * rng.integers(-1, 2 * size + 2, (400, 2))
        expected, _ = geos_covering(polygons, points)
        found = OwnerIndex(polygons).find(points[:, 0], points[:, 1])
        np.testing.assert_array_equal(found, expected)


def test_a_grid_at_the_other_end_of_the_world_harms_no_other():
    """All others lie in one cell then; it is divided until a few edges are left in each part."""
    far = shapely.box(-3e10, -3e10, -3e10 + 10, -3e10 + 10)
    polygons = np.append(rough_lattice(20, seed=1), far)
    index = OwnerIndex(polygons)
    codes = index._index.raster.codes
    assert ((-2 - codes[codes < -1]) & 3 == NEST).any()
    assert index.nbytes < 300 * len(shapely.get_coordinates(polygons))
    points = hard_points(polygons[:-1], 3_000, seed=2)
    expected, count = geos_covering(polygons, points)
    owned = index.own(points[:, 0], points[:, 1])
    np.testing.assert_array_equal(index.find(points[:, 0], points[:, 1]), expected)
    np.testing.assert_array_equal(owned.owner, expected)
    np.testing.assert_array_equal(owned.rule == RULES.index("edge"), count > 1)


def test_a_star_of_a_thousand_rays_is_not_divided_without_end():
    angle = np.linspace(0, 2 * np.pi, 1_000, endpoint=False)
    rim = np.rint(np.column_stack([np.cos(angle), np.sin(angle)]) * 1e9)
    star = [
        shapely.Polygon([(0, 0), tuple(a), tuple(b)])
        for a, b in zip(rim, np.roll(rim, -1, axis=0), strict=True)
    ]
    index = OwnerIndex(star, cells=8)
    assert index.nbytes < 20_000_000
    points = hard_points(np.array(star), 500, seed=8)
    points = np.vstack([points, np.random.default_rng(0).uniform(-99, 99, (2_000, 2))])
    expected, _ = geos_covering(np.array(star), points)
    np.testing.assert_array_equal(index.find(points[:, 0], points[:, 1]), expected)


def test_crowded_cells_beyond_the_room_for_them_get_long_records():
    """Half a million lines through every cell: dividing stops, the answer stays."""
    low = np.arange(3_000) * 7.0
    bands = shapely.box(0, low, 1e9, low + 7)
    points = hard_points(bands, 300, seed=4)
    expected, _ = geos_covering(bands, points)
    index = OwnerIndex(bands, cells=8)
    np.testing.assert_array_equal(index.find(points[:, 0], points[:, 1]), expected)


def test_all_points_on_one_spot():
    index = OwnerIndex([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    spot = np.full(200_000, 10.0)
    owned = index.own(spot, spot / 2, threads=2)
    assert set(owned.owner) == {0}
    assert {RULES[code] for code in set(owned.rule)} == {"edge"}


def test_a_grid_of_half_a_million_corners_stays_small_and_exact():
    """A comb: the teeth are so fine that every row of the raster is full of edges."""
    teeth = 125_000
    x = np.repeat(np.arange(teeth), 2) * 40.0
    y = np.tile([0.0, 5_000_000.0], teeth) + np.arange(2 * teeth) % 7
    comb = shapely.Polygon(
        np.vstack([np.column_stack([x, y]), [(teeth * 40.0, -9e6), (0.0, -9e6)]])
    )
    rng = np.random.default_rng(2)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 250_000))
    out = rng.uniform(0.999, 1, len(angle)) * 8e6
    disc = shapely.Polygon(
        np.rint(np.column_stack([out * np.cos(angle) - 9e6, out * np.sin(angle)]))
    )
    index = OwnerIndex([comb, disc])
    corners = len(shapely.get_coordinates([comb, disc]))
    assert corners > 490_000
    assert index.nbytes < 600 * corners
    points = np.column_stack([rng.uniform(-1.8e7, 6e6, 4_000), rng.uniform(-9e6, 9e6, 4_000)])
    points = np.vstack([points, shapely.get_coordinates([comb, disc])[::500]])
    expected, _ = geos_covering(np.array([comb, disc]), points)
    np.testing.assert_array_equal(index.find(points[:, 0], points[:, 1]), expected)


@pytest.mark.parametrize("corner", [np.inf, 1e300], ids=["infinite", "beyond every map"])
def test_coordinates_that_are_no_numbers_are_refused(corner):
    with np.errstate(all="ignore"):
        polygon = shapely.Polygon([(0, 0), (corner, 0), (5, 5)])
        with pytest.raises(BadGrid, match="no numbers"):
            OwnerIndex([polygon, shapely.box(0, 0, 1, 1)])


def test_more_corners_than_can_be_numbered_are_refused(monkeypatch):
    monkeypatch.setattr(raster_index, "MOST_CORNERS", 9)
    with pytest.raises(BadGrid, match="10 corners"):
        OwnerIndex(shapely.box([0, 1], [0, 0], [1, 2], [1, 1]))


def test_arguments_that_do_not_fit_are_refused():
    index = OwnerIndex([shapely.box(0, 0, 1, 1)])
    with pytest.raises(ValueError, match="shape"):
        index.find([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="shape"):
        OwnerIndex([shapely.box(0, 0, 1, 1)], special=[True, False])
    for limits in ({"near_m": -1}, {"near_m": np.nan}, {"near_line_m": np.inf}):
        with pytest.raises(ValueError, match="0 or more"):
            index.own([1.0], [1.0], **limits)


def test_points_of_every_kind_of_array_are_taken():
    index = OwnerIndex([shapely.box(0, 0, 10, 10)])
    pairs = np.array([[5.0, 5.0], [15.0, 5.0], [0.0, 0.0]])
    frozen = pairs.copy()
    frozen.flags.writeable = False
    for x, y in (
        (pairs[:, 0], pairs[:, 1]),
        (frozen[:, 0], frozen[:, 1]),
        (pairs[::-1, 0][::-1], pairs[:, 1]),
        ([5, 15, 0], (5, 5, 0)),
        (pairs[:, 0].astype(np.float32), pairs[:, 1].astype(">f8")),
    ):
        assert index.find(x, y).tolist() == [0, -1, 0]
    assert pairs.flags.writeable


def test_many_threads_may_ask_one_index_at_once():
    polygons = rough_lattice(8, seed=4)
    points = hard_points(polygons, 5_000, seed=3)
    index = OwnerIndex(polygons)
    expected = index.find(points[:, 0], points[:, 1])
    answers = []

    def ask():
        answers.append(index.own(points[:, 0], points[:, 1], threads=2).owner)

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(answers) == 6
    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def test_a_kernel_calls_kernels_of_its_own_file_only():
    """The compiler's cache on disk sees no change in another file and would go on with old code."""
    files = {path: ast.parse(path.read_text("utf-8")) for path in KERNELS.glob("*.py")}
    kernels = {
        node.name: path
        for path, tree in files.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(getattr(mark, "id", "") == "compile_kernel" for mark in node.decorator_list)
    }
    assert len(kernels) > 20
    for name, path in kernels.items():
        body = next(node for node in files[path].body if getattr(node, "name", "") == name)
        called = {
            call.func.id
            for call in ast.walk(body)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        }
        strangers = {other for other in called & set(kernels) if kernels[other] != path}
        assert not strangers, (name, strangers)
