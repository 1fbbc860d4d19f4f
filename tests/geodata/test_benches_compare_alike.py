"""Every work of the benchmark compares equal answers; small, for correctness only."""

from __future__ import annotations

import pytest

from bench.counting import BARS, NUMPY, PANDAS, run_counting
from bench.density import make_columns, run_blur, run_pixels, run_tile
from bench.loading import ARROW, GEOPANDAS, run_loading
from bench.nearest import BALL, STRTREE, TREE, run_nearest
from bench.streams import run_dask, run_streams, write_parts
from bench.works import WORKS


def assert_nobody_differs(rows, *peers):
    assert not [row for row in rows if row["equal"] is False]
    assert {row["peer"] for row in rows if row["equal"]} >= set(peers)


def test_counts_equal_every_peers():
    rows = run_counting(rows=30_000, rounds=1)
    assert len(rows) == len(BARS)
    assert_nobody_differs(rows, PANDAS, NUMPY)


def test_pictures_equal_every_peers():
    columns = make_columns(20_000)
    rows = run_pixels(columns, size=(1080, 1920), rounds=1)
    rows += run_blur(columns, size=(1080, 1920), rounds=1)
    rows += run_tile(columns, rounds=1)
    assert len(rows) == 5
    assert_nobody_differs(rows)


def test_the_nearest_equal_every_peers():
    rows = run_nearest(points=3_000, cameras=500, rounds=1)
    assert_nobody_differs(rows, TREE, BALL, STRTREE)


def test_loaded_places_equal_every_peers(tmp_path):
    assert_nobody_differs(run_loading(tmp_path, points=2_000, rounds=1), GEOPANDAS, ARROW)


@pytest.mark.filterwarnings("default")
def test_streamed_points_are_all_counted_on_every_engine(tmp_path):
    jobs = write_parts(tmp_path, points=20_000, grids=60, parts=3)
    rows = run_streams(jobs, points=20_000, rounds=1)
    assert [row["equal"] for row in rows] == [True] * 3
    assert_nobody_differs(run_dask(jobs, points=20_000, rounds=1))


def test_every_work_has_a_letter():
    assert "".join(WORKS) == "ABCDEF"
