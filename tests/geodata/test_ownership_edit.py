"""After an edit only its own cells are made anew, and every answer is that of a new index."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench.made_up import make_grids, make_points
from bench.ownership import move_corner
from geodata.ownership import OwnerIndex, find_owners
from geodata.ownership.raster_edit import edit_index
from tests.geodata.ownership_cases import drawings, points_at


def assert_same_answers(edited, built_anew, x, y):
    np.testing.assert_array_equal(edited.find(x, y), built_anew.find(x, y))
    one, two = edited.own(x, y, near_m=3), built_anew.own(x, y, near_m=3)
    for name in ("owner", "rule", "near_line", "distance_m"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_edits_of_any_drawing_answer_like_a_new_index(data):
    polygons = data.draw(drawings())
    wide = [*polygons, shapely.box(-450, -450, 450, 450)]  # edits stay within its bounds
    special = data.draw(st.lists(st.booleans(), min_size=len(wide), max_size=len(wide)))
    cells = data.draw(st.sampled_from([None, 8, 64, 400]))
    index = OwnerIndex(wide, special=special, cells=cells)
    for _ in range(data.draw(st.integers(1, 3))):
        others = data.draw(drawings())
        ranks = st.integers(0, len(wide) - 2)
        changes = {
            rank: data.draw(st.sampled_from([None, *others]))
            for rank in data.draw(st.lists(ranks, max_size=2, unique=True))
        }
        for rank, shape in changes.items():
            wide[rank] = shape
        index = index.replace(changes)
        x, y = data.draw(points_at([shape for shape in wide if shape is not None])).T
        assert_same_answers(index, OwnerIndex(wide, special=special, cells=cells), x, y)


def test_an_edit_of_a_city_makes_only_its_own_cells_anew():
    grids = make_grids(300)
    x, y = make_points(60_000, grids)
    index = OwnerIndex(grids)
    before = index.find(x, y)
    for grid in (4, 150, 151, 4):
        grids[grid] = move_corner(grids[grid])
        edited = edit_index(index._index, grids.copy(), [grid])
        assert edited is not None
        assert edited.nbytes < 1.1 * index.nbytes
        index = index.replace({grid: grids[grid]})
        assert_same_answers(index, OwnerIndex(grids), x, y)
    assert (index.find(x, y) != before).any()


def test_an_index_worn_by_edits_or_left_by_them_is_built_anew():
    grids = make_grids(20)
    index = OwnerIndex(grids)
    for _ in range(60):
        index = index.replace({3: grids[3]})
    assert index.nbytes < 3 * OwnerIndex(grids).nbytes
    away = shapely.box(0, 0, 10, 10)
    x, y = shapely.get_coordinates(shapely.centroid(away)).T
    assert index.find(x, y).tolist() == [-1]
    assert index.replace({3: away}).find(x, y).tolist() == [3]
    assert OwnerIndex([None, None]).replace({1: away}).find(x, y).tolist() == [1]


@pytest.mark.parametrize("threads", [1, 2])
def test_point_objects_get_their_owners_in_their_own_order(threads):
    grids = make_grids(30)
    index = OwnerIndex(grids)
    x, y = make_points(20_000, grids)
    points = geopandas.GeoSeries(shapely.points(x, y), index=np.arange(20_000)[::-1])
    points.iloc[7], points.iloc[9_000] = None, shapely.Point()
    x[[7, 9_000]] = np.nan
    owner = find_owners(points, index, threads=threads)
    assert owner.index.equals(points.index)
    np.testing.assert_array_equal(owner.to_numpy(), index.find(x, y))
    assert find_owners(points.iloc[:0], index).tolist() == []
