"""Pictures hold every point that counts, once, in the pixel it lies in; a blur loses none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from geodata.snapshots import row_mask
from geodata.snapshots.packed_rows import PackedRows
from geodata.snapshots.row_mask import RowTest, choose_rows, count_runs
from layers.density import blur_counts, blur_margin, count_pixels


def count_plainly(x, y, corner, size, shift, keep):
    counts = np.zeros(size, np.int64)
    c, r = (x.astype(np.int64) >> shift) - corner[0], (y.astype(np.int64) >> shift) - corner[1]
    inside = keep & (c >= 0) & (c < size[1]) & (r >= 0) & (r < size[0])
    np.add.at(counts, (r[inside], c[inside]), 1)
    return counts


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.integers(0, 5_000), st.integers(0, 9), st.integers(0, 24), st.data())
def test_each_point_is_in_its_pixel(n, seed, shift, data):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 2**32, (2, n), dtype=np.uint32)
    if shift < 20:  # all in a few pixels
        x, y = x % np.uint32(40 << shift), y % np.uint32(40 << shift)
    corner = data.draw(st.tuples(st.integers(-9, 20), st.integers(-9, 20)))
    size = data.draw(st.tuples(st.integers(1, 50), st.integers(1, 50)))
    mask, owner = rng.random(n) < 0.5, rng.integers(-1, 3, n).astype(np.int32)
    allowed = np.array([False, True, True, False])
    place = {"corner": corner, "size": size, "shift": shift}
    for keep, options in (
        (np.ones(n, bool), {}),
        (mask, {"mask": mask}),
        (mask & allowed[owner + 1], {"mask": mask, "owned": (owner, allowed)}),
        (allowed[owner + 1], {"owned": (owner, allowed)}),
    ):
        counts = count_pixels(x, y, **place, **options)
        np.testing.assert_array_equal(counts, count_plainly(x, y, corner, size, shift, keep))


def test_threads_and_parts_share_the_points_without_counting_one_twice():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 640, (2, 1_100_000), dtype=np.uint32)
    place = {"corner": (0, 0), "size": (64, 64), "shift": 3}
    whole = count_pixels(x, y, **place)
    assert whole.sum() == ((x < 512) & (y < 512)).sum()
    np.testing.assert_array_equal(count_pixels(x, y, threads=2, **place), whole)
    parts = np.array([0, 10, 600_000]), np.array([5, 600_000, 1_100_000])
    some = count_pixels(x, y, parts=parts, threads=2, **place)
    keep = np.ones(len(x), bool)
    keep[5:10] = False
    np.testing.assert_array_equal(some, count_plainly(x, y, (0, 0), (64, 64), 3, keep))


@pytest.mark.parametrize("sigma", [1.0, 6.0, 12.0])
def test_a_blur_is_the_same_in_strips_by_threads_and_loses_nobody(sigma):
    margin = blur_margin(sigma)
    counts = np.zeros((40 + 2 * margin, 2_100 + 2 * margin), np.uint32)
    counts[20 + margin, 1_023 + margin] = 1_000_000  # where two strips meet
    blurred = blur_counts(counts, sigma_px=sigma)
    assert blurred.shape == (40, 2_100)
    np.testing.assert_array_equal(blur_counts(counts, sigma_px=sigma, threads=2), blurred)
    if margin < 20:
        assert blurred.sum() == pytest.approx(1_000_000)
    assert blur_counts(np.zeros((1, 1), np.uint32), sigma_px=sigma).size == 0


@pytest.mark.parametrize("kind", [np.int64, np.int32])
@pytest.mark.parametrize("codes", [5, 200])
def test_a_filter_lets_through_what_its_tests_say(kind, codes, monkeypatch):
    monkeypatch.setattr(row_mask, "_WORTH_A_THREAD", 1)
    rng = np.random.default_rng(1)
    at = np.zeros((600_000, 2), kind)
    at[:, 0] = rng.integers(-50, 300_000, len(at)) * rng.integers(0, 2, len(at)) * 997
    category = rng.integers(0, codes, len(at)).astype(np.int32)
    state = at[:, 0].astype(np.uint8) % 7
    categories = np.flatnonzero(rng.random(codes) < 0.5)
    packed = PackedRows.of(at[:, 0], category, threads=2)
    assert packed.category.dtype == np.uint8
    starts = np.unique(np.append(rng.integers(0, len(at), 9_000), [0, 7, 8, 9, len(at)]))
    plain = [RowTest.among(category, categories), RowTest.among(state, [0, 3, 4, 9])]
    short = [RowTest.among(packed.category, categories), plain[1]]
    kept = np.isin(category, categories) & np.isin(state, [0, 3, 4])
    day = int(packed.first_s) + 40 * packed.span_s
    ends = (None, None), (100, 700), (700, 100), (-(10**12), 10**12), (10**12, None), (None, 0)
    for since, until in (*ends, (day, day + 7 * packed.span_s), (day + 1, day - 1 + 10**8)):
        low, high = -np.inf if since is None else since, np.inf if until is None else until
        expected = (at[:, 0] >= low) & (at[:, 0] < high) & kept
        period = RowTest.period(at[:, 0], since, until)
        for tests in ([period, *plain], [*short, packed.shorten(period)]):
            found = choose_rows(len(at), tests, threads=2)
            np.testing.assert_array_equal(found, expected)
            counted = count_runs(starts, tests, threads=2)
            np.testing.assert_array_equal(
                counted, np.add.reduceat(expected, starts[:-1], dtype=int)
            )
    assert choose_rows(len(at), []).all()
    assert not choose_rows(len(at), [RowTest.among(category, [])]).any()


def test_runs_of_any_length_are_summed_whole():
    many = np.ones(300_000, np.uint8)
    many[::7] = 0
    test = RowTest.among(many, [1])
    for starts in ([0, 300_000], [3, 299_999], [5, 6], [0, 0, 8, 8, 2_047, 2_100, 2_100], [4]):
        expected = [many[low:high].sum() for low, high in itertools.pairwise(starts)]
        assert count_runs(np.array(starts), [test]).tolist() == expected


def test_times_that_nobody_has_are_packed_alike():
    for times in ([], [0, 0], [-5, 0], [1 << 40, 1]):
        at = np.array(times, np.int64)
        packed = PackedRows.of(at, np.zeros(len(at), np.int32))
        for since, until in ((0, None), (None, 1), (1, 1 << 41), (None, None)):
            exact = RowTest.period(at, since, until)
            found = choose_rows(len(at), [packed.shorten(exact)])
            assert found.tolist() == choose_rows(len(at), [exact]).tolist()
