"""Promise: tiles of a large city from counted cells are, byte for byte, those of its points."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.snapshots.row_mask import RowTest
from geodata.snapshots.snapshot import Filter, interleave
from layers import pyramid
from layers.incident_heat import HEAT, MAXZOOM, MINZOOM, find_scale
from layers.layer import Tile
from layers.pyramid import find_pyramid, find_runs
from layers.raster_tile import count_cells
from tests.layers.conftest import NOW

AXIS = st.one_of(st.integers(0, 2**32 - 1), st.integers(2**31 - 3000, 2**31 + 3000))
FILTERS = (None, Filter(), Filter(state="open"), Filter(categories=(1,)), Filter(since=NOW))


@pytest.fixture
def large(facts, monkeypatch):
    """Let few points count as a large city, and nobody find its cells afterwards."""
    monkeypatch.setattr(pyramid, "LARGE", 1)
    monkeypatch.setattr(pyramid, "_LEAST_A_CELL", 0)
    monkeypatch.setattr(pyramid, "VERY_LARGE", 1)
    facts.kept.clear()
    yield
    facts.kept.clear()


def make_points(xs, ys, unplaced=0):
    x, y = np.array(xs, np.uint32), np.array(ys, np.uint32)
    morton = interleave(x, y)
    order = np.argsort(morton, kind="stable")
    return SimpleNamespace(
        n=len(x) + unplaced, placed=len(x), tile_x=x[order], tile_y=y[order], morton=morton[order]
    )


def list_tiles(snapshot, z):
    cells = np.stack([snapshot.tile_x, snapshot.tile_y], 1)[: snapshot.placed] >> np.uint32(32 - z)
    return [Tile(z=z, x=int(x), y=int(y)) for x, y in np.unique(cells, axis=0)]


@pytest.mark.parametrize("chosen", FILTERS)
def test_every_tile_of_every_zoom_is_the_same_picture(facts, draw, large, monkeypatch, chosen):
    seen = 0
    for z in range(MINZOOM, MAXZOOM + 1):
        for tile in list_tiles(facts.snapshot, z)[:4]:
            picture = draw(filter=chosen, tile=tile)
            assert find_pyramid(picture, zoom=MAXZOOM) is not None
            body = HEAT.draw(picture)
            with monkeypatch.context() as patch:
                patch.setattr("layers.incident_heat.find_pyramid", lambda *_, **__: None)
                assert HEAT.draw(picture) == body
            seen += body is not None
    assert seen > 0 or chosen == Filter(since=NOW)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            *[st.one_of(st.integers(0, 2**32 - 1), st.integers(2**31 - 3000, 2**31 + 3000))] * 2
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 3),
    st.sampled_from((0, 1, 17)),
    st.integers(0, 99),
)
def test_cells_hold_each_point_once_wherever_it_lies(places, unplaced, pad, seed):
    points = make_points(*zip(*places, strict=True), unplaced=unplaced)
    mask = np.random.default_rng(seed).random(points.n) < 0.7
    tests = [RowTest.among(mask, [True])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyramid, "LARGE", 1)
        patch.setattr(pyramid, "_LEAST_A_CELL", 0)
        runs = find_runs(points, zoom=14)
    every = np.ones(points.n, np.bool_)
    for keep, counted in ((every, runs.count()), (mask, runs.count(tests))):
        assert counted.share == np.count_nonzero(keep) / points.n
        assert {one.dtype for one in counted.counts.values()} == {np.dtype(np.uint32)}
        for z in (14, 11, 3, 0):
            for tile in list_tiles(points, z):
                found = counted.count_cells(tile, pad=pad)
                expected = count_cells(points, tile, mask=keep, pad=pad)
                np.testing.assert_array_equal(found, expected)


def test_points_are_read_once_a_filter_and_by_no_tile(facts, draw, large, monkeypatch):
    read = []
    count = pyramid.count_runs

    def watch(starts, tests, **options):
        read.append(len(starts) - 1)
        return count(starts, tests, **options)

    monkeypatch.setattr(pyramid, "count_runs", watch)
    find_scale(draw())  # measured once, of a sample
    monkeypatch.setattr("layers.raster_tile.count_pixels", None)
    for z in (11, 13):
        for tile in list_tiles(facts.snapshot, z):
            HEAT.draw(draw(filter=Filter(state="open"), tile=tile))
    runs = facts.kept["heat cells", facts.snapshot.revision].get()
    assert read[0] == len(runs.starts) - 1
    assert sum(read) <= len(runs.starts)  # and once those without a place


def test_few_points_and_points_far_apart_are_counted_singly(monkeypatch):
    few = make_points([5, 6], [7, 8])
    assert find_runs(few, zoom=14) is None
    monkeypatch.setattr(pyramid, "LARGE", 1)
    assert find_runs(few, zoom=14) is None  # hardly fewer cells than points
    assert find_runs(make_points([5] * 8, [7] * 8), zoom=14) is not None
    assert find_runs(make_points([], []), zoom=14) is None


def test_a_part_of_the_city_has_no_pyramid(facts, draw, one_street, large):
    assert find_pyramid(draw(scope=one_street), zoom=MAXZOOM) is None
    assert find_pyramid(draw(), zoom=MAXZOOM) is not None
