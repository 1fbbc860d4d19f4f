"""Promise: a new grid has the code it is told before its plan is published, and keeps it."""

from __future__ import annotations

import pytest

from geodata.errors import Overtaken
from geodata.plans.impact import measure_impact
from geodata.plans.plan import approve_plan, drop_plan, make_plan, return_plan, submit_plan
from geodata.plans.publish import publish_plan
from geodata.plans.submission import hand_in
from geodata.plans.walks import list_walks
from geodata.plans.workshop import Workshop
from geodata.store.takeover import read_lineage, read_used_codes
from tests.city import NOW
from tests.planned_city import APPROVER, PLANNER, SECOND, SPLIT, TODAY, copy_city, place

EAST = {"op": "split", "grid": 3, "line": [place(1.5, -0.1), place(1.5, 1.1)]}
EARLIER, LATER = "321012001001004", "321012001001005"


@pytest.fixture
def city(planned_folder, tmp_path):
    return copy_city(planned_folder, tmp_path)


@pytest.fixture
def shop(city):
    return Workshop(city)


def submit(city, shop, *edits, scope=PLANNER):
    """Draw and hand in a plan of its own; return its number."""
    plan = make_plan(city, scope, name="方案", now=NOW).plan
    shop.edit(plan, list(edits), scope=scope, now=NOW)
    hand_in(city, scope, plan, workshop=shop, now=NOW)
    return plan


def told(shop, plan):
    """Return the codes that a plan's new grids have in the table, in its CSV and on the sheets."""
    piece = shop.open(plan, now=NOW)
    impact = measure_impact(piece.draft, piece.holdings, piece.base)
    made = {piece.draft.grids[uid].code for uid in impact.made}
    table = {row["new"] for row in impact.codes}
    sheets = {code for walk in list_walks(piece) for code in walk.codes}
    assert made <= table
    assert made <= sheets
    assert all(code in impact.codes_csv("en").decode() for code in made)
    assert not any(code.startswith("+") for code in table | sheets)
    return made


def publish(city, shop, plan):
    approve_plan(city, APPROVER, plan, effective=TODAY, now=NOW)
    return publish_plan(city, APPROVER, plan, workshop=shop, now=NOW)


def codes_in_force(city):
    return set(city.grids_in_force(NOW + 1).finest()["code"])


def test_the_code_told_before_publishing_is_the_code_after(city, shop):
    plan = submit(city, shop, SPLIT)
    before = codes_in_force(city)
    assert told(shop, plan) == {EARLIER}
    assert told(Workshop(city), plan) == {EARLIER}  # a server that was started since says the same
    done = publish(city, shop, plan)
    assert codes_in_force(city) - before == {EARLIER}
    grids = city.grids_in_force(NOW + 1).grids
    with city.database.read() as connection:
        new = {row[1] for row in read_lineage(connection, done.drawing)}
    assert EARLIER in set(grids[grids["uid"].isin(new)]["code"])


def test_two_plans_never_tell_one_code_whichever_is_published(city, shop):
    one, other = submit(city, shop, SPLIT), submit(city, shop, EAST, scope=SECOND)
    first, second = told(shop, one), told(shop, other)
    assert first == {EARLIER}
    assert len(second) == 1
    assert not first & second
    publish(city, shop, other)
    assert second <= codes_in_force(city)
    assert told(shop, one) == first
    # The other was drawn over a drawing that has ended: a clear conflict, no other code.
    with pytest.raises(Overtaken) as refused:
        publish(city, shop, one)
    assert refused.value.faults[0].key == "plan_base_retired"


def test_a_code_that_was_told_is_never_given_to_another_even_where_the_plan_is_dropped(city, shop):
    dropped = submit(city, shop, SPLIT)
    assert told(shop, dropped) == {EARLIER}
    drop_plan(city, PLANNER, dropped, now=NOW)
    again = submit(city, shop, SPLIT)
    assert told(shop, again) == {LATER}
    publish(city, shop, again)
    assert LATER in codes_in_force(city)
    assert EARLIER not in codes_in_force(city)
    with city.database.read() as connection:
        assert all(len(uids) == 1 for uids in read_used_codes(connection).values())


def test_a_plan_that_comes_back_keeps_its_codes(city, shop):
    plan = submit(city, shop, SPLIT)
    return_plan(city, APPROVER, plan, reason="再看看", now=NOW)
    shop.edit(plan, [{"op": "undo"}], scope=PLANNER, now=NOW)  # the line that gave the code
    hand_in(city, PLANNER, plan, workshop=shop, now=NOW)
    assert told(shop, plan) == {EARLIER}


def test_who_is_overtaken_while_handing_in_finds_another_code_at_the_next_try(
    city, shop, monkeypatch
):
    one = make_plan(city, PLANNER, name="甲", now=NOW).plan
    shop.edit(one, [SPLIT], scope=PLANNER, now=NOW)
    other = make_plan(city, SECOND, name="乙", now=NOW).plan
    shop.edit(other, [EAST], scope=SECOND, now=NOW)

    def submit_late(*args, **options):
        monkeypatch.undo()
        hand_in(city, SECOND, other, workshop=shop, now=NOW)  # it takes the code in between
        return submit_plan(*args, **options)

    monkeypatch.setattr("geodata.plans.submission.submit_plan", submit_late)
    with pytest.raises(Overtaken):
        hand_in(city, PLANNER, one, workshop=shop, now=NOW)
    assert hand_in(city, PLANNER, one, workshop=shop, now=NOW).state == "review"
    assert (told(shop, other), told(shop, one)) == ({EARLIER}, {LATER})
