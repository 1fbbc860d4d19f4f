"""Promise: what a post decides holds, by whatever order it arrived, and after every rebuild."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.acts import Wish, decide, preview_pin
from geodata.desk.decisions import hash_decision
from geodata.desk.trays import count_trays, find_lying, read_tray
from geodata.errors import BadSetting, NotAllowed, NotFound, Overtaken
from geodata.events.derive import derive_incidents
from geodata.events.withdrawal import withdraw_batch
from geodata.store.database import raise_revision
from geodata.store.decisions import Decision, append_decision, find_incident
from geodata.store.desk_rows import read_head
from geodata.store.dump import canonical_dump, canonical_rows
from tests.city import (
    NOW,
    SIDE_M,
    SOUTH_M,
    WEST_M,
    grid_code,
    load_one,
    make_gridded_city,
    middle,
    write_table,
)

SOURCE = "incidents"
DESK = Scope.whole_city("duty-1", ("read", "read.rows", "act", "decide"))
COLUMNS = ("incident_id", "reported_at", "kind", "lon", "lat", "address")


@pytest.fixture
def city(tmp_path):
    city = make_gridded_city(tmp_path / "city")
    rows = [
        ["A1", "2026-05-20 08:00:00", "积水", *middle(0, 0), "东街 1 号"],
        ["A2", "2026-05-21 08:00:00", "积水", "", "", "西街 2 号"],
        ["A3", "2026-05-22 08:00:00", "积水", *middle(9, 0), "城外"],
    ]
    load_one(city, "incidents", write_table(tmp_path / "incidents.csv", COLUMNS, rows))
    return city


def uid_of(city: City, column: int, row: int) -> int:
    return city.grids_in_force(NOW).find_uid(grid_code(column, row))


def place_of(column: float, row: float) -> tuple[float, float]:
    """Millimetres of a place, in sides of a grid from the south-west corner."""
    return (WEST_M + column * SIDE_M) * 1000, (SOUTH_M + row * SIDE_M) * 1000


def act(city: City, what: str, incident_id: str, *, scope: Scope = DESK, now: int = NOW, **more):
    more.setdefault("reason", "现场核实")
    more.setdefault("seen", city.database.revision())
    wish = Wish(source=SOURCE, incident_id=incident_id, what=what, **more)
    return decide(city, scope, wish, now=now)


def head_of(city: City, incident_id: str):
    with city.database.read() as connection:
        return read_head(connection, find_incident(connection, SOURCE, incident_id))


def dump(city: City) -> str:
    with city.database.read() as connection:
        return canonical_dump(connection)


def test_a_pin_places_a_case_and_its_place_finds_the_owner(city):
    assert (head_of(city, "A2").owner, head_of(city, "A2").x) == (-1, None)
    x_mm, y_mm = place_of(1.5, 1.5)
    made = act(city, "pin", "A2", x_mm=x_mm, y_mm=y_mm)
    assert made.head.owner == uid_of(city, 1, 1) == made.head.owner_at_event
    assert (made.head.rule, made.head.distance_mm) == (0, 0)
    back = act(city, "pin_withdrawn", "A2")
    assert (back.head.owner, back.head.x) == (-1, None)
    assert back.revision == made.revision + 1


def test_a_manual_owner_holds_until_it_is_withdrawn_and_says_how_far_it_lies(city):
    given = act(city, "owner", "A1", grid=uid_of(city, 2, 0)).head
    assert (given.owner, given.rule) == (uid_of(city, 2, 0), 5)
    assert given.distance_mm == round(1.5 * SIDE_M * 1000)
    assert given.owner_at_event == uid_of(city, 2, 0)
    assert act(city, "owner_withdrawn", "A1").head.owner == uid_of(city, 0, 0)


def test_a_rebuild_gives_the_same(city):
    act(city, "owner", "A1", grid=uid_of(city, 2, 0))
    x_mm, y_mm = place_of(0.25, 2.5)
    act(city, "pin", "A2", x_mm=x_mm, y_mm=y_mm)
    act(city, "dispute", "A2", grid=uid_of(city, 1, 2))
    before = dump(city)
    derive_incidents(city, now=NOW)
    assert dump(city) == before
    assert "decision" in {row[0] for row in canonical_rows_of(city)}


def canonical_rows_of(city: City) -> list:
    with city.database.read() as connection:
        return list(canonical_rows(connection))


def test_decisions_survive_the_withdrawal_and_return_of_their_events(city, tmp_path):
    act(city, "owner", "A1", grid=uid_of(city, 2, 0))
    before = dump(city)
    with city.database.read() as connection:
        row = connection.execute("SELECT batch FROM batch WHERE what = 'incidents'").fetchone()
    withdraw_batch(city, row[0], now=NOW)
    load_one(
        city,
        "incidents",
        write_table(
            tmp_path / "other.csv",
            COLUMNS,
            [["B1", "2026-05-20 08:00:00", "积水", *middle(1, 1), ""]],
        ),
        source="other",
    )
    load_one(city, "incidents", tmp_path / "incidents.csv")
    assert head_of(city, "A1").owner == uid_of(city, 2, 0)
    rows = [row for row in canonical_rows_of(city) if row[1] == SOURCE]
    assert len(rows) == 3 + 3 + 1
    assert before != dump(city)  # B1 came


def test_a_grid_that_the_drawing_lost_owns_nothing(city):
    with city.database.transaction() as connection:
        inc = find_incident(connection, SOURCE, "A1")
        raise_revision(connection)
        append_decision(connection, decision(inc, NOW, "owner", grid=999_999))
    derive_incidents(city, now=NOW)
    assert head_of(city, "A1").owner == uid_of(city, 0, 0)


def decision(inc: int, at: int, what: str, **more) -> Decision:
    grid, x, y = (more.get(name) for name in ("grid", "x", "y"))
    return Decision(
        inc=inc, at=at, what=what, held=-1, grid=grid, x=x, y=y, reason="理由", post="duty-1",
        hash=hash_decision(what, grid=grid, x=x, y=y, text="理由\nduty-1"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 60))]
)
def test_decisions_and_events_in_any_order_of_arrival_give_the_same(tmp_path, seed):
    """Two cities hear the same in different orders; every few steps one of them rebuilds."""
    rng = random.Random(seed)
    cities = [make_gridded_city(tmp_path / name) for name in ("one", "two")]
    files = []
    for number in range(4):
        rows = [
            [f"A{rng.randrange(3)}", f"2026-05-{20 + number} 08:00:0{k}", "积水",
             *middle(rng.randrange(3), rng.randrange(3)), ""]
            for k in range(2)
        ]  # fmt: skip
        files.append(write_table(tmp_path / f"{number}.csv", COLUMNS, rows))
    uids = [uid_of(cities[0], column, 0) for column in range(3)]
    wishes = []
    for _ in range(12):
        what = rng.choice(
            ("owner", "pin", "owner_withdrawn", "pin_withdrawn", "dispute", "answer", "decided")
        )
        x, y = place_of(rng.uniform(0, 3), rng.uniform(0, 3))
        more = {"grid": rng.choice(uids)} if what in ("owner", "dispute", "decided") else {}
        more |= {"x": round(x), "y": round(y)} if what == "pin" else {}
        wishes.append((f"A{rng.randrange(3)}", NOW + rng.randrange(3), what, more))
    dumps = []
    for city in cities:
        steps = [*files, *wishes]
        rng.shuffle(steps)
        # A decision needs its incident: the first file of all names every one.
        names = [[f"A{n}", "2026-05-01 08:00:00", "积水", *middle(n, n), ""] for n in range(3)]
        steps.insert(0, write_table(tmp_path / "names.csv", COLUMNS, names))
        for step in steps:
            if not isinstance(step, tuple):
                load_one(city, "incidents", step, source=SOURCE)
                continue
            with city.database.transaction() as connection:
                inc = find_incident(connection, SOURCE, step[0])
                row = replace(decision(inc, step[1], step[2], **step[3]), rev=1)
                append_decision(connection, row)
                raise_revision(connection)
            if rng.random() < 0.3:
                derive_incidents(city, now=NOW)
        derive_incidents(city, now=NOW)
        dumps.append(dump(city))
    assert dumps[0] == dumps[1]


def test_nothing_decided_can_be_changed_or_deleted(city):
    act(city, "owner", "A1", grid=uid_of(city, 2, 0))
    for statement in ("DELETE FROM decision", "UPDATE decision SET reason = ''"):
        with pytest.raises(sqlite3.DatabaseError), city.database.transaction() as connection:
            connection.execute(statement)


def test_who_comes_second_is_told_and_nothing_is_written(city):
    seen = city.database.revision()
    act(city, "owner", "A1", grid=uid_of(city, 2, 0), seen=seen)
    before = dump(city)
    with pytest.raises(Overtaken) as raised:
        act(city, "owner", "A1", grid=uid_of(city, 1, 0), seen=seen)
    assert "duty-1" in raised.value.sentence("zh")
    assert dump(city) == before
    act(city, "pin", "A2", x_mm=place_of(1, 1)[0], y_mm=place_of(1, 1)[1], seen=seen)  # another


def test_decisions_of_one_second_keep_their_order(city):
    for column in (1, 2, 1):
        act(city, "owner", "A1", grid=uid_of(city, column, 0), now=NOW)
    assert head_of(city, "A1").owner == uid_of(city, 1, 0)


@pytest.mark.parametrize(
    ("what", "more", "key"),
    [
        ("owner", {"reason": " "}, "reason_missing"),
        ("owner", {"reason": "长" * 501}, "reason_long"),
        ("owner", {"reason": "联系 13812345678 王"}, "reason_personal"),
        ("owner", {"reason": "\ud800"}, "reason_signs"),
        ("owner", {}, "decision_no_grid"),
        ("pin", {}, "pin_missing"),
        ("pin", {"x_mm": np.nan, "y_mm": 0.0}, "pin_missing"),
        ("pin", {"x_mm": 0.0, "y_mm": 0.0}, "pin_far"),
        ("nonsense", {}, "decision_unknown"),
        ("owner_withdrawn", {}, "owner_not_given"),
        ("pin_withdrawn", {}, "pin_not_set"),
        ("answer", {}, "dispute_none"),
    ],
)
def test_a_wish_that_lacks_something_is_refused_with_its_name(city, what, more, key):
    before = dump(city)
    with pytest.raises(BadSetting) as raised:
        act(city, what, "A1", **more)
    assert key in {fault.key for fault in raised.value.faults}
    assert dump(city) == before


def test_a_grid_that_is_divided_cannot_own(city):
    community = city.grids_in_force(NOW).level("community")["uid"].iat[0]
    with pytest.raises(NotFound):
        act(city, "owner", "A1", grid=int(community))


def test_a_preview_says_the_grid_the_rule_and_the_metres_to_its_line(city):
    found = preview_pin(city, *place_of(1.5, 1.45), now=NOW)
    assert (found.code, found.rule) == (grid_code(1, 1), "inside")
    assert found.line_m == pytest.approx(0.45 * SIDE_M)
    with pytest.raises(BadSetting):
        preview_pin(city, 0.0, 0.0, now=NOW)


# --- disputes ------------------------------------------------------------------------------------


def post(city: City, account: str, *permissions: str, cells=()) -> Scope:
    grids = frozenset(uid_of(city, *cell) for cell in cells)
    return Scope(account=account, grids=grids, permissions=frozenset({"read.rows", *permissions}))


def test_a_dispute_is_seen_by_both_parties_answered_and_decided(city):
    mine = post(city, "west", "act", cells=[(0, 0)])
    other = post(city, "east", "act", cells=[(1, 0)])
    third = post(city, "north", "act", "decide", cells=[(0, 2)])
    street = post(city, "street", "decide", cells=[(0, 0), (1, 0)])
    act(city, "dispute", "A1", scope=mine, grid=uid_of(city, 1, 0), reason="在路东")
    trays = {}
    with city.database.read() as connection:
        for scope in (mine, other, third):
            trays[scope.account] = [
                row.head.incident_id for row in read_tray(connection, scope, "disputed").rows
            ]
    assert trays == {"west": ["A1"], "east": ["A1"], "north": []}
    with pytest.raises(BadSetting):  # one at a time
        act(city, "dispute", "A1", scope=mine, grid=uid_of(city, 1, 0))
    with pytest.raises(NotAllowed):  # its own side has spoken already
        act(city, "answer", "A1", scope=mine)
    act(city, "answer", "A1", scope=other, reason="路东也是西边管")
    with pytest.raises(NotAllowed):
        act(city, "decided", "A1", scope=other, grid=uid_of(city, 1, 0))
    with pytest.raises(NotFound):
        act(city, "decided", "A1", scope=third, grid=uid_of(city, 1, 0))
    made = act(city, "decided", "A1", scope=street, grid=uid_of(city, 1, 0), reason="以路为界")
    assert (made.head.owner, made.head.rule) == (uid_of(city, 1, 0), 5)
    with city.database.read() as connection:
        for scope in (mine, other):
            lying = find_lying(connection, scope, SOURCE, "A1")
            assert lying.standing.dispute is None
            (dispute,) = lying.standing.disputes
            assert (dispute.end.reason, dispute.answer.post) == ("以路为界", "east")
        assert count_trays(connection, mine)["disputed"] == 0
        assert read_tray(connection, mine, "disputed", closed=True).count == 1


def test_a_dispute_decided_for_who_has_it_changes_no_owner(city):
    act(city, "dispute", "A1", grid=uid_of(city, 1, 0))
    made = act(city, "decided", "A1", grid=uid_of(city, 0, 0))
    assert (made.head.owner, made.head.rule) == (uid_of(city, 0, 0), 0)


def test_a_dispute_taken_back_is_over_and_another_may_follow(city):
    act(city, "dispute", "A1", grid=uid_of(city, 1, 0))
    with pytest.raises(BadSetting):
        act(city, "owner", "A1", grid=uid_of(city, 1, 0))
    act(city, "dispute_withdrawn", "A1")
    act(city, "dispute", "A1", grid=uid_of(city, 2, 0))


def test_what_nobody_owns_and_who_owns_it_already_are_no_disputes(city):
    for incident, key in (("A2", "dispute_unowned"), ("A1", "dispute_same")):
        with pytest.raises(BadSetting) as raised:
            act(city, "dispute", incident, grid=uid_of(city, 0, 0))
        assert raised.value.faults[0].key == key


# --- action x target -----------------------------------------------------------------------------

TARGETS = {  # incident, further arguments: of whom is the case, whom does it go to
    "own to own": ("A1", {"grid": (1, 0)}),
    "own to other": ("A1", {"grid": (2, 2)}),
    "other": ("A4", {"grid": (0, 0)}),
    "nobody's": ("A2", {"grid": (0, 0)}),
    "none": ("A9", {"grid": (0, 0)}),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("what", ["owner", "pin", "dispute", "decided"])
@pytest.mark.parametrize("permissions", [(), ("act",), ("decide",), ("act", "decide")])
def test_an_act_needs_its_permission_and_its_target(city, tmp_path, target, what, permissions):
    rows = [["A4", "2026-05-20 08:00:00", "积水", *middle(2, 2), ""]]
    load_one(city, "incidents", write_table(tmp_path / "more.csv", COLUMNS, rows), source=SOURCE)
    incident_id, more = TARGETS[target]
    column, row = more["grid"]
    x_mm, y_mm = place_of(column + 0.5, row + 0.5)
    if what == "decided" and incident_id in ("A1", "A4"):
        act(city, "dispute", incident_id, grid=uid_of(city, 1, 1))
    scope = post(city, "street", *permissions, cells=[(0, 0), (1, 0), (1, 1)])
    may = ("decide" if what == "decided" else "act") in permissions
    # A dispute names another's grid on purpose; the rest must stay within one's own.
    reach = target == "own to own" or (what == "dispute" and target == "own to other")
    before = dump(city)
    wish = {"grid": uid_of(city, column, row), "x_mm": x_mm, "y_mm": y_mm}
    if may and reach:
        act(city, what, incident_id, scope=scope, **wish)
        assert dump(city) != before
        return
    with pytest.raises(
        NotFound if may and target in ("nobody's", "none") else (NotAllowed, NotFound)
    ):
        act(city, what, incident_id, scope=scope, **wish)
    assert dump(city) == before


def test_hidden_and_missing_cases_answer_with_the_same_words(city):
    scope = post(city, "east", "act", cells=[(1, 0)])
    said = set()
    for incident_id in ("A1", "A2", "A9"):
        with city.database.read() as connection, pytest.raises(NotFound) as raised:
            find_lying(connection, scope, SOURCE, incident_id)
        said.add(raised.value.sentence("zh"))
    assert len(said) == 1


def test_every_act_is_in_the_log_with_its_target(city):
    act(city, "owner", "A1", grid=uid_of(city, 2, 0))
    with city.database.read() as connection:
        rows = connection.execute("SELECT account, act, target, grid FROM audit").fetchall()
    assert rows[-1] == ("duty-1", "decision.owner", f"{SOURCE}/A1", uid_of(city, 2, 0))


def test_the_trays_hold_what_waits_the_oldest_first(city):
    with city.database.read() as connection:
        tray = read_tray(connection, DESK, "unplaced")
        assert [row.head.incident_id for row in tray.rows] == ["A2", "A3"]
        assert [row.address for row in tray.rows] == ["西街 2 号", "城外"]
        assert count_trays(connection, DESK) == {"unplaced": 2, "disputed": 0, "near": 0}
        assert read_tray(connection, DESK, "unplaced", most=1).count == 2
        assert read_tray(connection, DESK, "unplaced", source="else").count == 0
        part = post(city, "west", cells=[(0, 0)])
        assert read_tray(connection, part, "unplaced").count == 0
