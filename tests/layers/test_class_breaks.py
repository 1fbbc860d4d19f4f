"""Class breaks are the best there are, read well, and leave zero its own class."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.classes import break_classes, classify

NUMBERS = st.lists(st.floats(0.001, 10_000).map(lambda v: round(v, 3)), min_size=1, max_size=14)


def squares(values: np.ndarray) -> float:
    return float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0


def best_by_trying_all(values: np.ndarray, classes: int) -> float:
    distinct = np.unique(values)
    classes = min(classes, len(distinct))
    return min(
        sum(
            squares(values[(values >= low) & (values < high)])
            for low, high in zip((distinct[0], *cuts), (*cuts, np.inf), strict=True)
        )
        for cuts in combinations(distinct[1:].tolist(), classes - 1)
    )


@given(NUMBERS, st.integers(1, 5))
def test_no_other_breaks_have_less_spread_within_classes(numbers, classes):
    values = np.array(numbers)
    found = classify(values, break_classes(values, classes=classes))
    spread = sum(squares(values[found == place]) for place in range(classes))
    best = best_by_trying_all(values, classes)
    assert spread == pytest.approx(best, rel=1e-6, abs=1e-6)


@given(NUMBERS)
def test_breaks_ascend_and_every_class_is_used(numbers):
    values = np.array(numbers)
    breaks = break_classes(values)
    assert list(breaks) == sorted(set(breaks))
    assert set(classify(values, breaks)) == set(range(min(5, len(set(numbers)))))


@given(NUMBERS)
def test_breaks_are_the_roundest_numbers_that_part_the_same_values(numbers):
    values = np.unique(numbers)
    for limit in break_classes(values):
        below, at = values[values < limit].max(), values[values >= limit].min()
        shorter = f"{limit:.12g}".rstrip("0").rstrip(".")
        assert below < limit <= at
        assert len(shorter.replace(".", "").strip("0")) <= len(f"{at:.12g}".replace(".", ""))


def test_zero_and_no_figure_are_classes_of_their_own():
    values = np.array([0.0, 0.0, 1.0, 2.0, 50.0, np.nan, -1.0])
    assert classify(values, break_classes(values, classes=2)).tolist() == [-1, -1, 0, 0, 1, -2, -1]


def test_breaks_frozen_over_a_period_colour_each_month_alike():
    year = np.random.default_rng(5).gamma(2, 3, (12, 400))
    frozen = break_classes(year.ravel())
    for month in year:
        assert (classify(month, frozen) == np.searchsorted(frozen, month, side="right")).all()


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [np.nan], [3.0, 3.0, 3.0]])
def test_too_few_distinct_values_make_no_breaks(values):
    assert break_classes(np.array(values)) == ()


def test_twelve_hundred_values_take_less_than_fifty_milliseconds():
    values = np.random.default_rng(1).gamma(1, 5, 1_200)
    break_classes(values)  # compiled once
    spans = []
    for _ in range(5):
        start = time.perf_counter()
        break_classes(values)
        spans.append(time.perf_counter() - start)
    assert min(spans) < 0.05
