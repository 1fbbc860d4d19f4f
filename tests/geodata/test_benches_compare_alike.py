"""Every work of the benchmark compares equal answers; small, for correctness only."""

from __future__ import annotations

from bench.counting import BARS, NUMPY, PANDAS, run_counting
from bench.works import WORKS


def assert_nobody_differs(rows, *peers):
    assert not [row for row in rows if row["equal"] is False]
    assert {row["peer"] for row in rows if row["equal"]} >= set(peers)


def test_counts_equal_every_peers():
    rows = run_counting(rows=30_000, rounds=1)
    assert len(rows) == len(BARS)
    assert_nobody_differs(rows, PANDAS, NUMPY)


def test_every_work_has_a_letter():
    assert "".join(WORKS) == "AB"
