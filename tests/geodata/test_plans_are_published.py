"""Promise: a plan takes effect as a whole, after two accounts, and can be taken back."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pytest

from geodata.city import open_city
from geodata.drawings import owner_on
from geodata.errors import BadGrid, BadSetting, NotAllowed, Overtaken
from geodata.events.rebuild import rebuild
from geodata.plans.plan import approve_plan, drop_plan, make_plan, return_plan, submit_plan
from geodata.plans.publish import publish_plan, roll_back
from geodata.plans.renumber import make_renumbering
from geodata.plans.takeover import take_due
from geodata.plans.workshop import Workshop
from geodata.snapshots.facts import FactsKeeper
from geodata.snapshots.snapshot import Snapshot
from geodata.store.audit import read_head
from geodata.store.dump import canonical_dump
from geodata.store.takeover import read_lineage, read_used_codes
from tests.city import NOW, lonlat
from tests.planned_city import (
    APPROVER,
    MERGE,
    PLANNER,
    SECOND,
    SPLIT,
    TODAY,
    copy_city,
    draw_some,
    place,
    publish_edits,
    uids_of,
)

DAY = 86_400


@pytest.fixture
def city(planned_folder, tmp_path):
    return copy_city(planned_folder, tmp_path)


def dump(city):
    with city.database.read() as connection:
        return canonical_dump(connection)


def same_snapshots(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in Snapshot.__slots__
        if name != "revision"
    )


def owners_of(city):
    with city.database.read() as connection:
        return connection.execute("SELECT inc, owner, open FROM incident ORDER BY inc").fetchall()


def test_a_published_plan_is_what_a_rebuild_makes_and_every_screen_follows(city):
    keeper = FactsKeeper(city)
    assert keeper.current(NOW).grids.drawing == 1
    before = owners_of(city)
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="春季", now=NOW)
    draw_some(shop, plan.plan, random.Random(3), n=20)
    submit_plan(city, PLANNER, plan.plan, now=NOW)
    approve_plan(city, APPROVER, plan.plan, effective=TODAY, now=NOW)
    done = publish_plan(city, APPROVER, plan.plan, workshop=shop, now=NOW)
    assert done.taken is not None
    assert done.taken.incidents > 20
    assert rebuild(city, now=NOW).equal
    # The facts that a server holds follow, and are those of a server started now.
    followed = keeper.current(NOW)
    assert followed.grids.drawing == done.drawing
    for old in city.folder.glob("snapshot*"):
        old.unlink()
    fresh = FactsKeeper(open_city(city.folder)).current(NOW)
    assert same_snapshots(followed.snapshot, fresh.snapshot)
    # Each open case that changed hands has its record, and nothing else has.
    was = {inc: (owner, opened) for inc, owner, opened in before}
    moved = {
        inc: (was[inc][0], owner) for inc, owner, _ in owners_of(city)
        if was[inc][1] and was[inc][0] != owner
    }  # fmt: skip
    with city.database.read() as connection:
        kept = connection.execute("SELECT inc, from_uid, to_uid FROM case_transfer").fetchall()
    assert {inc: (one, other) for inc, one, other in kept} == moved
    assert len(moved) == done.taken.transfers > 5


def test_screens_of_a_large_city_follow_a_publish_at_once_though_their_facts_rest(
    city, monkeypatch
):
    monkeypatch.setattr("geodata.snapshots.facts._MANY_INCIDENTS", 1)
    monkeypatch.setattr("geodata.snapshots.facts._REST_OF_MANY_S", 3600.0)
    keeper = FactsKeeper(city)
    first = keeper.current(NOW)
    make_plan(city, PLANNER, name="春季", now=NOW)  # the store goes on, the drawing stands
    assert keeper.current(NOW) is first
    done = publish_edits(city, [SPLIT])
    assert keeper.current(NOW).grids.drawing == done.drawing
    back = roll_back(city, APPROVER, 1, effective=TODAY, reason="试行无效", now=NOW + 60)
    assert keeper.current(NOW + 60).grids.drawing == back.drawing


def test_a_roll_back_brings_every_owner_back_and_deletes_nothing(city):
    before = owners_of(city)
    done = publish_edits(city, [SPLIT, MERGE])
    assert owners_of(city) != before
    back = roll_back(city, APPROVER, 1, effective=TODAY, reason="试行无效", now=NOW + 60)
    assert owners_of(city) == before
    assert rebuild(city, now=NOW + 60).equal
    assert [back.drawing, done.drawing] == [3, 2]
    old, new = city.grids_in_force(NOW - 1), city.grids_in_force(NOW + 61)
    columns = ["uid", "code", "name", "households"]
    assert old.grids[columns].equals(new.grids[columns])
    assert city.grids_in_force(NOW + 30).drawing == 2


def test_on_the_day_it_begins_a_scheduled_drawing_takes_effect_and_not_before(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="七月", now=NOW)
    shop.edit(plan.plan, [SPLIT, MERGE], scope=PLANNER, now=NOW)
    submit_plan(city, PLANNER, plan.plan, now=NOW)
    approve_plan(city, APPROVER, plan.plan, effective=date(2026, 6, 3), now=NOW)
    before = dump(city)
    done = publish_plan(city, APPROVER, plan.plan, workshop=shop, now=NOW)
    assert done.taken is None
    assert take_due(city, now=NOW) == []
    assert dump(city) == before
    (taken,) = take_due(city, now=NOW + 2 * DAY)
    assert taken.drawing == done.drawing
    assert rebuild(city, now=NOW + 2 * DAY).equal
    # Who owned a point on a day: the second of June still the old grid, the third the new one.
    lon, lat = lonlat(1.5 * 200, 0.5 * 200)
    assert owner_on(city, lon, lat, date(2026, 6, 2)).uid == 3
    assert owner_on(city, lon, lat, date(2026, 6, 3)).uid == 4


def test_whoever_drew_a_plan_does_not_approve_it(city):
    both = SECOND.__class__.whole_city("both", ("read", "plan", "approve"))
    shop, plan = Workshop(city), make_plan(city, both, name="一人", now=NOW)
    shop.edit(plan.plan, [MERGE], scope=both, now=NOW)
    submit_plan(city, both, plan.plan, now=NOW)
    with pytest.raises(NotAllowed) as refused:
        approve_plan(city, both, plan.plan, effective=TODAY, now=NOW)
    assert refused.value.faults[0].key == "plan_own"
    with pytest.raises(NotAllowed):
        approve_plan(city, PLANNER, plan.plan, effective=TODAY, now=NOW)
    with pytest.raises(BadSetting) as past:
        approve_plan(city, APPROVER, plan.plan, effective=date(2026, 5, 31), now=NOW)
    assert past.value.faults[0].key == "plan_past"
    with pytest.raises(NotAllowed):  # nobody has approved it
        publish_plan(city, APPROVER, plan.plan, workshop=shop, now=NOW)
    assert city.grids_in_force(NOW).drawing == 1


def test_a_plan_whose_base_was_retired_is_refused_and_stays(city):
    shop, late = Workshop(city), make_plan(city, PLANNER, name="迟", now=NOW)
    shop.edit(late.plan, [MERGE], scope=PLANNER, now=NOW)
    publish_edits(city, [SPLIT])
    with pytest.raises(Overtaken) as refused:
        submit_plan(city, PLANNER, late.plan, now=NOW)
    assert refused.value.faults[0].key == "plan_base_retired"
    assert Workshop(city).open(late.plan, now=NOW).seq == 1


def test_what_is_submitted_is_not_edited_until_it_is_returned(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="定稿", now=NOW)
    shop.edit(plan.plan, [MERGE], scope=PLANNER, now=NOW)
    submit_plan(city, PLANNER, plan.plan, now=NOW)
    with pytest.raises(NotAllowed):
        shop.edit(plan.plan, [SPLIT], scope=PLANNER, now=NOW)
    return_plan(city, APPROVER, plan.plan, reason="请再核实", now=NOW)
    _, done = shop.edit(plan.plan, [SPLIT], scope=PLANNER, now=NOW)
    assert len(done) == 1
    assert drop_plan(city, PLANNER, plan.plan, now=NOW).state == "dropped"


def test_a_refused_edit_leaves_the_draft_byte_for_byte(city):
    shop, plan = Workshop(city), make_plan(city, PLANNER, name="拒绝", now=NOW)
    piece, _ = shop.edit(plan.plan, [SPLIT], scope=PLANNER, now=NOW)
    before = piece.draft.to_frame().to_wkb()
    nothing = {"op": "split", "grid": 6, "line": [place(2.2, 2.2), place(2.8, 2.8)]}
    with pytest.raises(BadGrid):  # the first of the two would do: all or nothing
        shop.edit(plan.plan, [MERGE, nothing], scope=PLANNER, now=NOW)
    again = shop.open(plan.plan, now=NOW)
    assert again.draft.to_frame().to_wkb().equals(before)
    assert again.seq == 1


def test_neither_a_uid_nor_a_code_is_given_twice(city):
    first = make_plan(city, PLANNER, name="一", now=NOW)
    second = make_plan(city, SECOND, name="二", now=NOW)
    assert second.first_uid - first.first_uid >= 10_000
    publish_edits(city, [SPLIT])
    now = NOW + 60
    grids = city.grids_in_force(now).finest()
    made = grids[~grids["uid"].isin(uids_of(city, now=NOW - 1))]
    assert made["code"].tolist() == ["321012001001004"]
    uid = int(made["uid"].iloc[0])
    publish_edits(city, [{"op": "merge", "grids": [2, uid], "keep": 2}], now=now)
    publish_edits(city, [{**SPLIT}], now=now + 60)
    grids = city.grids_in_force(now + 120).finest()
    again = grids[~grids["uid"].isin(uids_of(city, now=NOW - 1))]
    assert again["code"].tolist() == ["321012001001005"]
    assert int(again["uid"].iloc[0]) != uid
    with city.database.read() as connection:
        assert all(len(uids) == 1 for uids in read_used_codes(connection).values())
    # Nor can a code be given by hand that another grid had before.
    taken = {"op": "describe", "grid": 2, "code": "321012001001004"}
    with pytest.raises(BadGrid) as refused:
        publish_edits(city, [taken], now=now + 180)
    assert refused.value.faults[0].key == "plan_code_used"


def test_a_renumbering_is_an_act_of_its_own_and_moves_no_case(city):
    before = owners_of(city)
    plan = make_renumbering(city, PLANNER, name="重新编码", now=NOW)
    submit_plan(city, PLANNER, plan.plan, now=NOW)
    approve_plan(city, APPROVER, plan.plan, effective=TODAY, now=NOW)
    done = publish_plan(city, APPROVER, plan.plan, workshop=Workshop(city), now=NOW)
    assert owners_of(city) == before
    grids = city.grids_in_force(NOW).finest()
    middle = grids.geometry.centroid
    ordered = grids.assign(x=middle.x, y=middle.y).sort_values("code")
    for _, row in ordered.groupby("parent"):
        assert row["x"].is_monotonic_increasing
    with city.database.read() as connection:
        kinds = {(row[2], row[3]) for row in read_lineage(connection, done.drawing)}
    assert kinds == {("U", "recoded")}


def test_lineage_says_what_became_of_each_grid(city):
    stroke = {"op": "draw", "grid": 10, "rest": "follow", "area": [
        place(0.8, 2.2), place(1.4, 2.2), place(1.4, 2.8), place(0.8, 2.8), place(0.8, 2.2)
    ]}  # fmt: skip
    done = publish_edits(city, [SPLIT, MERGE, stroke])
    with city.database.read() as connection:
        rows = read_lineage(connection, done.drawing)
    kinds = {}
    shares = {}
    for old, _, kind, _, area, load, _, _ in rows:
        kinds.setdefault(old, set()).add(kind)
        shares.setdefault(old, []).append((area, load))
    assert kinds[2] == {"S"}
    assert kinds[3] == kinds[4] == {"M"}
    assert kinds[10] == kinds[11] == {"X"}
    assert kinds[8] == {"U"}
    for parts in shares.values():
        assert sum(area for area, _ in parts) == pytest.approx(1, abs=1e-9)
        assert sum(load for _, load in parts) == pytest.approx(1, abs=1e-9)


def test_every_act_is_in_the_log(city):
    with city.database.read() as connection:
        before = read_head(connection).entry
    publish_edits(city, [MERGE])
    with city.database.read() as connection:
        acts = [act for (act,) in connection.execute(
            "SELECT act FROM audit WHERE entry > ? ORDER BY entry", (before,))]  # fmt: skip
    assert acts == [
        "plan.opened", "plan.edit", "plan.submitted", "plan.approved", "plan.published",
        "drawing.in_force",
    ]  # fmt: skip


def test_two_planners_on_one_plan_lose_nothing(city):
    shop, other = Workshop(city), Workshop(open_city(city.folder))
    plan = make_plan(city, PLANNER, name="两人", now=NOW)
    seen = shop.open(plan.plan, now=NOW).seq
    other.edit(plan.plan, [SPLIT], scope=SECOND, seen=seen, now=NOW)
    # Elsewhere on the map: both stand. On the same grid: who comes late looks first.
    piece, _ = shop.edit(plan.plan, [MERGE], scope=PLANNER, seen=seen, now=NOW)
    assert piece.seq == 2
    late = {"op": "split", "grid": 2, "line": [place(-0.1, 0.5), place(1.1, 0.5)]}
    with pytest.raises(Overtaken) as refused:
        shop.edit(plan.plan, [late], scope=PLANNER, seen=seen, now=NOW)
    assert refused.value.faults[0].key == "plan_grid_overtaken"
    # A line that no longer crosses the grid, for it became smaller: that is what is to be heard.
    gone = {**late, "line": [place(0.25, -0.1), place(0.25, 1.1)]}
    with pytest.raises(BadGrid):
        shop.edit(plan.plan, [gone], scope=PLANNER, seen=2, now=NOW)
    with pytest.raises(Overtaken) as refused:
        shop.edit(plan.plan, [gone], scope=PLANNER, seen=seen, now=NOW)
    assert refused.value.faults[0].key == "plan_grid_overtaken"
    with pytest.raises(Overtaken):  # nor does an undo take back what was not seen
        shop.edit(plan.plan, [{"op": "undo"}], scope=PLANNER, seen=seen, now=NOW)
    piece, _ = shop.edit(plan.plan, [late], scope=PLANNER, seen=piece.seq, now=NOW)
    assert piece.seq == 3
    one, two = (one.open(plan.plan, now=NOW).draft.to_frame() for one in (shop, other))
    assert one.to_wkb().equals(two.to_wkb())


def test_a_planner_of_an_area_draws_in_it_alone(city):
    part = PLANNER.__class__(
        account="planner-3", role="planner", grids=frozenset({2, 3, 4}),
        permissions=PLANNER.permissions,
    )  # fmt: skip
    shop, plan = Workshop(city), make_plan(city, part, name="一区", now=NOW)
    shop.edit(plan.plan, [MERGE], scope=part, now=NOW)
    with pytest.raises(NotAllowed) as refused:
        shop.edit(plan.plan, [{"op": "merge", "grids": [6, 7]}], scope=part, now=NOW)
    assert refused.value.faults[0].key == "plan_outside"
    assert shop.open(plan.plan, now=NOW).seq == 1
