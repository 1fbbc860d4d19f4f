"""The smallest made-up city keeps what is promised of every one."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.demo import DemoCity, make_city
from geodata.demo.responses import GRAVE
from geodata.demo.workdays import add_limit, make_calendar
from geodata.reference.edits import LONGEST_CELL
from geodata.words import has_words

NOW = 1_763_780_000  # 22 November 2025, 10:53 in China
TABLES = (
    "grids", "events", "kinds", "bodies", "cameras", "places", "components", "counts", "calendar",
)  # fmt: skip
PERSONAL = ("person", "name_of", "phone", "mobile", "id_card", "姓名", "电话", "身份证", "手机")


@pytest.fixture(scope="module")
def gaoshan() -> DemoCity:
    return make_city("gaoshan", now=NOW)


def tables_of(city: DemoCity) -> dict[str, pd.DataFrame]:
    return {name: getattr(city, name) for name in TABLES} | {
        f"base.{name}": frame for name, frame in city.base.items()
    }


def test_gaoshan_has_five_grids_in_one_community(gaoshan: DemoCity) -> None:
    assert gaoshan.grids["level"].tolist() == ["community"] + ["grid"] * 5
    assert gaoshan.grids["parent_code"].tolist() == [""] + [gaoshan.grids["code"][0]] * 5
    assert len(gaoshan.bodies) == 2
    assert set(gaoshan.kinds["body"]) == set(gaoshan.bodies["body"])


def test_the_same_seed_and_moment_make_the_same_city(gaoshan: DemoCity) -> None:
    again = tables_of(make_city("gaoshan", now=NOW))
    for name, table in tables_of(gaoshan).items():
        pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(again[name]))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_makes_another_whole_city(gaoshan: DemoCity, seed: int) -> None:
    other = make_city("gaoshan", now=NOW, seed=seed)
    assert len(other.grids) == 6
    assert shapely.coverage_is_valid(finest(other).geometry.to_numpy())
    assert not other.grids.geometry.geom_equals(gaoshan.grids.geometry).all()


def test_a_later_moment_moves_the_cases_but_not_the_streets(gaoshan: DemoCity) -> None:
    later = make_city("gaoshan", now=NOW + 86_400 * 30)
    assert later.grids.geometry.geom_equals(gaoshan.grids.geometry).all()
    assert later.events["at"].max() > gaoshan.events["at"].max()


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(KeyError):
        make_city("atlantis", now=NOW)


def test_progress_speaks_in_words_both_languages_have() -> None:
    told: list[tuple[str, float]] = []
    make_city("gaoshan", now=NOW, progress=lambda key, share: told.append((key, share)))
    assert all(has_words(key) for key, _ in told)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_every_table_has_its_columns(gaoshan: DemoCity) -> None:
    wanted = {
        "grids": "code name level parent_code kind body households population geometry",
        "events": "source incident_id seq stage at due_at body reason lon lat x_mm y_mm kind",
        "kinds": "code name_zh name_en category category_en body limit limit_unit severity"
        " patrol_found response response_en",
        "bodies": "body name_zh name_en kind duty_line",
        "cameras": "camera_id name class state bearing angle range_m lon lat geometry",
        "places": "id name kind capacity state lon lat geometry",
        "components": "id kind state lon lat geometry",
        "counts": "code valid_from households population buildings floor_area road_km",
        "calendar": "date working name",
        "base.roads": "class name geometry",
        "base.water": "kind name geometry",
        "base.green": "kind name geometry",
        "base.buildings": "floors geometry",
    }
    tables = tables_of(gaoshan)
    assert {name: set(table.columns) for name, table in tables.items()} == {
        name: set(columns.split()) for name, columns in wanted.items()
    }


def test_a_kind_that_cannot_wait_has_a_response_card_that_a_clerk_can_change(
    gaoshan: DemoCity,
) -> None:
    grave = gaoshan.kinds["severity"] >= GRAVE
    assert grave.any()
    for column in ("response", "response_en"):
        assert ((gaoshan.kinds[column] != "") == grave).all()
        assert gaoshan.kinds[column].str.len().max() <= LONGEST_CELL


def test_no_column_is_about_a_person(gaoshan: DemoCity) -> None:
    for table in tables_of(gaoshan).values():
        assert not [name for name in table.columns if any(word in name for word in PERSONAL)]
    assert not gaoshan.bodies["duty_line"].str.match(r"1\d{10}$").any()  # no mobile


def test_every_coordinate_of_a_place_is_a_whole_millimetre(gaoshan: DemoCity) -> None:
    for frame in (gaoshan.grids, gaoshan.cameras, gaoshan.places, gaoshan.components):
        assert_whole_mm(frame)
    for frame in gaoshan.base.values():
        assert_whole_mm(frame)
    placed = gaoshan.events["x_mm"].dropna()
    assert (placed == np.rint(placed)).all()


def test_only_reports_carry_place_and_kind(gaoshan: DemoCity) -> None:
    first = gaoshan.events["stage"] == "reported"
    assert gaoshan.events.loc[~first, ["lon", "lat", "x_mm", "y_mm"]].isna().all(axis=None)
    assert (gaoshan.events.loc[~first, "kind"] == "").all()
    assert gaoshan.events.loc[first, "kind"].isin(gaoshan.kinds["code"]).all()


def test_events_of_an_incident_follow_each_other(gaoshan: DemoCity) -> None:
    ordered = gaoshan.events.sort_values(["incident_id", "seq"])
    steps = ordered.groupby("incident_id")
    assert (steps["at"].diff().dropna() >= 0).all()
    assert (steps["seq"].diff().dropna() == 1).all()
    assert (steps["stage"].first() == "reported").all()
    assert (gaoshan.events["at"] < NOW).all()


def test_working_limits_skip_weekends_and_nights() -> None:
    calendar = make_calendar(pd.Timestamp("2025-11-01").date(), pd.Timestamp("2025-12-31").date())
    moments = ["2025-11-21 16:00", "2025-11-22 12:00", "2025-11-21 20:00", "2025-11-21 10:00"]
    start = [pd.Timestamp(text, tz="Asia/Shanghai").timestamp() for text in moments]
    due = add_limit(
        np.array(start, np.int64),
        np.array([4, 1, 2, 30]),
        np.array(["working_hours", "working_days", "working_hours", "minutes"], object),
        calendar,
    )
    local = pd.to_datetime(due, unit="s", utc=True).tz_convert("Asia/Shanghai")
    assert local.strftime("%m-%d %H:%M").tolist() == [
        "11-24 12:00", "11-25 09:00", "11-24 11:00", "11-21 10:30",
    ]  # fmt: skip


def test_the_calendar_knows_make_up_days() -> None:
    calendar = make_calendar(pd.Timestamp("2025-09-20").date(), pd.Timestamp("2025-10-12").date())
    working = dict(zip(calendar["date"], calendar["working"], strict=True))
    assert working["2025-09-28"]  # a Sunday made up for the holiday
    assert not working["2025-10-01"]
    assert working["2025-10-09"]


def finest(city: DemoCity) -> gpd.GeoDataFrame:
    return city.grids[city.grids["level"] == "grid"]


def assert_whole_mm(frame: gpd.GeoDataFrame) -> None:
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    assert np.array_equal(xy, np.rint(xy * 1000) / 1000)
    assert frame.crs.to_epsg() == 4549
