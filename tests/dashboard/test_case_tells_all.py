"""Promise: a case tells its whole story, how its deadline came about, and whose it is and why."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from dashboard.server import make_app
from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.acts import Wish, decide
from geodata.desk.case_context import (
    find_earlier,
    link_case,
    measure_recorded,
    measure_spent,
)
from geodata.desk.cases import Case, read_case
from geodata.desk.marks import mark_owners
from geodata.errors import NotFound
from geodata.events.clock import STATES
from geodata.store.decisions import find_incident
from tests.city import (
    NOW,
    SIDE_M,
    ZONE,
    grid_code,
    load_one,
    lonlat,
    make_gridded_city,
    middle,
    write_table,
)

WHOLE = Scope.whole_city("duty-1", ("read", "read.rows", "act"), role="duty")
INCIDENTS = ("incident_id", "reported_at", "kind", "lon", "lat", "recorded_grid", "address")
EVENTS = ("incident_id", "stage", "at", "lon", "lat", "kind", "reason", "body", "due_at")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("case")
    city = make_gridded_city(folder / "city")
    kinds = [
        ["积水", "积水", "Ponding", "市政设施", 2, "working_days"],
        ["占道", "占道经营", "Street trading", "市容环境", 48, "working_hours"],
    ]
    columns = ("code", "name_zh", "name_en", "category", "limit", "limit_unit")
    load_one(city, "kinds", write_table(folder / "kinds.csv", columns, kinds))
    bodies = [["SZ", "市政处", "Public works", "department"]]
    columns = ("body", "name_zh", "name_en", "kind")
    load_one(city, "bodies", write_table(folder / "bodies.csv", columns, bodies))
    rows = [
        ["A1", "2026-05-20 08:00:00", "积水", *lonlat(40, 100), grid_code(0, 0), "东街 1 号<i>"],
        ["A2", "2026-05-20 08:00:00", "积水", "", "", grid_code(0, 0), "西街 2 号"],
        ["A3", "2026-05-20 08:00:00", "无名", *middle(1, 1), "别处", "南街"],
    ]
    load_one(city, "incidents", write_table(folder / "incidents.csv", INCIDENTS, rows))
    place = (*middle(2, 2), "积水")
    none = ("", "", "")
    events = [
        ["E1", "reported", "2026-05-18 08:00:00", *place, "", "", ""],
        ["E1", "registered", "2026-05-18 09:00:00", *none, "", "", ""],
        ["E1", "dispatched", "2026-05-18 09:30:00", *none, "", "SZ", ""],
        ["E1", "suspended", "2026-05-18 10:00:00", *none, "等材料", "", ""],
        ["E1", "resumed", "2026-05-18 13:00:00", *none, "", "", ""],
        ["E1", "handled", "2026-05-19 09:30:00", *none, "", "SZ", ""],
        ["E1", "closed", "2026-05-19 10:30:00", *none, "", "", ""],
        ["E2", "reported", "2026-05-18 08:00:00", *place, "", "", "2026-05-19 08:00:00"],
    ]
    load_one(city, "events", write_table(folder / "events.csv", EVENTS, events), source="events")
    return city


def read(city: City, source: str, incident_id: str, scope: Scope = WHOLE) -> Case:
    with city.database.read() as connection:
        return read_case(connection, city, scope, source, incident_id, now=NOW)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def test_every_event_is_told_with_both_its_times(city):
    case = read(city, "events", "E1")
    stages = [event.stage for event in case.events]
    assert stages == [
        "reported", "registered", "dispatched", "suspended", "resumed", "handled", "closed",
    ]  # fmt: skip
    assert case.events[0].at == at("2026-05-18 08:00:00")
    assert all(event.received_at == NOW and not event.live for event in case.events)
    assert (case.events[3].reason, case.events[2].body) == ("等材料", "SZ")


def test_the_time_between_the_steps_is_measured(city):
    legs = [(leg.since, leg.until, leg.seconds) for leg in read(city, "events", "E1").legs]
    assert legs == [
        ("reported", "registered", 3_600),
        ("registered", "dispatched", 1_800),
        ("dispatched", "handled", 86_400),
        ("handled", "closed", 3_600),
    ]


def test_the_time_in_each_stage_counts_to_the_body_that_had_it(city):
    spent = measure_spent(read(city, "events", "E1"), now=NOW)
    assert [(one.stage, one.body, one.seconds) for one in spent] == [
        ("reported", "", 3_600),
        ("registered", "", 1_800),
        ("dispatched", "SZ", 1_800),
        ("suspended", "SZ", 3 * 3_600),
        ("resumed", "SZ", 73_800),
        ("handled", "SZ", 3_600),
    ]
    assert not any(one.running for one in spent)
    (running,) = measure_spent(read(city, "events", "E2"), now=NOW)
    assert (running.running, running.seconds) == (True, NOW - at("2026-05-18 08:00:00"))


def test_a_recorded_owner_that_differs_is_so_many_metres_away_or_unknown(city):
    assert read(city, "incidents", "A1").recorded_m == 0
    assert read(city, "incidents", "A2").recorded_m is None
    assert read(city, "incidents", "A3").recorded_m is None
    with city.database.read() as connection:
        timeline = city.drawings.timeline(connection)
    head = read(city, "incidents", "A1").head
    far = measure_recorded(timeline, head, grid_code(2, 0), at=NOW)
    assert far == pytest.approx(2 * SIDE_M - 40, abs=0.01)


def test_earlier_decisions_on_its_kind_in_its_grid_are_told(city, tmp_path):
    copied = City(shutil.copytree(city.folder, tmp_path / "city"))
    case = read(copied, "events", "E2")
    with copied.database.read() as connection:
        assert find_earlier(connection, WHOLE, case) == ()
    grid = int(copied.grids_in_force(NOW).find_uid(grid_code(2, 1)))
    told = {"source": "events", "incident_id": "E1"}
    wish = Wish(**told, what="owner", reason="更熟悉", grid=grid, seen=copied.database.revision())
    decide(copied, WHOLE, wish, now=NOW)
    wish = Wish(**told, what="owner_withdrawn", reason="看错了", seen=copied.database.revision())
    decide(copied, WHOLE, wish, now=NOW + 60)
    with copied.database.read() as connection:
        found = find_earlier(connection, WHOLE, case)
        hidden = Scope(account="x", grids=frozenset({1}), permissions=WHOLE.permissions)
        assert find_earlier(connection, hidden, case) == ()
    assert [one.decision.reason for one in found] == ["看错了", "更熟悉"]
    assert {one.incident_id for one in found} == {"E1"}


def test_a_link_template_leads_to_the_citys_own_system():
    template = "https://cases.example/{source}?id={id}"
    assert link_case(template, "a/b", "1&2") == "https://cases.example/a%2Fb?id=1%262"
    assert link_case("", "a", "1") == ""
    assert link_case("javascript:alert({id})", "a", "1") == ""


def test_a_deadline_by_the_kinds_limit_is_explained_step_by_step(city):
    deadline = read(city, "events", "E1").deadline
    assert (deadline.by, deadline.limit, deadline.unit) == ("limit", 2, "working_days")
    assert deadline.clock_from == at("2026-05-18 09:00:00")
    assert deadline.suspended_s == 3 * 3_600
    assert deadline.due_at == at("2026-05-20 09:00:00") + deadline.suspended_s
    assert deadline.guessed  # the city has no calendar
    assert STATES[deadline.state] == "done_on_time"


def test_a_deadline_of_the_source_is_its_own(city):
    deadline = read(city, "events", "E2").deadline
    assert (deadline.by, deadline.due_at) == ("source", at("2026-05-19 08:00:00"))
    assert STATES[deadline.state] == "red"


def test_a_kind_without_a_limit_gives_no_deadline(city):
    assert read(city, "incidents", "A3").deadline.by == "none"


def test_the_sources_own_record_stands_beside_ours(city):
    agrees, unplaced, differs = (read(city, "incidents", name) for name in ("A1", "A2", "A3"))
    assert (agrees.owner.code, agrees.recorded, agrees.agrees) == (
        grid_code(0, 0), grid_code(0, 0), True,
    )  # fmt: skip
    assert agrees.owner.line_m == pytest.approx(40, abs=0.01)
    assert (unplaced.owner.uid, unplaced.agrees) == (-1, False)
    assert (differs.recorded, differs.agrees) == ("别处", False)
    assert read(city, "events", "E1").agrees is None


def test_decisions_are_part_of_the_story(city):
    uid = city.grids_in_force(NOW).find_uid(grid_code(0, 1))
    wish = Wish(
        source="incidents", incident_id="A2", what="owner", reason="电话核实", seen=10**6, grid=uid
    )
    decide(city, WHOLE, wish, now=NOW)
    case = read(city, "incidents", "A2")
    assert (case.rule, case.owner.code) == ("manual", grid_code(0, 1))
    assert [one.reason for one in case.decisions] == ["电话核实"]


# --- the page ------------------------------------------------------------------------------------


@pytest.fixture
def get(city, monkeypatch) -> Callable[..., Any]:
    def get_it(path: str, *, scope: Scope = WHOLE, lang: str = "zh") -> Any:
        monkeypatch.setattr("dashboard.server._local_account", lambda _: scope)
        return make_app(city, now=lambda: NOW).server.test_client().get(f"{path}?lang={lang}")

    return get_it


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ["积水", "挂账", "等材料", "2 个工作日", "3 小时", "按期办结", "市政处"]),
        ("en", ["Ponding", "Suspended", "2 working days", "done on time", "Public works"]),
    ],
)
def test_the_page_says_it_in_both_languages(get, lang, words):
    text = get("/case/events/E1", lang=lang).get_data(as_text=True)
    assert [word for word in words if word not in text] == []


def test_the_page_escapes_what_others_wrote(get):
    text = get("/case/incidents/A1").get_data(as_text=True)
    assert "东街 1 号&lt;i&gt;" in text
    assert f"{SIDE_M / 5:.1f} 米" in text


def test_a_dead_link_and_a_hidden_case_answer_with_the_same_page(get, city):
    uid = city.grids_in_force(NOW).find_uid(grid_code(2, 0))
    scope = Scope(account="post", grids=frozenset({uid}), permissions=WHOLE.permissions)
    paths = ("/case/incidents/A1", "/case/incidents/A2", "/case/incidents/none", "/case/x/A1")
    answers = [get(path, scope=scope) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1
    with city.database.read() as connection, pytest.raises(NotFound):
        read_case(connection, city, scope, "incidents", "A1", now=NOW)


def test_every_view_of_a_case_is_in_the_log(get, city):
    get("/case/events/E2")
    with city.database.read() as connection:
        rows = connection.execute(
            "SELECT account FROM audit WHERE act = 'view.case' AND target = 'events/E2'"
        ).fetchall()
    assert rows == [("duty-1",)]


def test_the_page_prints_on_one_sheet(get, city, page, serve_page, monkeypatch):
    monkeypatch.setattr("dashboard.server._local_account", lambda _: WHOLE)
    server = serve_page(make_app(city, now=lambda: NOW))
    page.goto(f"{server.address}/case/events/E1?lang=zh")
    printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
    assert page.evaluate("document.documentElement.dataset.map") == "none"


def test_an_owner_by_hand_and_a_dispute_are_marked_in_lists(city, tmp_path):
    copied = City(shutil.copytree(city.folder, tmp_path / "city"))
    grid, other = (copied.grids_in_force(NOW).find_uid(grid_code(2, row)) for row in (1, 0))
    told = {"source": "events", "incident_id": "E2"}
    with copied.database.read() as connection:
        inc = find_incident(connection, "events", "E2")
        assert mark_owners(connection, WHOLE, [inc]) == {inc: ()}
    for what, more in (("owner", {"grid": grid}), ("dispute", {"grid": other})):
        wish = Wish(**told, what=what, reason="核实", seen=copied.database.revision(), **more)
        decide(copied, WHOLE, wish, now=NOW)
    hidden = Scope(account="x", grids=frozenset({1}), permissions=WHOLE.permissions)
    with copied.database.read() as connection:
        assert mark_owners(connection, WHOLE, [inc]) == {inc: ("manual", "disputed")}
        assert mark_owners(connection, hidden, [inc]) == {}
