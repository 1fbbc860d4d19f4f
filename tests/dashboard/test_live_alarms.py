"""Promise: an alarm stands with its place, count and state, for who may see it, until taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.server import FEED, make_app
from geodata.access.scope import Scope
from geodata.access.source_tokens import change_tokens
from geodata.audit.log import CONSOLE
from geodata.city import City
from geodata.desk.alarm_desk import list_alarms, note_alarm
from geodata.errors import BadSetting, NotAllowed, NotFound
from geodata.events.derive import derive_incidents
from geodata.events.withdrawal import withdraw_batch
from geodata.snapshots.facts import FactsKeeper
from geodata.snapshots.inventory import describe_city
from geodata.store.accounts import add_account
from tests.city import NOW, load_one, make_gridded_city, middle, write_table

DUTY = Scope.whole_city("duty-1", ("read", "read.rows", "act"), role="duty")


class Desk:
    """One city with a clock that a test moves, a source that posts, and its alarms."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.city: City = make_gridded_city(folder)
        devices = [["D1", "smoke", *middle(0, 0)], ["D2", "smoke", *middle(2, 2)]]
        file = write_table(folder / "devices.csv", ("id", "kind", "lon", "lat"), devices)
        load_one(self.city, "devices", file)
        self._secret = change_tokens(self.city.folder, "add", "iot", now=NOW).secret
        self.app = make_app(self.city, now=lambda: self.now)
        self.client = self.app.server.test_client()

    def post(self, number: str, **said: Any) -> int:
        event = {"incident_id": number, "stage": "reported", "at": self.now, "kind": "烟感", **said}
        answer = self.client.post(
            "/api/events", json=event, headers={"Authorization": f"Bearer {self._secret}"}
        )
        return answer.status_code

    def alarms(self, scope: Scope = DUTY, **named: Any) -> list[Any]:
        return list(list_alarms(self.city, scope, now=self.now, **named).alarms)

    def grid_of(self, device: str) -> int:
        return next(one.owner for one in self.alarms() if one.device == device)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "city")
    yield made
    made.app.server.extensions[FEED].close()


def test_a_devices_alarm_takes_its_place_and_grid_from_the_table(desk):
    assert desk.post("A1", alarm_level="橙色", device_id="D1") == 200
    (one,) = desk.alarms()
    lon, lat = middle(0, 0)
    assert (one.lon, one.lat) == pytest.approx((lon, lat), abs=1e-6)
    assert (one.placed, one.run.level, one.kind, one.owner >= 0) == ("device", 2, "烟感", True)
    assert desk.post("A2", alarm_level=1, lon=lon, lat=lat) == 200
    assert {one.placed for one in desk.alarms()} == {"device", "event"}


def test_a_device_that_was_moved_has_the_place_of_the_events_day(desk):
    file = write_table(desk.city.folder / "moved.csv", ("id", "kind", "lon", "lat"),
                       [["D1", "smoke", *middle(2, 0)]])  # fmt: skip
    load_one(desk.city, "devices", file, valid_from=NOW - 3_600)
    desk.post("B1", alarm_level=2, device_id="D1", at=NOW - 7_200)
    desk.post("B2", alarm_level=2, device_id="D1", at=NOW - 60)
    first, last = sorted(desk.alarms(), key=lambda one: one.run.first_at)
    assert first.lon == pytest.approx(middle(0, 0)[0], abs=1e-6)
    assert last.lon == pytest.approx(middle(2, 0)[0], abs=1e-6)


def test_an_alarm_without_a_place_stands_all_the_same_and_says_so(desk):
    assert desk.post("C1", alarm_level=1, device_id="unknown") == 200
    assert desk.post("C2", alarm_level=3) == 200
    assert {(one.placed, one.lon, one.owner) for one in desk.alarms()} == {("", None, -1)}


def test_repeats_are_counted_and_a_silence_begins_another(desk):
    for turn in range(5):
        desk.now = NOW + turn * 100
        desk.post(f"D{turn}", alarm_level=3 if turn != 2 else 1, device_id="D1")
    (one,) = desk.alarms()
    assert (one.run.count, one.run.level, one.incident_id) == (5, 1, "D4")
    desk.now += desk.city.settings.alarm_window_s + 1
    desk.post("D9", alarm_level=3, device_id="D1")
    assert sorted(one.run.count for one in desk.alarms()) == [1, 5]


def test_what_comes_late_lands_where_it_belongs_and_a_rebuild_says_the_same(desk):
    window = desk.city.settings.alarm_window_s
    for place in (0, 2 * window, 4 * window):
        desk.post(f"E{place}", alarm_level=3, device_id="D1", at=NOW - 9_000 + place)
    numbers = {one.alarm for one in desk.alarms()}
    assert len(numbers) == 3
    desk.post("E-late", alarm_level=2, device_id="D1", at=NOW - 9_000 + window)
    found = desk.alarms()
    assert sorted(one.run.count for one in found) == [1, 3]
    assert {one.alarm for one in found} < numbers
    with desk.city.database.transaction() as connection:
        connection.execute("DELETE FROM alarm_mark")
        connection.execute("DELETE FROM alarm")
    derive_incidents(desk.city, now=desk.now)
    assert {one.run for one in desk.alarms()} == {one.run for one in found}


def test_cleared_closed_and_a_whole_devices_end(desk):
    desk.post("F1", alarm_level=2, device_id="D1")
    desk.post("F2", alarm_level=2, device_id="D2")
    desk.post("F3", alarm_level=2, device_id="D2", kind="水位")
    desk.now += 30
    desk.post("F1", stage="handled", cleared=True)
    assert {one.device for one in desk.alarms()} == {"D2"}
    desk.post("over", stage="reported", device_id="D2", kind=None, cleared_at=desk.now)
    assert desk.alarms() == []
    desk.post("F4", alarm_level=2)
    desk.post("F4", stage="closed")
    assert desk.alarms() == []


def test_drills_are_marked_and_never_counted_as_real(desk):
    desk.post("G1", alarm_level=1, device_id="D1", drill=True)
    desk.post("G2", alarm_level=1, device_id="D1")
    found = list_alarms(desk.city, DUTY, now=desk.now + 9_999)
    assert (found.real, found.drills) == (1, 1)
    states = {one.drill: one.state(now=desk.now + 9_999, escalate_s=300) for one in found.alarms}
    assert states == {False: "escalated", True: "new"}


def test_drills_are_in_no_figure_and_on_no_map_whenever_it_is_said(desk):
    def counted() -> int:
        facts = FactsKeeper(desk.city).current(desk.now)
        followed = keeper.current(desk.now)
        inventory = describe_city(desk.city, now=desk.now)
        assert facts.snapshot.n == followed.snapshot.n == inventory.incidents
        return int(facts.snapshot.n)

    keeper = FactsKeeper(desk.city)
    desk.post("R1", alarm_level=2, device_id="D1")
    assert counted() == 1
    desk.post("R2", alarm_level=2, device_id="D1", drill=True)
    assert counted() == 1
    desk.post("R1", stage="handled", drill=True)  # it turns out to have been one
    assert counted() == 0
    derive_incidents(desk.city, now=desk.now)
    assert counted() == 0
    assert [one.placed for one in desk.alarms()] == ["device"]


def test_bad_alarm_fields_are_refused_by_name(desk):
    for field, value in (("alarm_level", 5), ("alarm_level", [1]), ("device_id", "a\x00b"),
                         ("cleared_at", "soon"), ("drill", "perhaps"), ("cleared", 7)):  # fmt: skip
        assert desk.post("H1", **{field: value}) == 422, field
    assert desk.post("H2", alarm_level=2, cleared_at=None, drill=None, device_id=None) == 200


def test_a_file_brings_the_same_alarms_as_posts_and_a_withdrawn_one_takes_them_along(desk):
    desk.post("I1", alarm_level="黄", device_id="D1", drill="否")
    columns = ("incident_id", "环节", "时间", "告警级别", "设备编号", "演练", "类型")
    from tests.city import local_text  # noqa: PLC0415

    rows = [["I1", "上报", local_text(NOW), "三级", "D1", "", "烟感"],
            ["I2", "上报", local_text(NOW), "九级", "D1", "", "烟感"],
            ["I3", "上报", local_text(NOW + 1), "红色", "D2", "是", "烟感"]]  # fmt: skip
    file = write_table(desk.city.folder / "alarms.csv", columns, rows)
    report = load_one(desk.city, "events", file, source="iot", now=NOW + 60)
    assert [(fault.row, fault.key) for fault in report.faults] == [(2, "alarm_level")]
    assert sorted((one.run.count, one.drill) for one in desk.alarms()) == [(1, False), (1, True)]
    with desk.city.database.read() as connection:
        (batch,) = connection.execute("SELECT max(batch) FROM batch").fetchone()
    withdraw_batch(desk.city, batch, now=NOW + 90)
    assert [one.incident_id for one in desk.alarms()] == ["I1"]


def test_only_those_who_may_see_a_grid_see_its_alarms(desk):
    desk.post("J1", alarm_level=2, device_id="D1")
    desk.post("J2", alarm_level=2, device_id="D2")
    desk.post("J3", alarm_level=2)
    mine = desk.grid_of("D1")
    staff = Scope(account="staff-1", grids=frozenset({mine}), permissions=DUTY.permissions)
    assert [one.incident_id for one in desk.alarms(staff)] == ["J1"]
    found = list_alarms(desk.city, staff, now=desk.now)
    assert (found.real, found.drills) == (1, 0)
    other = next(one.alarm for one in desk.alarms() if one.device == "D2")
    with pytest.raises(NotFound):
        note_alarm(desk.city, staff, other, {"what": "ack"}, now=desk.now)
    with pytest.raises(NotAllowed):
        desk.alarms(Scope.whole_city("analyst", ("read",)))
    reader = Scope.whole_city("viewer", ("read", "read.rows"))
    with pytest.raises(NotAllowed):
        note_alarm(desk.city, reader, other, {"what": "ack"}, now=desk.now)


def test_a_post_takes_notes_hands_over_and_judges_and_the_log_says_so(desk):
    desk.post("K1", alarm_level=2, device_id="D1")
    load_bodies(desk)
    (one,) = desk.alarms()
    acts = (
        ({"what": "note", "text": "看过录像"}, "escalated"),
        ({"what": "ack"}, "acknowledged"),
        ({"what": "hand_over", "to": "街道值班岗"}, "escalated"),
        ({"what": "ack"}, "acknowledged"),
        ({"what": "verdict", "verdict": "false", "text": "蒸汽"}, "judged"),
    )
    for wish, state in acts:
        taken = note_alarm(desk.city, DUTY, one.alarm, wish, now=desk.now)
        assert taken.state(now=desk.now + 999, escalate_s=300) == state, wish
    assert desk.alarms() == []
    with desk.city.database.read() as connection:
        rows = connection.execute(
            "SELECT act, account, target, grid FROM audit WHERE act LIKE 'alarm.%'"
        ).fetchall()
    assert rows == [(f"alarm.{w['what']}", "duty-1", "iot/K1", one.owner) for w, _ in acts]
    assert CONSOLE not in {row[1] for row in rows}


def load_bodies(desk: Desk) -> None:
    rows = [["JD", "街道值班岗", "Town duty post"]]
    columns = ("body", "name_zh", "name_en")
    load_one(desk.city, "bodies", write_table(desk.city.folder / "bodies.csv", columns, rows))


def test_what_is_handed_over_waits_for_its_taker_and_escalates_anew(desk):
    desk.post("K2", alarm_level=2, device_id="D1")
    load_bodies(desk)
    (one,) = desk.alarms()
    note_alarm(desk.city, DUTY, one.alarm, {"what": "ack"}, now=desk.now)
    later = desk.now + 1_000
    handed = {"what": "hand_over", "to": "街道值班岗"}
    taken = note_alarm(desk.city, DUTY, one.alarm, handed, now=later)
    assert taken.handed is not None
    assert taken.acknowledged is None
    assert taken.seen is not None
    assert taken.state(now=later + 299, escalate_s=300) == "new"
    assert taken.state(now=later + 300, escalate_s=300) == "escalated"
    other = Scope.whole_city("duty-2", DUTY.permissions, role="duty")
    taken = note_alarm(desk.city, other, one.alarm, {"what": "ack"}, now=later + 400)
    assert taken.acknowledged is not None
    assert taken.acknowledged.post == "duty-2"
    assert taken.state(now=later + 9_999, escalate_s=300) == "acknowledged"


def test_what_was_judged_real_waits_again_when_it_is_handed_on(desk):
    desk.post("K4", alarm_level=2, device_id="D1")
    load_bodies(desk)
    (one,) = desk.alarms()
    real = {"what": "verdict", "verdict": "real"}
    judged = note_alarm(desk.city, DUTY, one.alarm, real, now=desk.now)
    assert (judged.waits, judged.state(now=desk.now, escalate_s=300)) == (False, "judged")
    handed = {"what": "hand_over", "to": "街道值班岗"}
    waiting = note_alarm(desk.city, DUTY, one.alarm, handed, now=desk.now)
    assert waiting.verdict == "real"
    assert waiting.waits
    assert waiting.state(now=desk.now + 300, escalate_s=300) == "escalated"
    taken = note_alarm(desk.city, DUTY, one.alarm, {"what": "ack"}, now=desk.now + 301)
    assert taken.state(now=desk.now + 301, escalate_s=300) == "judged"


def test_nobody_puts_an_escalation_off_by_handing_an_alarm_to_himself(desk):
    desk.post("K5", alarm_level=2, device_id="D1")
    with desk.city.database.transaction() as connection:
        add_account(
            connection, DUTY.account, role="duty", areas=(), address="",
            password="", one_time=False, now=desk.now,
        )  # fmt: skip
    (one,) = desk.alarms()
    own = {"what": "hand_over", "to": DUTY.account}
    with pytest.raises(BadSetting):
        note_alarm(desk.city, DUTY, one.alarm, own, now=desk.now)
    assert desk.alarms()[0].waits_since == one.waits_since


def test_an_alarm_is_never_handed_to_a_post_nobody_knows(desk):
    desk.post("K3", alarm_level=2, device_id="D1")
    (one,) = desk.alarms()
    with pytest.raises(BadSetting) as refused:
        note_alarm(
            desk.city, DUTY, one.alarm, {"what": "hand_over", "to": "不存在的岗"}, now=desk.now
        )
    assert "不存在的岗" in refused.value.sentence("zh")
    assert desk.alarms()[0].notes == ()


@pytest.mark.parametrize(
    "wish",
    [{}, {"what": "dance"}, {"what": "note"}, {"what": "hand_over"}, {"what": "verdict"},
     {"what": "ack", "verdict": "real"}, {"what": "verdict", "verdict": "guilty"},
     {"what": "note", "text": "请打 13912345678"}, {"what": "note", "text": "x" * 501},
     {"what": 7}, {"what": "note", "text": "a\x00"}],
)  # fmt: skip
def test_a_wish_that_is_none_writes_nothing(desk, wish):
    desk.post("L1", alarm_level=2)
    (one,) = desk.alarms()
    with pytest.raises(BadSetting):
        note_alarm(desk.city, DUTY, one.alarm, wish, now=desk.now)
    assert desk.alarms()[0].notes == ()


def test_a_poller_is_told_what_changed_ended_ones_too(desk):
    desk.post("M1", alarm_level=2, device_id="D1")
    desk.post("M2", alarm_level=2, device_id="D2")
    first = list_alarms(desk.city, DUTY, now=desk.now)
    assert len(first.alarms) == 2
    assert list_alarms(desk.city, DUTY, now=desk.now, since=first.revision).alarms == ()
    desk.post("M1", stage="closed")
    later = list_alarms(desk.city, DUTY, now=desk.now, since=first.revision)
    assert [(one.incident_id, one.run.cleared_at > 0) for one in later.alarms] == [("M1", True)]
    note_alarm(desk.city, DUTY, later.alarms[0].alarm, {"what": "ack"}, now=desk.now)
    assert len(list_alarms(desk.city, DUTY, now=desk.now, since=later.revision).alarms) == 1


@pytest.mark.parametrize("number", [-5, 0, 2**31, 2**63, 2**90])
def test_any_number_is_answered(desk, number):
    desk.post("O1", alarm_level=2, device_id="D1")
    assert desk.client.get(f"/live/alarms?since={number}").status_code == 200
    if number >= 0:
        with pytest.raises(NotFound):
            note_alarm(desk.city, DUTY, number + 1_000, {"what": "ack"}, now=desk.now)


def test_the_routes_answer_walls_and_desks(desk):
    desk.post("N1", alarm_level=2, device_id="D1")
    answer = desk.client.get("/live/alarms")
    assert answer.status_code == 200
    plain = answer.get_json()
    assert plain["live"] == {"real": 1, "drill": 0}
    assert plain["alarms"][0]["device_id"] == "D1"
    assert desk.client.get(f"/live/alarms?since={plain['revision']}").status_code == 204
    # This machine's own browser sees, but only an account acts.
    number = plain["alarms"][0]["alarm"]
    refused = desk.client.post(f"/live/alarms/{number}/notes", json={"what": "ack"})
    assert refused.status_code in (401, 403)


def test_many_alarms_of_one_device_cost_no_more_than_few(desk):
    """What comes last on its line is taken by look-ups alone, however long the line is."""
    import sqlite3  # noqa: PLC0415

    from geodata.store.alarms import refold_alarms  # noqa: PLC0415

    with desk.city.database.transaction() as connection:
        for place in range(300):
            _say_alarm(connection, place)
        refold_alarms(connection, revision=5, window_s=600)
    counted: list[int] = []
    with desk.city.database.transaction() as connection:
        inc = _say_alarm(connection, 300)
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection.set_progress_handler(step, 10)
        refold_alarms(connection, only=[inc], revision=6, window_s=600)
        counted.append(steps)
        connection.set_progress_handler(None, 10)
        (count,) = connection.execute("SELECT count FROM alarm").fetchone()
        assert isinstance(connection, sqlite3.Connection)
    assert count == 301
    assert counted[0] < 150, counted


def _say_alarm(connection: Any, place: int) -> int:
    inc = 10_000 + place
    connection.execute("INSERT OR IGNORE INTO term VALUES (900, 'source', 'chatter')")
    connection.execute("INSERT INTO incident_key VALUES (?, 900, ?)", (inc, f"x{place}"))
    connection.execute(
        "INSERT INTO event (inc, seq, at, hash, stage, received, batch, version)"
        " VALUES (?, -1, ?, ?, 0, ?, 0, 0)",
        (inc, NOW + place, place, NOW + place),
    )
    connection.execute(
        "INSERT INTO payload VALUES (?, ?, NULL, NULL, NULL, ?)",
        (inc, place, '{"alarm_level":"3","device_id":"D9"}'),
    )
    return inc


def test_who_follows_hears_of_an_alarm_that_became_part_of_another(desk):
    window_s = desk.city.settings.alarm_window_s
    for number, ago in (("M1", 1.8), ("M2", 0.2)):
        assert desk.post(number, alarm_level=2, device_id="D1", at=int(NOW - ago * window_s)) == 200
    first = list_alarms(desk.city, DUTY, now=desk.now)
    assert len(first.alarms) == 2
    assert desk.post("M3", alarm_level=2, device_id="D1", at=NOW - window_s) == 200  # late
    told = list_alarms(desk.city, DUTY, now=desk.now, since=first.revision)
    assert not told.changes  # not what changed, but all there is: one is no more
    (one,) = told.alarms
    assert one.run.count == 3
    assert desk.post("M4", alarm_level=2, device_id="D2", at=NOW) == 200
    assert list_alarms(desk.city, DUTY, now=desk.now, since=told.revision).changes
