"""The default demo city is as large, as nested and as lively as promised."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.demo import DemoCity, make_city

NOW = 1_763_780_000
LEVELS = ("city", "district", "street", "community", "grid")


@pytest.fixture(scope="module")
def jiangdu() -> DemoCity:
    return make_city("jiangdu", now=NOW)


def level(city: DemoCity, name: str) -> gpd.GeoDataFrame:
    return city.grids[city.grids["level"] == name].reset_index(drop=True)


def directed_edges(shapes: np.ndarray) -> np.ndarray:
    """Return (from, to) in whole mm of every edge, the inside always on the left."""
    rings = shapely.get_rings(shapely.orient_polygons(shapes))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    mm = np.rint(xy * 1000).astype(np.int64)
    same = ring[1:] == ring[:-1]
    return np.c_[mm[:-1][same], mm[1:][same]]


def unmatched(shapes: np.ndarray) -> set[tuple[int, ...]]:
    """Return the directed edges whose reverse is no edge of another shape."""
    edges = directed_edges(shapes)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 1).all(), "two shapes on the same side of an edge"
    have = {tuple(edge) for edge in unique.tolist()}
    return {edge for edge in have if (*edge[2:], *edge[:2]) not in have}


def test_the_counts_are_exact(jiangdu: DemoCity) -> None:
    grids = jiangdu.grids
    assert grids["level"].value_counts().to_dict() == {
        "grid": 1_101, "community": 120, "street": 13, "district": 1, "city": 1,
    }  # fmt: skip
    assert level(jiangdu, "grid")["kind"].value_counts().to_dict() == {
        "general": 1_091, "special": 10,
    }  # fmt: skip
    sizes = ("components", 220_000), ("kinds", 987), ("bodies", 52), ("cameras", 860)
    for name, size in (*sizes, ("places", 5_000)):
        assert len(getattr(jiangdu, name)) == size, name
    assert jiangdu.kinds["category"].nunique() == 6
    assert jiangdu.events["incident_id"].nunique() == 47_269
    assert (jiangdu.events["stage"] == "reported").sum() == 47_269
    assert jiangdu.events["kind"].nunique() - 1 == 987  # and "" on later events
    assert 15_000 <= len(jiangdu.base["buildings"]) <= 25_000


@pytest.mark.parametrize("name", LEVELS)
def test_each_level_covers_the_city_without_gap_or_overlap(jiangdu: DemoCity, name: str) -> None:
    shapes = level(jiangdu, name).geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    outline = level(jiangdu, "city").geometry.to_numpy()
    outer = {tuple(edge) for edge in directed_edges(outline).tolist()}
    assert unmatched(shapes) == outer
    assert shapely.area(shapes).sum() == pytest.approx(shapely.area(outline)[0], rel=1e-9)


def test_the_city_has_48_square_kilometres(jiangdu: DemoCity) -> None:
    area = level(jiangdu, "city").area[0]
    assert area == pytest.approx(48e6, rel=0.01)
    west, south, east, north = level(jiangdu, "city").total_bounds
    assert area < 0.9 * (east - west) * (north - south)  # no rectangle


@pytest.mark.parametrize(("parent", "child"), list(pairwise(LEVELS)))
def test_each_part_is_exactly_the_sum_of_its_children(
    jiangdu: DemoCity, parent: str, child: str
) -> None:
    upper, lower = level(jiangdu, parent), level(jiangdu, child)
    assert set(lower["parent_code"]) == set(upper["code"])
    for code, shape in zip(upper["code"], upper.geometry, strict=True):
        mine = lower.loc[lower["parent_code"] == code].geometry.to_numpy()
        assert shapely.coverage_union_all(mine).equals(shape)
    sums = lower.groupby("parent_code")[["households", "population"]].sum()
    assert (sums.loc[upper["code"]].to_numpy() == upper[["households", "population"]]).all(
        axis=None
    )


def test_codes_are_text_in_steps_of_6_3_3_3(jiangdu: DemoCity) -> None:
    lengths = {"city": 4, "district": 6, "street": 9, "community": 12, "grid": 15}
    for name, length in lengths.items():
        rows = level(jiangdu, name)
        assert rows["code"].str.fullmatch(rf"3210\d{{{length - 4}}}").all()
        assert rows["code"].is_unique
        assert rows["code"].is_monotonic_increasing
        deep = rows[rows["parent_code"].str.len() >= 6]
        assert (deep["code"].str[:-3] == deep["parent_code"]).all()
        serial = rows["code"].str[-3:].astype(int)
        if length >= 9:  # 1, 2, 3 … inside the parent
            expected = rows.groupby("parent_code").cumcount() + 1
            assert (serial == expected).all()


def test_grids_are_numbered_west_to_east_and_north_to_south(jiangdu: DemoCity) -> None:
    right = []
    for _, rows in level(jiangdu, "grid").groupby("parent_code"):
        if len(rows) < 4:
            continue
        middle = rows.geometry.centroid
        rank = np.arange(len(rows))
        right.append(np.corrcoef(rank, middle.y)[0, 1] < 0)
    assert np.mean(right) > 0.95


def test_siblings_never_share_a_name(jiangdu: DemoCity) -> None:
    assert not jiangdu.grids.duplicated(["parent_code", "name"]).any()
    assert level(jiangdu, "community")["name"].is_unique
    posts = level(jiangdu, "grid")["body"]
    assert posts.is_unique
    assert posts.str.endswith("岗").all()  # a post, never a person


def test_general_grids_carry_loads_of_one_size(jiangdu: DemoCity) -> None:
    grids = level(jiangdu, "grid").query("kind == 'general'")
    load = grids["households"] + 14 * grids.area / 1e4  # as the demo counts fields
    assert load.quantile(0.95) < 2.5 * load.median()
    assert load.quantile(0.05) > 0.25 * load.median()


def test_closed_cases_are_97_3_percent_of_registered_ones(jiangdu: DemoCity) -> None:
    events = jiangdu.events.sort_values(["incident_id", "seq"])
    registered = events.loc[events["stage"] == "registered", "incident_id"].nunique()
    last = events.groupby("incident_id")["stage"].last()
    closed = last.isin(["closed", "evaluated"]).sum()
    assert 100 * closed / registered == pytest.approx(97.3, abs=0.1)


def test_most_cases_close_in_time_and_a_tail_is_late(jiangdu: DemoCity) -> None:
    events = jiangdu.events.sort_values(["incident_id", "seq"])
    due = events.dropna(subset="due_at").groupby("incident_id")["due_at"].last()
    closed = events[events["stage"] == "closed"].groupby("incident_id")["at"].last()
    on_time = (closed <= due.reindex(closed.index)).mean()
    assert on_time == pytest.approx(0.93, abs=0.02)
    last = events.groupby("incident_id")["stage"].last()
    running = last[~last.isin(["closed", "evaluated", "not_registered", "suspended"])].index
    late_s = NOW - due.reindex(running).dropna().astype(float)
    assert 100 < (late_s > 0).sum() < 600
    assert late_s.max() > 30 * 86_400


def test_all_stages_of_a_year_are_there(jiangdu: DemoCity) -> None:
    stages = set(jiangdu.events["stage"])
    assert stages == {
        "reported", "registered", "not_registered", "dispatched", "returned", "suspended",
        "extended", "handled", "closed", "reopened", "evaluated", "escalated",
    }  # fmt: skip
    assert jiangdu.events["at"].max() < NOW
    assert jiangdu.events["at"].min() >= NOW - 366 * 86_400
    assert set(jiangdu.events["source"]) == {"patrol", "citizen", "hotline", "sensor", "camera"}


def test_ids_are_text_of_their_standards(jiangdu: DemoCity) -> None:
    assert jiangdu.cameras["camera_id"].str.fullmatch(r"32101200001(131|132)0\d{5}").all()
    assert jiangdu.components["id"].str.fullmatch(r"\d{16}").all()
    assert jiangdu.events["incident_id"].str.fullmatch(r"JD20\d\d-\d{7}").all()
    for name, key in (("cameras", "camera_id"), ("components", "id"), ("places", "id")):
        assert getattr(jiangdu, name)[key].is_unique
    assert set(jiangdu.events["body"]) - {""} <= set(jiangdu.bodies["body"])


def test_incidents_follow_the_hours_and_the_seasons(jiangdu: DemoCity) -> None:
    reports = jiangdu.events[jiangdu.events["stage"] == "reported"]
    local = pd.to_datetime(reports["at"], unit="s", utc=True).dt.tz_convert("Asia/Shanghai")
    hours = local.dt.hour.value_counts()
    assert hours[9] > 5 * hours[3]
    name = jiangdu.kinds.set_index("code")["name_zh"].reindex(reports["kind"]).to_numpy()
    month = local.dt.month.to_numpy()
    leaves = pd.Series(month[pd.Series(name).str.contains("落叶").to_numpy()]).value_counts()
    ice = pd.Series(month[pd.Series(name).str.contains("结冰").to_numpy()]).value_counts()
    assert leaves.idxmax() in (10, 11, 12)
    assert ice.idxmax() in (12, 1, 2)


def test_incidents_lie_on_land_some_on_lines_and_some_nowhere(jiangdu: DemoCity) -> None:
    reports = jiangdu.events[jiangdu.events["stage"] == "reported"]
    here = reports.dropna(subset="x_mm")
    assert 20 < len(reports) - len(here) < 200
    points = shapely.points(here["x_mm"] / 1000, here["y_mm"] / 1000)
    tree = shapely.STRtree(level(jiangdu, "grid").geometry.to_numpy())
    owners = np.bincount(tree.query(points, predicate="intersects")[0], minlength=len(points))
    assert 0.01 < (owners > 1).mean() < 0.025  # exactly on a border
    assert 20 < (owners == 0).sum() < 300  # just outside
    water = jiangdu.base["water"]
    river = water.geometry[water["kind"] == "river"].to_numpy()
    wet = shapely.STRtree(points).query(shapely.buffer(river, -8.0), predicate="contains")[1]
    assert len(wet) < 0.002 * len(points)


def test_the_base_map_is_modest_and_has_every_class(jiangdu: DemoCity) -> None:
    roads = jiangdu.base["roads"]
    assert set(roads["class"]) == {
        "rail", "expressway", "arterial", "collector", "local", "path",
    }  # fmt: skip
    major = roads["class"].isin(["rail", "expressway", "arterial", "collector"])
    assert (roads.loc[major, "name"] != "").all()
    assert set(jiangdu.base["water"]["kind"]) == {"river", "canal", "lake"}
    corners = sum(shapely.get_num_coordinates(f.geometry).sum() for f in jiangdu.base.values())
    assert corners < 300_000
    assert all(frame.geometry.is_valid.all() for frame in jiangdu.base.values())


def test_buildings_stand_on_dry_ground(jiangdu: DemoCity) -> None:
    water = jiangdu.base["water"].geometry.to_numpy()
    buildings = jiangdu.base["buildings"].geometry.to_numpy()
    hit = shapely.STRtree(buildings).query(water, predicate="intersects")
    assert len(hit[0]) == 0


def test_counts_agree_with_the_grids(jiangdu: DemoCity) -> None:
    grids = level(jiangdu, "grid").set_index("code")
    counts = jiangdu.counts.set_index("code")
    assert (counts["households"] == grids.loc[counts.index, "households"]).all()
    assert counts["buildings"].sum() == len(jiangdu.base["buildings"])
