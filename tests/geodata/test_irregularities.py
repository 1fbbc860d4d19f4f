"""What an auditor should ask about is found, no more and no less, and only within one's grids."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from geodata.access.scope import Scope
from geodata.audit.irregularities import RULES, Finding, find_irregularities
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.desk.acts import Wish, decide
from geodata.events.feed import Feed
from geodata.events.withdrawal import withdraw_batch
from geodata.loading.posted_events import read_posted
from tests.city import NOW, grid_code, load_one, make_gridded_city, middle, write_table

HOUR, DAY = 3_600, 86_400
MONDAY = NOW - 7 * DAY  # 2026-05-25, noon
WHOLE = Scope.whole_city("auditor-1", ("audit", "read"), role="auditor")
KINDS = ("code", "name_zh", "category", "limit", "limit_unit")


class Posts:
    """A city that takes posts; `at` an hour of MONDAY's, received a minute later."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.now = MONDAY
        self.feed = Feed(city, now=lambda: self.now)

    def post(
        self, incident_id: str, stage: str, hour: float, *, late_h: float = 0, **more: object
    ) -> None:
        at = MONDAY + round(hour * HOUR)
        event = {"incident_id": incident_id, "stage": stage, "at": at, **more}
        if isinstance(more.get("due_at"), (int, float)):
            event["due_at"] = MONDAY + round(float(str(more["due_at"])) * HOUR)
        self.now = at + 60 + round(late_h * HOUR)
        rows = read_posted(
            orjson.dumps([event]),
            lines=False,
            city=self.city,
            source="hotline",
            now=self.now,
            most=9,
        )
        self.feed.post(rows, token=0)

    def report(self, incident_id: str, *, column: int = 0, due: float | None = 48) -> None:
        lon, lat = middle(column, 0)
        more = {} if due is None else {"due_at": due}
        self.post(incident_id, "reported", 0, lon=lon, lat=lat, kind="积水", **more)


@pytest.fixture
def posts(tmp_path, monkeypatch) -> Iterator[Posts]:
    monkeypatch.setattr("geodata.events.feed.GATHER_S", 0.0)
    made = Posts(make_gridded_city(tmp_path / "city"))
    yield made
    made.feed.close()


def find(city: City, scope: Scope = WHOLE, *, days: float = 30) -> dict[str, Finding]:
    found = find_irregularities(
        city, scope, from_at=NOW - round(days * DAY), to_at=NOW + DAY, now=NOW
    )
    return {finding.rule: finding for finding in found}


def ids(finding: Finding) -> list[str]:
    assert finding.total == len(finding.cases)
    return [case.incident_id for case in finding.cases]


def test_every_rule_is_asked_in_the_order_of_the_page(posts):
    assert tuple(find(posts.city)) == RULES
    assert all(finding.total == 0 for finding in find(posts.city).values())


def test_an_extension_near_or_past_its_deadline_is_late_and_one_in_time_is_not(posts):
    for name, hour in (("early", 40), ("near", 46.5), ("past", 60)):
        posts.report(name)
        posts.post(name, "extended", hour, due_at=200)
    late = find(posts.city)["late_extension"]
    assert ids(late) == ["past", "near"]
    assert [case.other_at for case in late.cases] == [MONDAY + 48 * HOUR] * 2


def test_each_extension_is_held_against_the_deadline_that_stood_before_it(posts):
    posts.report("A")
    posts.post("A", "extended", 10, due_at=100)  # in time
    posts.post("A", "extended", 99, due_at=300)  # an hour before the new one
    late = find(posts.city)["late_extension"]
    assert [(case.at, case.other_at) for case in late.cases] == [
        (MONDAY + 99 * HOUR, MONDAY + 100 * HOUR)
    ]


def test_time_suspended_moves_the_deadline_an_extension_is_held_against(posts):
    posts.report("A")
    posts.post("A", "suspended", 10)
    posts.post("A", "resumed", 40)  # due at 48 + 30
    posts.post("A", "extended", 60, due_at=200)
    posts.report("B")
    posts.post("B", "suspended", 10)
    posts.post("B", "extended", 60, due_at=200)  # the clock still stands
    assert ids(find(posts.city)["late_extension"]) == []


def test_a_deadline_by_the_kinds_limit_counts_as_one_from_the_source_does(posts, tmp_path):
    table = write_table(tmp_path / "kinds.csv", KINDS, [["积水", "积水", "水", 2, "days"]])
    load_one(posts.city, "kinds", table, now=MONDAY)
    for name, hour in (("near", 47), ("early", 30)):
        posts.report(name, due=None)
        posts.post(name, "extended", hour, due_at=90)
    late = find(posts.city)["late_extension"]
    assert [(case.incident_id, case.other_at) for case in late.cases] == [
        ("near", MONDAY + 48 * HOUR)
    ]


def test_what_was_posted_long_after_it_happened_is_found_with_its_share_a_source(posts):
    posts.report("A")
    posts.post("A", "handled", 20, late_h=30, body="城管")
    posts.post("A", "closed", 21, late_h=2)
    posts.report("B", column=1)
    finding = find(posts.city)["backdated"]
    assert ids(finding) == ["A"]
    assert finding.cases[0].other_at - finding.cases[0].at == 30 * HOUR + 60
    assert [(share.source, share.body, share.part, share.of) for share in finding.shares] == [
        ("hotline", "城管", 1, 3)
    ]


def test_what_came_by_file_is_not_called_backdated(posts, tmp_path):
    columns = ("incident_id", "reported_at", "kind", "lon", "lat")
    row = ["F1", "2026-05-01 08:00:00", "积水", *middle(0, 0)]
    load_one(posts.city, "incidents", write_table(tmp_path / "f.csv", columns, [row]), now=MONDAY)
    assert find(posts.city)["backdated"].total == 0


def test_a_hand_over_shortly_before_the_deadline_is_found_with_both_bodies(posts):
    for name, hour in (("near", 47), ("early", 20), ("after", 49)):
        posts.report(name)
        posts.post(name, "dispatched", 1, body="城管")
        posts.post(name, "dispatched", hour, body="市政")
    posts.report("same")
    posts.post("same", "dispatched", 1, body="城管")
    posts.post("same", "dispatched", 47, body="城管")
    finding = find(posts.city)["handover"]
    assert ids(finding) == ["near"]
    assert (finding.cases[0].before, finding.cases[0].after) == ("城管", "市政")


def test_a_post_that_gives_a_case_another_grid_shortly_before_the_deadline_is_found(posts):
    posts.report("A")
    there = posts.city.grids_in_force(NOW).find_uid(grid_code(2, 0))
    desk = Scope.whole_city("duty-1", ("read", "read.rows", "act"), role="duty")
    wish = Wish(
        what="owner",
        source="hotline",
        incident_id="A",
        reason="图画错了",
        grid=there,
        seen=posts.city.database.revision(),
    )
    decide(posts.city, desk, wish, now=MONDAY + 47 * HOUR)
    found = find(posts.city)
    assert ids(found["handover"]) == ids(found["manual_owner"]) == ["A"]
    assert found["manual_owner"].cases[0].post == "duty-1"
    assert found["handover"].cases[0].after == str(there)
    assert found["manual_pin"].total == 0


def test_a_case_reopened_within_days_of_its_closing_is_found(posts):
    for name, hour in (("soon", 24 + 24 * 6), ("long after", 24 + 24 * 6 + 30)):
        posts.report(name)
        posts.post(name, "closed", 24)
        posts.post(name, "reopened", hour)
    assert ids(find(posts.city)["reopened"]) == ["soon"]


def test_what_a_batch_changed_in_limits_is_counted_and_first_values_are_not_changes(
    posts, tmp_path
):
    first = [["积水", "积水", "水", 2, "days"], ["占道", "占道", "市容", 1, "days"]]
    load_one(posts.city, "kinds", write_table(tmp_path / "a.csv", KINDS, first), now=MONDAY)
    second = [["积水", "积水", "水", 30, "days"], first[1], ["噪音", "噪音", "水", 1, "days"]]
    load_one(posts.city, "kinds", write_table(tmp_path / "b.csv", KINDS, second), now=MONDAY + 60)
    changes = find(posts.city)["table_change"].tables
    assert [(item.file, item.changed, item.added) for item in changes] == [
        ("b.csv", 1, 1), ("a.csv", 0, 2)
    ]  # fmt: skip


def test_withdrawn_batches_changed_accounts_and_refusals_are_read_from_the_log(posts, tmp_path):
    columns = ("incident_id", "reported_at", "lon", "lat")
    row = ["F1", "2026-05-01 08:00:00", *middle(0, 0)]
    load_one(posts.city, "incidents", write_table(tmp_path / "f.csv", columns, [row]), now=MONDAY)
    with posts.city.database.read() as connection:
        (batch,) = connection.execute("SELECT max(batch) FROM batch").fetchone()
    withdraw_batch(posts.city, batch, now=MONDAY)
    with posts.city.database.transaction() as connection:
        write_entry(connection, account="console", act="account.add", target="duty-2", at=MONDAY)
        write_entry(connection, account="duty-1", act="refused", target="/audit", at=MONDAY)
    found = find(posts.city)
    assert [row.entry.target for row in found["batch_withdrawn"].rows] == [str(batch)]
    assert [row.entry.target for row in found["account_change"].rows] == ["duty-2"]
    assert [row.entry.target for row in found["refused"].rows] == ["/audit"]


def test_an_auditor_of_some_grids_finds_only_what_happened_in_them(posts):
    for name, column in (("mine", 0), ("theirs", 2)):
        posts.report(name, column=column)
        posts.post(name, "extended", 47, due_at=200, late_h=40)
        posts.post(name, "closed", 48)
        posts.post(name, "reopened", 50)
    mine = posts.city.grids_in_force(NOW).find_uid(grid_code(0, 0))
    scope = Scope(
        account="auditor-2", grids=frozenset({mine}), permissions=frozenset(), role="auditor"
    )
    found = find(posts.city, scope)
    for rule in ("late_extension", "backdated", "reopened"):
        assert ids(found[rule]) == ["mine"], rule
    assert sum(share.of for share in found["backdated"].shares) == 4
    assert not {"table_change", "batch_withdrawn", "account_change"} & set(found)


def test_what_happened_outside_the_window_is_not_found(posts):
    posts.report("A")
    posts.post("A", "extended", 47, due_at=200)
    assert find(posts.city, days=7)["late_extension"].total == 1
    assert find(posts.city, days=5)["late_extension"].total == 0
