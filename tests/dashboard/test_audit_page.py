"""The auditor reads the log, its state and its findings; nobody else does, and never unseen."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from typing import Any

import orjson
import pytest

from geodata.audit.check import check_log, parse_head
from geodata.audit.irregularities import OF_CASES, RULES
from geodata.audit.log import audit_head, write_entry
from geodata.csv_sheet import close_cell
from geodata.events.feed import Feed
from geodata.loading.posted_events import read_posted
from tests.city import NOW, grid_code, middle
from tests.dashboard.door_city import Door

HOUR = 3_600
DAYS = "from=2026-05-03&to=2026-06-01"
SOURCE, BAD_ID = "hotline", "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    """Return a city with an account of each role, a case extended late, and 250 rows of the log."""
    door = Door(tiny, tmp_path_factory.mktemp("audit") / "city")
    door.add_every_role()
    door.add("street", role="auditor", areas=(grid_code(0, 0),))
    feed = Feed(door.city, now=lambda: NOW - HOUR)
    for name, column in ((BAD_ID, 0), ("<b>B</b>", 2)):
        lon, lat = middle(column, 0)
        events = [
            {"stage": "reported", "at": NOW - 90 * HOUR, "due_at": NOW - 50 * HOUR, "lon": lon,
             "lat": lat, "body": "=城管"},
            {"stage": "extended", "at": NOW - 49 * HOUR, "due_at": NOW + 50 * HOUR},
            {"stage": "closed", "at": NOW - 20 * HOUR},
            {"stage": "reopened", "at": NOW - 10 * HOUR},
        ]  # fmt: skip
        body = orjson.dumps([{"incident_id": name, **event} for event in events])
        rows = read_posted(body, lines=False, city=door.city, source=SOURCE, now=NOW - HOUR, most=9)
        feed.post(rows, token=0)
    feed.close()
    with door.city.database.transaction() as connection:
        for number in range(250):
            write_entry(
                connection, account="duty", act="view.card", target=f"hotline/<i>{number}</i>",
                at=NOW - number * 60, grid=None,
            )  # fmt: skip
    return door


def read_log(door: Door) -> list[tuple[Any, ...]]:
    with door.city.database.read() as connection:
        return connection.execute(
            "SELECT account, act, target, n FROM audit ORDER BY entry"
        ).fetchall()


def text_of(door: Door, path: str, *, name: str = "auditor") -> str:
    answer = door.client(name).get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("role", ["viewer", "staff", "duty", "planner", "approver",
                                  "administrator", "analyst", "wall"])  # fmt: skip
def test_no_other_role_reads_the_log_and_who_tries_stands_in_it(door, role):
    client = door.client(role)
    for path in ("/audit", "/audit/backdated", "/audit/backdated.csv"):
        assert client.get(path).status_code == 403, path
    for path in ("/audit/seal", "/audit/check"):
        assert client.post(path).status_code == 403, path
    refused = [row[2] for row in read_log(door) if row[:2] == (role, "refused")]
    assert {"/audit", "/audit/backdated.csv", "/audit/seal"} <= set(refused)


def test_the_page_shows_the_chain_every_finding_and_the_newest_rows(door):
    text = text_of(door, f"/audit?lang=en&{DAYS}")
    assert 'data-kind="whole"' in text
    assert all(f"/audit/{rule}?" in text for rule in RULES)
    assert "1–100 of " in text
    assert "&lt;i&gt;240&lt;/i&gt;" in text
    assert "<i>" not in text


def test_reading_the_log_is_a_row_of_the_log_with_what_was_asked(door):
    text_of(door, "/audit?account=duty&act=view.")
    assert ("auditor", "view.log", "account=duty act=view.", 100) in read_log(door)


def test_the_log_is_filtered_by_account_act_grid_and_days_and_paged(door):
    text = text_of(door, "/audit?lang=en&account=duty&act=view.card&page=3")
    assert "201–250 of 250" in text
    assert 'rel="prev"' in text
    assert 'rel="next"' not in text
    assert "No rows like this." in text_of(door, "/audit?lang=en&account=nobody")
    assert "No rows like this." in text_of(door, "/audit?lang=en&log_to=2020-01-01")
    assert "No rows like this." in text_of(door, f"/audit?lang=en&grid={grid_code(0, 0)}")


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-06-02&to=2026-06-01", "from=2020-01-01", "log_from=0000-00-00",
              "to=9999-12-31", "page=x&from=0001-01-01"]
)  # fmt: skip
def test_days_that_are_none_are_refused_in_words(door, query):
    answer = door.client("auditor").get(f"/audit?{query}&lang=en")
    assert answer.status_code == 422
    assert answer.mimetype == "text/plain"


@pytest.mark.parametrize("page", ["0", "-5", "x", "99999999999999999999", "1e9"])
def test_a_page_that_is_none_is_the_first_or_an_empty_one(door, page):
    assert door.client("auditor").get(f"/audit?page={page}").status_code == 200


def test_a_finding_says_its_rule_lists_its_cases_and_links_each(door):
    text = text_of(door, f"/audit/late_extension?lang=en&{DAYS}")
    assert "Extended within 2 hours" in text
    assert "1–2 of 2" in text
    assert "/case/hotline/%3DHYPERLINK%281%29" in text
    assert "&lt;b&gt;B&lt;/b&gt;" in text
    assert "<b>" not in text
    assert ("auditor", "view.finding", "late_extension", 2) in read_log(door)


def test_a_target_leads_to_all_that_was_done_to_it_and_to_its_case(door):
    client = door.client("auditor")
    for _ in range(2):
        assert client.get("/audit?lang=en&target=hotline/A1").status_code == 200
    text = text_of(door, f"/audit?lang=en&target={SOURCE}/%3DHYPERLINK%281%29")
    assert "/case/hotline/%3DHYPERLINK%281%29" in text
    text = text_of(door, "/audit?lang=en&act=view.finding")
    assert "Late extensions" in text


@pytest.mark.parametrize("rule", RULES)
def test_every_finding_downloads_as_a_sheet_under_the_head_of_its_own_row(door, rule):
    answer = door.client("auditor").get(f"/audit/{rule}.csv?lang=en&{DAYS}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    with door.city.database.read() as connection:
        head = next(row[1] for row in rows if row[:1] == ["Head of the log"])
        assert audit_head(connection) == head
        assert check_log(connection, heads=[parse_head(head)]).whole
    assert read_log(door)[-1][:3] == ("auditor", "export.finding", rule)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    if rule in OF_CASES[:2]:
        assert any("'" + BAD_ID in row for row in rows)


@pytest.mark.parametrize(
    "cell", ["=1", " =1", "+1+1", "-1+1", "@x", "\t=1", "＝1", "\r\n=1", "\u3000=1"]
)
def test_no_text_is_taken_for_a_formula(cell):
    assert str(close_cell(cell)).startswith("'")
    assert close_cell(-1) == -1


def test_an_auditor_of_one_grid_sees_its_rows_and_cases_alone(door):
    with door.city.database.transaction() as connection:
        uid = connection.execute(
            "SELECT uid FROM grid WHERE code = ?", (grid_code(0, 0),)
        ).fetchone()[0]
        for grid, target in ((uid, "mine"), (uid + 1, "theirs"), (None, "nowhere")):
            write_entry(connection, account="duty", act="x", target=target, grid=grid, at=NOW)
    text = text_of(door, "/audit?lang=en", name="street")
    assert "mine" in text
    assert "theirs" not in text
    assert "nowhere" not in text
    assert "table_change" not in text
    text = text_of(door, f"/audit/late_extension?lang=en&{DAYS}", name="street")
    assert "1–1 of 1" in text
    client = door.client("street")
    assert client.get("/audit/table_change").status_code == 404
    assert client.get("/audit/nothing").status_code == 404


def test_sealing_keeps_the_head_and_a_check_anew_finds_what_was_changed(door):
    client = door.client("auditor")
    assert client.post("/audit/seal?lang=en").status_code == 303
    text = text_of(door, "/audit?lang=en")
    assert "Sealed 1 times" in text
    with closing(sqlite3.connect(door.city.database.path)) as connection:
        connection.execute("DROP TRIGGER audit_stands")
        connection.execute("UPDATE audit SET account = 'nobody' WHERE entry = 7")
        connection.commit()
    # What was good a moment ago is not looked at again until somebody asks, or an hour has gone.
    assert client.post("/audit/check?lang=en", data={"anew": "1"}).status_code == 303
    text = text_of(door, "/audit?lang=en")
    assert 'data-kind="broken"' in text
    assert "Row 7 was changed." in text
