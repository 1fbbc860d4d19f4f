"""The nearest and all within a radius are those of a plain search, ties and crowds included."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from geodata.errors import BadSetting
from geodata.snapshots import nearest
from geodata.snapshots.nearest import NearIndex


def plain_nearest(x, y, at, k):
    squares = (x - at[0]) ** 2 + (y - at[1]) ** 2
    known = np.flatnonzero(np.isfinite(squares))
    return known[np.lexsort((known, squares[known]))][:k]


def plain_within(x, y, at, radius):
    return np.flatnonzero((x - at[0]) ** 2 + (y - at[1]) ** 2 <= radius * radius)


def make_places(kind, n, rng):
    x, y = rng.integers(0, 40, (2, n)).astype(float)  # ties everywhere
    if kind == "spread":
        x, y = rng.normal(0, 900, (2, n))
    elif kind == "one spot":
        x[:], y[:] = 7.0, 7.0
    elif kind == "knots":  # two, at the ends of the world
        x, y = x / 1e3, y / 1e3
        x[::2] += 4e7
    elif kind == "line":
        y[:] = 3.0
    elif kind == "astray":
        x[:1], y[:1] = -1e9, 1e9
    x[rng.random(n) < 0.05] = np.nan
    return x, y


KINDS = ["lattice", "spread", "one spot", "knots", "line", "astray"]


@hypothesis_settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(KINDS), st.integers(0, 400), st.integers(0, 9), st.integers(1, 9),
    st.sampled_from([0.0, 1.0, 5.0, 300.0]),
)  # fmt: skip
def test_any_places_are_found_as_by_a_plain_search(kind, n, seed, k, radius):
    rng = np.random.default_rng(seed)
    x, y = make_places(kind, n, rng)
    index = NearIndex(x, y)
    centre = np.nan_to_num(np.concatenate([x[:4], [0.0, 3.0, 4e7]]))
    ends = np.nan_to_num(np.concatenate([y[:4], [0.0, 3.5, -1e8]]))
    points = np.concatenate([np.column_stack([centre, ends]), rng.uniform(-9, 50, (8, 2))])
    place, distance = index.nearest(points[:, 0], points[:, 1], k=k)
    starts, places = index.within(points[:, 0], points[:, 1], radius_m=radius)
    for i, at in enumerate(points):
        expected = plain_nearest(x, y, at, k)
        assert place[i][: len(expected)].tolist() == expected.tolist()
        assert (place[i][len(expected) :] == -1).all()
        squares = (x[expected] - at[0]) ** 2 + (y[expected] - at[1]) ** 2
        np.testing.assert_array_equal(distance[i][: len(expected)], np.sqrt(squares))
        found = np.sort(places[starts[i] : starts[i + 1]])
        np.testing.assert_array_equal(found, plain_within(x, y, at, radius))


def test_threads_and_a_point_without_a_place():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 5_000, (2, 3_000))
    at_x, at_y = rng.normal(0, 6_000, (2, 20_000))
    at_x[5], at_y[9_000] = np.nan, np.inf
    index = NearIndex(x, y)
    one, two = (index.nearest(at_x, at_y, k=3, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one[0], two[0])
    assert one[0][5].tolist() == [-1, -1, -1]
    assert np.isinf(one[1][9_000]).all()
    near, same = (index.within(at_x, at_y, radius_m=200, threads=n) for n in (1, 2))
    np.testing.assert_array_equal(near[0], same[0])
    np.testing.assert_array_equal(near[1], same[1])
    assert near[0][6] == near[0][5]


def test_a_million_places_on_one_spot_are_asked_in_no_time():
    x = np.full(1_000_000, 3.0)
    start = time.perf_counter()
    index = NearIndex(x, x)
    place, _ = index.nearest(np.arange(10_000.0), np.zeros(10_000), k=3)
    assert (place == [0, 1, 2]).all()
    assert time.perf_counter() - start < 20


def test_what_cannot_be_answered_is_refused(monkeypatch):
    index = NearIndex(np.zeros(100), np.zeros(100))
    with pytest.raises(ValueError, match="k is 0"):
        index.nearest(0.0, 0.0, k=0)
    for radius in (-1.0, np.nan, np.inf, 1e12):
        with pytest.raises(BadSetting) as refused:
            index.within(0.0, 0.0, radius_m=radius)
        assert refused.value.faults[0].key == "nearest_radius"
    monkeypatch.setattr(nearest, "MOST_PAIRS", 150)
    with pytest.raises(BadSetting) as refused:
        index.within([0.0, 0.0], [0.0, 0.0], radius_m=1)
    assert refused.value.faults[0].key == "nearest_too_many"


def test_no_places_are_near_nobody():
    index = NearIndex([], [])
    assert index.nearest([1.0], [1.0], k=2)[0].tolist() == [[-1, -1]]
    assert index.within([1.0], [1.0], radius_m=9)[0].tolist() == [0, 0]
