"""The benchmark compares like with like: its answers are checked here, its times nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from bench.made_up import make_grids, make_points
from bench.ownership import PEERS, run_ownership

KEYS = ["work", "case", "n", "ours_s", "peer", "peer_s", "ratio", "equal", "note"]


@pytest.mark.parametrize("seed", [1, 7])
def test_made_up_grids_leave_no_gap_and_share_no_land(seed):
    grids = make_grids(150, seed=seed)
    assert len(grids) == 150
    assert shapely.coverage_is_valid(grids)
    assert (np.rint(shapely.get_coordinates(grids)) == shapely.get_coordinates(grids)).all()
    assert shapely.equals_exact(grids, make_grids(150, seed=seed)).all()


def test_made_up_points_lie_in_hot_spots_and_outside_too():
    grids = make_grids(60)
    x, y = make_points(20_000, grids)
    cells = np.histogram2d(x, y, bins=20)[0].ravel()
    assert cells.max() > 5 * cells.mean()
    whole = shapely.union_all(grids)
    assert 0.001 < 1 - shapely.intersects_xy(whole, x, y).mean() < 0.5


def test_our_owners_equal_every_peers():
    rows = run_ownership(points=20_000, grids=80, rounds=2, peers=tuple(PEERS))
    assert len(rows) == 4 * len(PEERS)
    for row in rows:
        assert list(row) == KEYS
        assert row["equal"] is True, row
        assert row["n"] == 20_000
        assert row["ours_s"] > 0
        assert row["peer_s"] > 0
