from __future__ import annotations

import numpy as np
import pytest

from bench.made_up_land import make_land
from bench.redraw import (
    drift_loads,
    measure_plan,
    measure_proposals,
    measure_rebalance,
    open_land,
    walk_draft,
)


@pytest.fixture(scope="module")
def land():
    return make_land(blocks=250, grids=60, communities=5)


def test_a_walk_proves_itself_and_is_taken_back(land):
    walk = walk_draft(open_land(land), 25, seed=1)
    assert len(walk.taken) == len(walk.elapsed) == 25
    assert walk.exact
    assert walk.undone
    assert walk.drift <= 1e-8


def test_a_peer_that_is_not_installed_counts_as_not_reached(land):
    rows = measure_proposals(land, seeds=1, grids=10)
    ours, *peers = rows
    assert ours["equal"]
    for row in peers:
        missing = row["peer_s"] is None
        assert row["peer"] in ("GerryChain", "spopt")
        assert missing == ("not installed" in row["note"])
        assert not (missing and row["reached"])


def test_rebalancing_is_told_beside_what_must_move(land):
    rows = measure_rebalance(land, grids=10)
    assert [row["case"][:20] for row in rows] == ["rebalance from today"] * 2
    assert all("of at least" in row["note"] and row["equal"] for row in rows)
    assert (drift_loads(land, seed=1) != drift_loads(land, seed=2)).any()


def test_a_plan_is_measured_by_its_load_its_shape_and_its_parts(land):
    whole = np.zeros(len(land.blocks), np.int64)
    off, round_, over = measure_plan(land, whole)
    assert (off, over) == (0, 0)
    assert 0.3 < round_ < 1
    odd = whole.copy()
    odd[[0, len(odd) // 2]] = 1
    assert measure_plan(land, odd)[2] >= 0
