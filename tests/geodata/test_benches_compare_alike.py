"""Every work of the benchmark compares equal answers; small, for correctness only."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.counting import BARS, NUMPY, PANDAS, run_counting
from bench.density import make_columns, run_blur, run_pixels, run_tile
from bench.growth import list_sizes, run_growth
from bench.loading import ARROW, GEOPANDAS, run_loading
from bench.nearest import BALL, STRTREE, TREE, run_nearest
from bench.streams import DEGREES, OTHER_FORMS, run_dask, run_forms, run_streams, write_parts
from bench.works import WORKS
from layers import pyramid


def assert_nobody_differs(rows, *peers):
    assert not [row for row in rows if row["equal"] is False]
    assert {row["peer"] for row in rows if row["equal"]} >= set(peers)


def test_counts_equal_every_peers():
    rows = run_counting(rows=30_000, rounds=1)
    assert len(rows) == len(BARS)
    assert_nobody_differs(rows, PANDAS, NUMPY)


def test_pictures_equal_every_peers(monkeypatch):
    monkeypatch.setattr(pyramid, "LARGE", 1)
    monkeypatch.setattr(pyramid, "_LEAST_A_CELL", 0)
    columns = make_columns(20_000)
    rows = run_pixels(columns, size=(1080, 1920), rounds=1)
    rows += run_blur(columns, size=(1080, 1920), rounds=1)
    tiles = run_tile(columns, rounds=1)
    assert [row["equal"] for row in tiles] == [True, True, True, None, None]
    rows += tiles
    assert len(rows) == 9
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


def test_every_form_of_a_file_counts_the_same(tmp_path):
    rows = run_forms(tmp_path, points=9_000, rounds=1, grids=60)
    assert [row["case"].rpartition(": ")[2] for row in rows] == list(OTHER_FORMS)
    assert [row["equal"] for row in rows] == [None if f == DEGREES else True for f in OTHER_FORMS]


def test_growth_is_told_and_drawn_for_every_size(tmp_path):
    plot = tmp_path / "growth.svg"
    rows = list(run_growth(points=300_000, rounds=1, plot=plot, grids=60))
    assert [row["n"] for row in rows] == [100_000, 300_000] * 3
    assert all(row["ratio"] > 0 and row["reached"] in (True, False) for row in rows)
    drawn = ElementTree.parse(plot).getroot()
    assert len(drawn.findall("{*}circle")) == len(rows) + 3  # a mark each, and the key
    assert list_sizes(10**8)[-1] == 10**8
    assert list_sizes(5) == [5]


def test_every_work_has_a_letter():
    assert "".join(WORKS) == "ABCDEF"
