"""Every made-up city has the size it is named for, and is made in portions that fit in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from commands.demo import SCENARIOS as OFFERED
from geodata.demo import SCENARIOS, make_city
from geodata.demo import city as demo_city
from geodata.demo.scenarios import find_plan
from geodata.demo.town import build_town

NOW = 1_763_780_000
SIZES = {  # streets, communities, grids, incidents, cameras
    "xianlin": (6, 46, 1_156, 60_000, 1_400),
    "dongcheng": (17, 177, 1_593, 120_000, 3_200),
    "wuhu": (11, 118, 996, 160_000, 100_000),
    "dari": (10, 34, 484, 3_000_000, 420),
    "dengzhou": (28, 626, 6_125, 200_000, 5_000),
    "worst": (28, 626, 6_125, 3_000_000, 100_000),
}


def keep_quiet(key, share):
    pass


def test_the_command_offers_every_city():
    assert OFFERED == SCENARIOS == ("gaoshan", "jiangdu", *SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_each_plan_is_of_its_own_size_and_place(name):
    plan = find_plan(name)
    grids = plan.grids + len(plan.sites)
    sizes = plan.streets, plan.communities, grids, plan.incidents, plan.cameras
    assert sizes == SIZES[name]
    assert plan.scenario == name
    assert plan.code.startswith(plan.city_code)
    assert plan.names.english_of(plan.seat)
    others = [find_plan(other) for other in SCENARIOS if other != name]
    assert plan.prefix not in {other.prefix for other in others}


def test_portions_make_up_the_city_and_number_each_case_once(monkeypatch):
    monkeypatch.setattr(demo_city, "PORTION", 100)
    city = make_city("gaoshan", now=NOW)
    portions = list(city.all_events())
    assert [portion["incident_id"].nunique() for portion in portions] == [100, 100, 40]
    whole = pd.concat(portions)
    assert whole["incident_id"].nunique() == 240 == city.incidents
    assert (whole["stage"] == "reported").sum() == 240
    assert not whole.duplicated(["incident_id", "seq"]).any()
    again = list(make_city("gaoshan", now=NOW).all_events())
    pd.testing.assert_frame_equal(pd.concat(again), whole)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in SIZES if name != "worst"])
def test_the_grids_of_each_city_nest_and_leave_no_gap(name):
    town = build_town(find_plan(name), 7, keep_quiet)
    grids = town.divisions.grids
    counts = grids["level"].value_counts()
    assert (counts["street"], counts["community"], counts["grid"]) == SIZES[name][:3]
    assert grids["code"].is_unique
    assert grids.loc[grids["level"] == "community", "name"].is_unique
    finest = grids[grids["level"] == "grid"].geometry.to_numpy()
    assert shapely.coverage_is_valid(finest)
    if name == "dari":  # from tiny to very large
        areas = shapely.area(finest)
        assert areas.max() > 20 * np.quantile(areas, 0.02)
