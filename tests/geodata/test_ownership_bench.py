"""The benchmark compares like with like: its answers are checked here, its times nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from bench.contest import BUSY, Bar, Contest, find_peer, is_equal, print_row
from bench.made_up import make_cells, make_grids, make_points
from bench.ownership import GEOPANDAS, PEERS, SHAPELY, move_corner, run_cells, run_ownership
from bench.ownership import run_single as run_singles

KEYS = ["work", "case", "n", "ours_s", "peer", "peer_s", "ratio", "equal", "note"]


@pytest.mark.parametrize("seed", [1, 7])
def test_made_up_grids_leave_no_gap_and_share_no_land(seed):
    grids = make_grids(150, seed=seed)
    assert len(grids) == 150
    assert shapely.coverage_is_valid(grids)
    assert (np.rint(shapely.get_coordinates(grids)) == shapely.get_coordinates(grids)).all()
    assert shapely.equals_exact(grids, make_grids(150, seed=seed)).all()
    assert shapely.coverage_is_valid(make_cells(5, side_mm=100_000))
    assert shapely.is_valid(move_corner(grids[3]))


def test_made_up_points_lie_in_hot_spots_and_outside_too():
    grids = make_grids(60)
    x, y = make_points(20_000, grids)
    cells = np.histogram2d(x, y, bins=20)[0].ravel()
    assert cells.max() > 5 * cells.mean()
    whole = shapely.union_all(grids)
    assert 0.001 < 1 - shapely.intersects_xy(whole, x, y).mean() < 0.5


def test_our_owners_equal_every_peers():
    rows = run_ownership(points=20_000, grids=80, rounds=1, peers=PEERS)
    for row in rows:
        assert list(row)[: len(KEYS)] == KEYS
        assert row["n"] == 20_000
        assert row["ours_s"] > 0
        assert row["equal"] in (True, None), row
    equal = {row["peer"] for row in rows if row["equal"]}
    assert {GEOPANDAS, SHAPELY} <= equal
    missing = [row for row in rows if row["peer_s"] is None]
    assert all(row["reached"] is False for row in missing)
    assert all("not installed" in row["note"] for row in missing)
    if find_peer("sedonadb") is not None:
        assert set(PEERS) <= equal


def test_cells_many_grids_and_single_answers_are_measured_too():
    rows = [*run_cells(points=5_000, rounds=1), *run_singles(grids=60, rebuilds=1)]
    assert len(rows) == 5
    assert not [row for row in rows if row["equal"] is False]
    assert rows[-1]["equal"] is True


def test_a_result_says_what_was_asked_and_whether_it_was_reached():
    contest = Contest(work="X", case="case", n=2, rounds=3)
    contest.enter("ours", lambda: (1, np.array([2])), answer=lambda found: found)
    contest.enter("slow", lambda: (1, np.array([3])), answer=lambda found: found)
    contest.enter("absent", None)
    contest.run()
    contest.times = {"ours": [1.0, 2.0, 4.0], "slow": [3.0, 8.0, 8.0]}
    asked = [Bar(ours="ours", peer="slow", ratio=r) for r in (2.9, 3.1)]
    rows = contest.rows([*asked, Bar(ours="ours", peer="absent", ratio=1)])
    assert [row["ratio"] for row in rows] == [3.0, 3.0, None]
    assert [row["equal"] for row in rows] == [False, False, None]
    assert rows[2]["reached"] is False
    assert "DIFFERENT" in print_row(rows[0])
    assert "not installed" in print_row(rows[2])


def test_two_thirds_of_a_bar_must_do_on_a_busy_machine_and_no_more():
    ratio, seconds = Bar(ours="a", peer="b", ratio=9), Bar(ours="a", peer="", seconds=0.1)
    for load, least, most in ((BUSY, 9, 0.1), (BUSY + 1, 6, 0.15)):
        assert ratio.is_reached(least, 0, load)
        assert not ratio.is_reached(least - 0.01, 0, load)
        assert seconds.is_reached(None, most, load)
        assert not seconds.is_reached(None, most + 0.001, load)
    assert Bar(ours="a", peer="b").is_reached(1, 1, 0) is None


def test_answers_are_compared_whole():
    assert is_equal((1, np.array([1, 2])), (1, np.array([1, 2])))
    assert not is_equal((1, np.array([1, 2])), (1, np.array([1, 3])))
    assert not is_equal((1,), (1, 2))
