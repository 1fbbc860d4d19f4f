"""Promise: any day, drawing or other net can be asked; drawings travel and come back whole."""

from __future__ import annotations

import dataclasses
import random
import time
from datetime import date

import geopandas as gpd
import pytest

from geodata.city import writing
from geodata.drawings import owner_on
from geodata.errors import BadFile, BadSetting, NotAllowed, NotFound
from geodata.loading.request import LoadRequest
from geodata.plans.crosswalk import cross_drawings, cross_systems
from geodata.plans.exchange import read_draft, write_draft
from geodata.plans.history import (
    count_cases_by,
    lineage_csv,
    list_drawings,
    list_holders,
    list_lineage,
    list_transfers,
    transfers_csv,
)
from geodata.plans.merging import merge_plans
from geodata.plans.plan import make_plan
from geodata.plans.workshop import Workshop
from tests.city import NOW, load_one, lonlat, say_nothing, square, write_shapes
from tests.planned_city import (
    APPROVER,
    MERGE,
    PLANNER,
    SECOND,
    SPLIT,
    copy_city,
    draw_some,
    place,
    publish_edits,
)


@pytest.fixture
def city(planned_folder, tmp_path):
    return copy_city(planned_folder, tmp_path)


def test_who_owned_a_point_on_a_day_is_said_in_a_blink(city):
    publish_edits(city, [SPLIT, MERGE])
    lon, lat = lonlat(1.5 * 200, 0.5 * 200)
    assert owner_on(city, lon, lat, date(2026, 5, 1)).uid == 3
    assert owner_on(city, lon, lat, date(2026, 6, 2)).uid == 4
    took = []
    for day in range(1, 28):
        begun = time.perf_counter()
        assert owner_on(city, lon, lat, date(2026, 5, day)) is not None
        took.append(time.perf_counter() - begun)
    assert sorted(took)[len(took) // 2] < 0.05  # 2 ms on a quiet machine
    assert [row.drawing for row in list_drawings(city)] == [2, 1]


def test_each_drawing_says_who_answered_and_what_became_of_its_grids(city):
    done = publish_edits(city, [SPLIT, MERGE])
    held = list_holders(city, *lonlat(1.5 * 200, 0.5 * 200))
    assert [(one.drawing, one.code[-6:]) for one in held] == [(2, "001003"), (1, "001002")]
    with pytest.raises(BadSetting):
        list_holders(city, 119.5, 1e9)
    kin = list_lineage(city, done.drawing)
    parted = {(row.old[-3:], row.kind) for row in kin if row.reason == "redrawn"}
    assert parted == {("001", "S"), ("002", "M"), ("003", "M")}
    assert lineage_csv(kin, "zh").startswith("\ufeff".encode())
    # Each open case that changed hands can be read again, and only by who sees the whole city.
    moved = list_transfers(city, APPROVER, done.drawing)
    assert len(moved) == done.taken.transfers > 0
    assert {one.at for one in moved} == {NOW}
    assert all(one.old != one.new for one in moved)
    assert len(transfers_csv(moved, city, "en").splitlines()) == len(moved) + 1
    part = dataclasses.replace(PLANNER, grids=frozenset({2}))
    for asks in (
        lambda: list_transfers(city, part, done.drawing),
        lambda: count_cases_by(city, part, "today", since=0, until=2**40),
        lambda: cross_drawings(city, part, 1, 2, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            asks()
    with pytest.raises(NotFound):
        list_lineage(city, 99)
    assert list_lineage(city, 1) == []


def test_figures_say_whether_they_are_as_it_was_or_by_which_drawing(city):
    before = count_cases_by(city, PLANNER, "today", since=0, until=2**40)
    publish_edits(city, [SPLIT, MERGE])
    was, today, first, second = (
        count_cases_by(city, PLANNER, by, since=0, until=2**40)
        for by in ("event", "today", "1", "2")
    )
    assert was.rows == before.rows == first.rows
    assert today.rows == second.rows != was.rows
    assert len({sum(n for _, n, _ in one.rows) for one in (was, today, first, second)}) == 1


def test_a_crosswalk_adds_up_and_names_who_straddles(city, tmp_path):
    beats = [
        (square(west, 0, wide=1.5, high=3), {"code": code, "name": code, "level": "grid"})
        for west, code in ((0, "B1"), (1.5, "B2"))
    ]
    load_one(city, "grids", write_shapes(tmp_path / "beats.geojson", beats), system="beat")
    found = cross_systems(city, PLANNER, "beat", now=NOW)
    shares = {}
    for row in found.rows:
        shares.setdefault(row.one, []).append(row.area_share)
    assert all(sum(parts) == pytest.approx(1) for parts in shares.values())
    assert set(found.straddling) == {f"32101200100{n}002" for n in (1, 2, 3)}
    assert found.as_csv("zh").startswith("\ufeff".encode())
    done = publish_edits(city, [SPLIT, MERGE])
    between = cross_drawings(city, PLANNER, 1, done.drawing, now=NOW)
    assert between.straddling == ("321012001001001",)


def test_two_plans_become_one_exactly_or_say_what_could_not_follow(city):
    shop = Workshop(city)
    one = make_plan(city, PLANNER, name="甲", now=NOW)
    two = make_plan(city, SECOND, name="乙", now=NOW)
    shop.edit(one.plan, [MERGE], scope=PLANNER, now=NOW)
    stays = {"op": "merge", "grids": [6, 7]}
    vain = {"op": "describe", "grid": 3, "name": "没有了"}
    theirs = [SPLIT, stays, {"op": "undo"}, stays, vain]
    shop.edit(two.plan, theirs, scope=SECOND, now=NOW)
    before = shop.open(two.plan, now=NOW).seq
    merged = merge_plans(city, shop, PLANNER, one.plan, two.plan, now=NOW)
    assert merged.applied == 2
    (refused,) = merged.refused
    assert refused["edit"]["op"] == "describe"
    piece = shop.open(one.plan, now=NOW)
    assert two.first_uid in piece.draft.grids  # the uid its own planner gave it
    assert shop.open(two.plan, now=NOW).seq == before
    # Work goes on with uids of its own range, and the log alone makes it all again.
    more = {"op": "split", "grid": 10, "line": [place(0.5, 1.9), place(0.5, 3.1)]}
    piece, _ = shop.edit(one.plan, [more], scope=PLANNER, now=NOW)
    assert one.first_uid in piece.draft.grids
    again = Workshop(city).open(one.plan, now=NOW)
    assert again.draft.to_frame().to_wkb().equals(piece.draft.to_frame().to_wkb())
    with pytest.raises(NotAllowed):
        merge_plans(city, shop, PLANNER, one.plan, one.plan, now=NOW)


def test_a_draft_travels_to_qgis_and_comes_back_as_the_same_drawing(city, tmp_path):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="外出", now=NOW)
    piece = draw_some(shop, plan.plan, random.Random(6), n=8)
    assert write_draft(city, piece, tmp_path / "draft.gpkg") == len(piece.draft.grids) + 3
    sent = gpd.read_file(tmp_path / "draft.gpkg")
    with writing(city):
        back = read_draft(
            city, PLANNER, [tmp_path / "draft.gpkg"], LoadRequest(now=NOW, layer="grids"),
            name="回来", progress=say_nothing,
        )  # fmt: skip
    drawn = shop.open(back.plan, now=NOW).draft
    area = {row.code: row.geometry.area for row in sent[sent["level"] == "grid"].itertuples()}
    assert {grid.code: grid.area_m2 for grid in drawn.grids.values()} == pytest.approx(area)
    kept = {grid.code: grid.uid for grid in drawn.grids.values()}
    for grid in piece.draft.grids.values():
        if grid.uid < plan.first_uid:
            assert kept[grid.code] == grid.uid


def test_a_file_with_a_grid_missing_is_refused_and_makes_no_plan(city, tmp_path):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="外出", now=NOW)
    write_draft(city, shop.open(plan.plan, now=NOW), tmp_path / "whole.gpkg")
    whole = gpd.read_file(tmp_path / "whole.gpkg")
    lacking = whole[whole["code"] != "321012001002002"]
    lacking.to_file(tmp_path / "lacking.gpkg", layer="grids", driver="GPKG")
    with writing(city), pytest.raises(BadFile) as refused:
        read_draft(
            city, PLANNER, [tmp_path / "lacking.gpkg"], LoadRequest(now=NOW, layer="grids"),
            name="缺一", progress=say_nothing,
        )  # fmt: skip
    assert refused.value.faults[0].key == "plan_land_lost"
    assert make_plan(city, PLANNER, name="下一个", now=NOW).plan == plan.plan + 1
