"""GCJ-02 and BD-09 are undone exactly, in time, and nowhere but in China's box."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.coordinates import bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_bd09, wgs84_to_gcj02

METRES_PER_DEGREE = 111_320.0
PAIRS = [(wgs84_to_gcj02, gcj02_to_wgs84), (wgs84_to_bd09, bd09_to_wgs84)]


def miss_m(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one, other, strict=True)) * METRES_PER_DEGREE


def test_forward_formula_gives_the_published_example():
    lon, lat = wgs84_to_gcj02(116.404, 39.915)
    assert (float(lon), float(lat)) == pytest.approx(
        (116.41024449916938, 39.91640428150164), abs=1e-12
    )


def test_baidu_lies_where_the_published_example_says():
    # The example shifts a GCJ-02 point; ours starts from WGS 84, so undo one half first.
    lon, lat = wgs84_to_bd09(*gcj02_to_wgs84(116.404, 39.915))
    assert (float(lon), float(lat)) == pytest.approx(
        (116.41036949371029, 39.92133699351021), abs=1e-11
    )


@pytest.mark.parametrize(("shift", "unshift"), PAIRS)
def test_inverse_is_exact_on_100_000_points_of_china(shift, unshift):
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(72.1, 137.7, 100_000), rng.uniform(0.9, 55.7, 100_000)
    assert miss_m(unshift(*shift(lon, lat)), (lon, lat)) <= 1e-6


@pytest.mark.parametrize(("shift", "unshift"), PAIRS)
def test_inverse_is_exact_on_the_cusp_at_105_east(shift, unshift):
    rng = np.random.default_rng(8)
    spread = 10.0 ** rng.uniform(-15, -2, 20_000) * rng.choice([-1, 1], 20_000)
    lon, lat = np.append(105.0 + spread, 105.0), np.append(rng.uniform(20, 45, 20_000), 30.0)
    assert miss_m(unshift(*shift(lon, lat)), (lon, lat)) <= 1e-6


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_every_shifted_place_comes_back(lon, lat):
    for shift, unshift in PAIRS:
        there = shift(lon, lat)
        inside_twice = 72.1 <= there[0] <= 137.7 and 0.9 <= there[1] <= 55.7
        outside = not (71.9 <= there[0] <= 137.9 and 0.7 <= there[1] <= 55.9)
        if inside_twice or outside:
            assert miss_m(unshift(*there), (np.array(lon), np.array(lat))) <= 1e-6


@pytest.mark.parametrize("place", [(-1.55, 53.8), (2.35, 48.85), (151.2, -33.9), (0.0, 0.0)])
def test_places_outside_china_stay(place):
    for convert in (wgs84_to_gcj02, gcj02_to_wgs84, wgs84_to_bd09, bd09_to_wgs84):
        assert tuple(map(float, convert(*place))) == place


def test_shapes_are_kept_and_gaps_stay_gaps():
    lon = np.array([[119.5, np.nan], [116.4, np.inf]])
    lat = np.array([[32.4, 32.4], [np.nan, 39.9]])
    out_lon, out_lat = gcj02_to_wgs84(lon, lat)
    assert out_lon.shape == lon.shape
    assert np.isnan(out_lon[0, 1])
    assert np.isnan(out_lat[1, 0])
    assert out_lon[0, 0] != 119.5
    assert gcj02_to_wgs84([], [])[0].size == 0


def test_a_million_points_are_unshifted_within_three_seconds():
    rng = np.random.default_rng(9)
    shifted = wgs84_to_gcj02(rng.uniform(75, 134, 1_000_000), rng.uniform(18, 53, 1_000_000))
    times = []
    for _ in range(3):
        start = time.process_time()
        gcj02_to_wgs84(*shifted)
        times.append(time.process_time() - start)
    assert min(times) <= 3.0
