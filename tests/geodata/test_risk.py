"""Promise: the risk of a grid is the sum of its printed terms, and thin records say so."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.risk import DAY_S, choose_exposure, estimate_risk

NOW = 1_800_000_000


def make_risk(owner, days_ago, *, grids=50, patrol=None, exposure=None):
    owner = np.asarray(owner, np.int32)
    return estimate_risk(
        owner,
        NOW - (np.asarray(days_ago) * DAY_S).astype(np.int64),
        patrol=np.zeros(len(owner), bool) if patrol is None else patrol,
        exposure=np.ones(grids) if exposure is None else exposure,
        exposure_name="area",
        now=NOW,
        days=28,
        half_life_weeks=26,
    )


@pytest.fixture
def record():
    rng = np.random.default_rng(3)
    truth = rng.gamma(2.0, 0.05, 50)  # incidents a day
    owner = np.repeat(np.arange(50), rng.poisson(truth * 365))
    return truth, owner, rng.uniform(0, 365, len(owner))


def test_the_terms_add_up_to_the_figure(record):
    _, owner, ago = record
    risk = make_risk(owner, ago)
    assert np.abs(risk.own + risk.borrowed - risk.value).max() < 1e-9
    assert ((risk.low <= risk.value) & (risk.value <= risk.high)).all()


def test_the_band_holds_the_truth_about_as_often_as_it_says(record):
    truth, owner, ago = record
    risk = make_risk(owner, ago)
    inside = ((risk.low <= truth * 28) & (truth * 28 <= risk.high)).mean()
    assert inside >= 0.68


def test_shrinking_comes_nearer_the_truth_than_the_raw_rate():
    rng = np.random.default_rng(5)
    truth = rng.gamma(2.0, 0.01, 400)
    owner = np.repeat(np.arange(400), rng.poisson(truth * 90))
    risk = make_risk(owner, rng.uniform(0, 90, len(owner)), grids=400)
    raw = np.bincount(owner, minlength=400) / 90 * 28
    assert ((risk.value - truth * 28) ** 2).mean() < ((raw - truth * 28) ** 2).mean()


def test_what_patrols_find_is_left_out_and_counted(record):
    _, owner, ago = record
    patrol = np.arange(len(owner)) % 2 == 0
    risk = make_risk(owner, ago, patrol=patrol)
    assert risk.left_out == patrol.sum()
    assert risk.counted == (~patrol).sum()


def test_a_grid_with_fewer_than_three_incidents_is_thin():
    risk = make_risk([0, 0, 1, 1, 1], [1, 2, 3, 4, 5], grids=3)
    assert risk.thin.tolist() == [True, False, True]


def test_unowned_and_future_incidents_do_not_count():
    risk = make_risk([-1, 0, 0], [1, -10, 5], grids=2)
    assert risk.n.sum() == 1


def test_the_denominator_is_the_first_that_is_known():
    nothing = np.full(4, np.nan)
    some = np.array([100.0, 0.0, 300.0, 200.0])
    area = np.full(4, 2e6)
    name, values = choose_exposure("auto", households=nothing, population=some, area_m2=area)
    assert name == "population"
    assert values.tolist() == [100.0, 100.0, 300.0, 200.0]
    assert (
        choose_exposure("auto", households=nothing, population=nothing, area_m2=area)[0] == "area"
    )
