"""Bad input gets a right answer or a clear refusal from every work of the engine, never a hang."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from geodata.errors import BadGrid
from geodata.ownership import OwnerIndex, raster_index
from geodata.reading.shapes import repair_shapes
from geodata.snapshots.counting import CountFilter, build_counter
from geodata.snapshots.nearest import NearIndex
from geodata.snapshots.timeline import Rows
from layers.density import blur_counts, count_pixels

PATIENCE_S = 90  # a hang would take hours


@pytest.fixture(autouse=True)
def in_time():
    start = time.monotonic()
    yield
    assert time.monotonic() - start < PATIENCE_S


def make_gear(corners, *, teeth):
    """A polygon of so many corners, in whole units: a circle whose rim goes in and out."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = 1e9 * (1 + 0.2 * np.sign(np.sin(teeth * angle)))
    return shapely.Polygon(
        np.rint(np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None])
    )


@pytest.mark.parametrize(
    ("corners", "teeth"),
    [(100_000, 60), *(pytest.param(10**6, n, marks=pytest.mark.long) for n in (7, 900))],
)
def test_a_grid_with_a_million_corners_owns_what_lies_in_it(corners, teeth):
    gear = make_gear(corners, teeth=teeth)
    index = OwnerIndex([gear])
    assert index.nbytes < 600_000_000
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1.3e9, 1.3e9, (2, 20_000))
    shapely.prepare(gear)
    inside = shapely.intersects_xy(gear, x, y)
    np.testing.assert_array_equal(index.find(x, y) == 0, inside)
    some = shapely.get_coordinates(gear)[::997]
    owned = index.own(some[:, 0], some[:, 1])
    assert (owned.owner == 0).all()
    assert owned.near_line.all()


def test_more_corners_than_the_index_has_numbers_for_are_refused(monkeypatch):
    monkeypatch.setattr(raster_index, "MOST_CORNERS", 1_000)
    with pytest.raises(BadGrid) as refused:
        OwnerIndex([make_gear(1_001, teeth=3)])
    assert refused.value.faults[0].key == "ownership_too_many_corners"


@pytest.mark.parametrize("n", [1_000_000, pytest.param(10_000_000, marks=pytest.mark.long)])
def test_millions_on_one_spot_are_owned_counted_drawn_and_found(n):
    index = OwnerIndex(shapely.box([0, 100], 0, [100, 200], 100))
    x = np.full(n, 100.0)  # on the shared edge
    assert (index.find(x, x / 2) == 0).all()
    owned = index.own(x, x / 2)
    assert np.bincount(owned.rule).tolist() == [0, n]
    rows = Rows(
        at=np.full(n, 1_760_000_000), grid=np.zeros(n, np.int32), kind=np.zeros(n, np.int16),
        stage=np.zeros(n, np.uint8),
    )  # fmt: skip
    counter = build_counter(
        rows, grids=1, category_of=np.zeros(1, np.int64), stages=1, zone=ZoneInfo("Asia/Shanghai")
    )
    assert counter.count(["grid"]).tolist() == [n, 0]
    assert counter.count(["hour"], CountFilter(since=0)).max() == n
    spot = np.full(n, 77, np.uint32)
    counts = count_pixels(spot, spot, corner=(0, 0), size=(100, 100), shift=0, threads=2)
    assert counts[77, 77] == n == counts.sum()
    assert blur_counts(counts, sigma_px=3.0).max() < n
    near = NearIndex(x, x)
    assert near.nearest([1.0], [1.0], k=3)[0].tolist() == [[0, 1, 2]]


def test_places_that_are_none_or_at_the_other_end_of_the_world_are_nobodys():
    index = OwnerIndex([None, shapely.Polygon(), shapely.box(0, 0, 9, 9)])
    nowhere = np.array([np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 1e18])
    owned = index.own(nowhere, np.full(7, 4.0), near_m=1)
    assert owned.owner.tolist() == [-1, -1, -1, -1, -1, 2, -1]
    near = NearIndex([0.0, np.nan, np.inf], [0.0, 0.0, 0.0])
    place, distance = near.nearest(nowhere[:4], np.zeros(4), k=2)
    assert place.tolist() == [[-1, -1], [-1, -1], [-1, -1], [0, -1]]
    assert np.isinf(distance[:3]).all()
    assert near.within([1e308], [0.0], radius_m=1e8)[1].tolist() == []


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # GEOS says so itself
def test_a_grid_with_a_corner_nowhere_is_refused_and_not_repaired(wrong):
    corners = [(0, 0), (100, 0), (wrong, 50), (0, 100)]
    shapes = np.array([shapely.box(0, 0, 100, 100), shapely.Polygon(corners)], object)
    kept, faults, notes = repair_shapes(shapes, {}, lonlat=False)
    assert [(fault.key, fault.row) for fault in faults] == [("shape_not_finite", 2)]
    assert kept[0] is shapes[0]
    assert kept[1] is None
    assert not notes
